// For each mutation of the schema: how it is done in earnest, and what it leaves in the audit log. The acts have their
// effect on what a second user has, so that none is about the administrator's own work.

import type { Data, TestApp } from './support/app.ts';

export interface Entry {
  readonly action: string;
  readonly subject: string;
}

export interface Act {
  readonly variables?: object;
  readonly by?: string | null;
  /** Who stands in the log as the actor. */
  readonly actor?: string;
  /** What is read of the payload. */
  readonly selection: string;
  readonly leaves: (payload: Data) => readonly Entry[];
}

export interface World extends TestApp {
  readonly anna: { readonly id: string; readonly token: string };
  readonly upstreamUrl: string;
  /** One mutation with its input, and its payload. */
  mutate(name: string, input: object, selection: string, token?: string): Promise<Data>;
}

const PASSWORD = 'password of anna';
const DEPLOYMENT = 'simulated/fast';
const WORKFLOW = {
  steps: [
    { id: 'ask', kind: 'APPROVAL', prompt: 'May I?' },
    { id: 'last', prompt: 'Hello', dependsOn: ['ask'] },
  ],
};

/** One workflow of anna's that waits for a person. */
async function waitingWorkflow({ mutate, anna, ask }: World): Promise<string> {
  const { request } = await mutate('submitRequest', { workflow: WORKFLOW }, 'request { id }', anna.token);
  const query = 'query ($id: ID!) { request(id: $id) { workflow { steps { id status } } } }';
  for (;;) {
    const { workflow } = (await ask(query, { id: request.id }, anna.token)).request;
    if (workflow.steps.some((step: Data) => step.id === 'ask' && step.status === 'WAITING'))
      return request.id;
  }
}

async function keyOfAnna({ mutate, anna }: World): Promise<string> {
  const { apiKey } = await mutate('createApiKey', { name: 'a', userId: anna.id }, 'apiKey { id }');
  return apiKey.id;
}

async function sessionOfAnna({ ask, login: _login, anna, app }: World): Promise<string> {
  await app.members.login('anna', PASSWORD, 'test');
  const query = 'query ($id: ID!) { node(id: $id) { ... on User { sessions { id } } } }';
  return (await ask(query, { id: anna.id })).node.sessions[0].id;
}

async function provider({ mutate, upstreamUrl }: World, id: string): Promise<{ providerId: string }> {
  await mutate('createProvider', providerInput(upstreamUrl, id), 'provider { id }');
  return { providerId: id };
}

function providerInput(upstreamUrl: string, id: string) {
  return { id, kind: 'openai', baseUrl: `${upstreamUrl}/v1`, apiKey: 'sk-0123456789', allowPrivate: true };
}

const one = (action: string, subject: string) => () => [{ action, subject }];
const onDeployment = (action: string) => async (): Promise<Act> => ({
  variables: { deploymentId: DEPLOYMENT, reason: 'maintenance' },
  selection: 'provider { id }',
  leaves: one(action, DEPLOYMENT),
});

/** Their order is that of the table in the test: what one does, the next one finds. */
export const ACTS: Readonly<Record<string, (world: World) => Promise<Act>>> = {
  login: async ({ anna }) => ({
    variables: { username: 'anna', password: PASSWORD },
    by: null,
    actor: 'anna',
    selection: 'token',
    leaves: one('session.begin', anna.id),
  }),
  logout: async ({ app, anna }) => ({
    by: (await app.members.login('anna', PASSWORD, 'test')).token,
    actor: 'anna',
    selection: 'loggedOut',
    leaves: one('session.end', anna.id),
  }),
  changePassword: async world => {
    const { user } = await world.mutate(
      'createUser',
      { username: 'carla', role: 'USER', password: PASSWORD },
      'user { id }',
    );
    return {
      variables: { currentPassword: PASSWORD, newPassword: 'another password of carla' },
      by: (await world.app.members.login('carla', PASSWORD, 'test')).token,
      actor: 'carla',
      selection: 'token',
      // The login that takes the place of the others is one more act.
      leaves: () => [
        { action: 'password.change', subject: user.id },
        { action: 'session.begin', subject: user.id },
      ],
    };
  },
  createUser: async () => ({
    variables: { username: 'berta', role: 'USER', password: 'password of berta' },
    selection: 'user { id }',
    leaves: ({ user }) => [{ action: 'user.create', subject: user.id }],
  }),
  updateUser: async ({ mutate }) => {
    const input = { username: 'dora', role: 'USER', password: 'password of dora' };
    const { user } = await mutate('createUser', input, 'user { id }');
    const variables = { userId: user.id, role: 'ADMIN', password: 'another password of dora' };
    return { variables, selection: 'user { id }', leaves: one('user.update', user.id) };
  },
  createApiKey: async ({ anna }) => ({
    variables: { name: 'key', userId: anna.id },
    selection: 'apiKey { id }',
    leaves: ({ apiKey }) => [{ action: 'apiKey.create', subject: apiKey.id }],
  }),
  rotateApiKey: async world => {
    const apiKeyId = await keyOfAnna(world);
    return { variables: { apiKeyId }, selection: 'secret', leaves: one('apiKey.rotate', apiKeyId) };
  },
  revokeApiKey: async world => {
    const apiKeyId = await keyOfAnna(world);
    return { variables: { apiKeyId }, selection: 'apiKey { id }', leaves: one('apiKey.revoke', apiKeyId) };
  },
  revokeSession: async world => {
    const sessionId = await sessionOfAnna(world);
    return { variables: { sessionId }, selection: 'sessionId', leaves: one('session.revoke', sessionId) };
  },
  setRateLimits: async ({ anna }) => ({
    variables: { userId: anna.id, requestsPerMinute: 1_000 },
    selection: 'user { id }',
    leaves: one('rateLimits.set', anna.id),
  }),
  setBudget: async ({ anna }) => ({
    variables: { userId: anna.id, limit: '5', period: 'DAY' },
    selection: 'budget { id }',
    leaves: ({ budget }) => [{ action: 'budget.set', subject: budget.id }],
  }),
  removeBudget: async ({ mutate, anna }) => {
    const input = { userId: anna.id, limit: '5', period: 'MONTH' };
    const { budget } = await mutate('setBudget', input, 'budget { id }');
    return {
      variables: { budgetId: budget.id },
      selection: 'budget { id }',
      leaves: one('budget.remove', budget.id),
    };
  },
  openBreaker: onDeployment('breaker.open'),
  resetBreaker: onDeployment('breaker.reset'),
  drainDeployment: onDeployment('deployment.drain'),
  enableDeployment: onDeployment('deployment.enable'),
  createProvider: async ({ upstreamUrl }) => ({
    variables: providerInput(upstreamUrl, 'first'),
    selection: 'provider { id }',
    leaves: one('provider.create', 'first'),
  }),
  updateProvider: async world => ({
    variables: { ...(await provider(world, 'second')), apiKey: 'sk-9876543210' },
    selection: 'provider { id }',
    leaves: one('provider.update', 'second'),
  }),
  deleteProvider: async world => ({
    variables: await provider(world, 'third'),
    selection: 'providerId',
    leaves: one('provider.delete', 'third'),
  }),
  cancelRequest: async world => {
    const requestId = await waitingWorkflow(world);
    return {
      variables: { requestId },
      selection: 'request { id }',
      leaves: one('request.cancel', requestId),
    };
  },
  decideStep: async world => {
    const requestId = await waitingWorkflow(world);
    const variables = { requestId, step: 'ask', approved: true };
    return { variables, selection: 'request { id }', leaves: one('workflow.decide', requestId) };
  },
  pauseWorkflow: async world => {
    const requestId = await waitingWorkflow(world);
    return {
      variables: { requestId },
      selection: 'request { id }',
      leaves: one('workflow.pause', requestId),
    };
  },
  resumeWorkflow: async world => {
    const requestId = await waitingWorkflow(world);
    await world.mutate('pauseWorkflow', { requestId }, 'request { id }');
    return {
      variables: { requestId },
      selection: 'request { id }',
      leaves: one('workflow.resume', requestId),
    };
  },
  rerunWorkflow: async world => {
    const requestId = await waitingWorkflow(world);
    await world.mutate('cancelRequest', { requestId }, 'request { id }');
    return {
      variables: { requestId },
      selection: 'request { id }',
      leaves: one('workflow.rerun', requestId),
    };
  },
  deleteRequestContent: async world => {
    const requestId = await waitingWorkflow(world);
    await world.mutate('cancelRequest', { requestId }, 'request { id }');
    return {
      variables: { requestId },
      selection: 'request { id }',
      leaves: one('request.deleteContent', requestId),
    };
  },
  deleteUser: async world => {
    await world.login('leaver');
    const { users } = await world.ask('{ users { nodes { id username } } }');
    const userId = users.nodes.find(({ username }: Data) => username === 'leaver').id;
    return {
      variables: { userId, reason: 'has left' },
      selection: 'user { id }',
      leaves: one('user.delete', userId),
    };
  },
};

/** Mutations that leave nothing, and why. */
export const UNREMEMBERED: Readonly<Record<string, string>> = {
  submitRequest: 'the request itself is the record, with who asked and when',
  runWorkflow: 'as submitRequest',
  createWorkflow: "one's own definition, which is kept with its owner and its time",
  deleteWorkflow: "one's own definition; what was run of it stays, with all its steps",
};
