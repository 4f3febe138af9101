// Operations that try to walk around the rules: by fragments, aliases and company, in batches, by introspection; and
// subscriptions that outlive the right to them.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type Answer, type Data, startTestApp, type TestApp } from './support/app.ts';
import { submit } from './support/requests.ts';
import { transportsOf } from './support/transports.ts';

const codesOf = ({ errors = [] }: Answer) => errors.map(({ extensions }) => extensions.code);

test('fragments, aliases and allowed company let nobody through, and nothing of the operation runs', async t => {
  const app = await startTestApp(t);
  const anna = await app.login('anna');
  const reset = 'resetBreaker(input: { providerId: "simulated", reason: "x" }) { provider { id } }';
  const ask = 'submitRequest(input: { prompt: "Why?" }) { request { id } }';

  for (const query of [
    '{ users { nodes { id } } }',
    '{ viewer { id } alias: users { __typename } }',
    '{ ...A } fragment A on Query { viewer { id } ...B } fragment B on Query { list: users { __typename } }',
    '{ ... on Query { ... { metrics { __typename } } } }',
    'query ($no: Boolean = false) { viewer @skip(if: $no) { id } dashboard @include(if: true) { __typename } }',
    `mutation { ${reset} }`,
    `mutation { ${ask} ${reset} }`,
    `mutation { first: ${ask} ...Then } fragment Then on Mutation { second: ${reset} }`,
    'subscription { metricsUpdates { __typename } }',
  ])
    assert.deepEqual(codesOf(await app.send(query, {}, anna)), ['FORBIDDEN'], query);

  const { requests } = await app.ask('{ requests { totalCount } }', {}, anna);
  assert.equal(requests.totalCount, 0, 'also what stood in front of the refused field');
  const skipped =
    'query ($no: Boolean = false) { viewer { username } users @include(if: $no) { __typename } }';
  assert.deepEqual(await app.ask(skipped, {}, anna), { viewer: { username: 'anna' } });
});

test('a refused entry of a batch leaves the others as they are and lets nobody in, whoever came before', async t => {
  const app = await startTestApp(t);
  const anna = await app.login('anna');
  const two = 'query Mine { viewer { username } } query All { users { nodes { username } } }';
  const entries = [
    { query: '{ viewer { username } }' },
    { query: '{ metrics { total { requests } } }' },
    { query: two, operationName: 'Mine' },
    { query: two, operationName: 'All' },
    { query: 'mutation { submitRequest(input: { prompt: "Why?" }) { request { status } } }' },
  ];
  const send = async (token: string) => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(entries),
    });
    const answers = (await response.json()) as Answer[];
    return [response.status, ...answers.map(answer => codesOf(answer)[0] ?? 'allowed')];
  };

  const allowed = 'allowed';
  const limited = [200, allowed, 'FORBIDDEN', allowed, 'FORBIDDEN', allowed];
  for (let time = 1; time <= 2; time += 1) {
    assert.deepEqual(await send(anna), limited);
    assert.deepEqual(await send(app.adminToken), [200, allowed, allowed, allowed, allowed, allowed]);
    assert.deepEqual(await send('nobody'), [200, ...Array(5).fill('UNAUTHENTICATED')]);
  }
  assert.deepEqual(await send(anna), limited);
});

for (const mode of ['development', 'production'] as const)
  test(`introspection is not for the anonymous in ${mode}, over any transport`, async t => {
    const app = await startTestApp(t, {
      NODE_ENV: mode,
      ...(mode === 'production' && { MCPLANE_ALLOW_EMBEDDED: 'true' }),
    });
    const anna = await app.login('anna');
    const create = 'mutation { createApiKey(input: { name: "a", scopes: [READ] }) { secret } }';
    const { createApiKey } = await app.ask(create);
    const queries = [
      '{ __schema { types { name } } }',
      '{ __type(name: "User") { name } }',
      '{ __typename }',
      '{ ...A } fragment A on Query { alias: __schema { __typename } }',
      'mutation { __typename }',
    ];
    for (const [transport, send] of Object.entries(transportsOf(t, app)))
      for (const query of queries) {
        const codeFor = async (token: string | null) => (await send({ query, variables: {}, token })).code;
        const isSchema = query.includes('__schema') || query.includes('__type(');
        const forOthers = isSchema && mode === 'production' ? 'FORBIDDEN' : undefined;
        // Twice, as what is known takes a shorter way.
        for (let time = 1; time <= 2; time += 1) {
          assert.equal(await codeFor(null), 'UNAUTHENTICATED', `${transport} ${query}`);
          assert.equal(await codeFor(app.adminToken), undefined, `${transport} ${query}`);
          assert.equal(await codeFor(anna), forOthers, `${transport} ${query}`);
          assert.equal(await codeFor(createApiKey.secret), forOthers, `${transport} ${query}`);
        }
      }
  });

/** What takes the right to a subscription away, of a second administrator. */
const ENDINGS: Readonly<Record<string, (app: TestApp, second: Second) => Promise<unknown>>> = {
  logout: ({ ask }, { token }) => ask('mutation { logout { loggedOut } }', {}, token),
  'revoked session': ({ app, adminToken }, { token }) => forBoth(app, adminToken, token, 'revokeSession'),
  demotion: ({ ask }, { id }) => ask(UPDATE, { input: { userId: id, role: 'USER' } }),
  "demotion of a key's owner": ({ ask }, { id }) => ask(UPDATE, { input: { userId: id, role: 'USER' } }),
  'a disabled user': ({ ask }, { id }) => ask(UPDATE, { input: { userId: id, disabled: true } }),
  'a new password': ({ ask }, { id }) =>
    ask(UPDATE, { input: { userId: id, password: 'quite another one' } }),
  'a revoked key': ({ ask }, { keyId }) =>
    ask('mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { apiKey { id } } }', { id: keyId }),
  'a key replaced without grace': ({ ask }, { keyId }) =>
    ask('mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id, graceSeconds: 0 }) { secret } }', {
      id: keyId,
    }),
};
const UPDATE = 'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }';

interface Second {
  readonly id: string;
  readonly token: string;
  readonly keyId: string;
  readonly key: string;
}

async function forBoth({ members }: TestApp['app'], by: string, of: string, act: 'revokeSession') {
  const [actor, target] = [await members.authenticate(by), await members.authenticate(of)];
  await members[act](actor!, target!.credential.id);
}

async function secondAdmin(app: TestApp): Promise<Second> {
  const token = await app.login('second', 'ADMIN');
  const create = 'mutation { createApiKey(input: { name: "a key" }) { apiKey { id } secret } }';
  const { createApiKey } = await app.ask(create, {}, token);
  const { viewer } = await app.ask('{ viewer { id } }', {}, token);
  return { id: viewer.id, token, keyId: createApiKey.apiKey.id, key: createApiKey.secret };
}

for (const [ending, end] of Object.entries(ENDINGS))
  test(`subscriptions end with the right to them: ${ending}`, async t => {
    const app = await startTestApp(t);
    const second = await secondAdmin(app);
    const credential = ending.includes('key') ? second.key : second.token;
    const id = await submit(app, { prompt: 'Why?' }, second.token);
    const subscriptions = [
      { query: 'subscription { requestFeed { id } }' },
      { query: 'subscription { metricsUpdates { computedAt } }' },
      { query: 'subscription { providerUpdates { id } }' },
    ];
    const watches = subscriptions.flatMap(subscription => [
      watchSocket(t, app, credential, subscription),
      watchEvents(t, app, credential, subscription),
    ]);
    await Promise.all(watches.map(({ open }) => open));

    await end(app, second);

    for (const { last } of watches) assert.equal(await last, 'UNAUTHENTICATED');
    const again = await app.send('query ($id: ID!) { request(id: $id) { id } }', { id }, credential);
    const expected = ending === "demotion of a key's owner" ? [] : ['UNAUTHENTICATED'];
    assert.deepEqual(codesOf(again), expected);
    assert.deepEqual(codesOf(await app.send('{ viewer { id } }')), [], 'others stay');
  });

interface Watch {
  /** Resolves when the subscription runs. */
  readonly open: Promise<unknown>;
  /** The code of the last thing heard. */
  readonly last: Promise<unknown>;
}

function watchSocket(t: TestContext, app: TestApp, token: string, payload: { query: string }): Watch {
  const opened = Promise.withResolvers<void>();
  const client = createSocketClient({
    url: `${app.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    on: { message: message => message.type === 'connection_ack' && opened.resolve() },
  });
  t.after(() => client.dispose());
  return { open: opened.promise, last: lastOf(client.iterate(payload)) };
}

function watchEvents(t: TestContext, app: TestApp, token: string, payload: { query: string }): Watch {
  const opened = Promise.withResolvers<void>();
  const client = createSseClient({
    url: `${app.url}/graphql`,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    fetchFn: async (...args: Parameters<typeof fetch>) => {
      const response = await fetch(...args);
      opened.resolve();
      return response;
    },
  });
  t.after(() => client.dispose());
  return { open: opened.promise, last: lastOf(client.iterate(payload)) };
}

async function lastOf(results: AsyncIterableIterator<Data>): Promise<unknown> {
  let last: unknown;
  try {
    for await (const { errors } of results) last = errors?.[0].extensions.code;
  } catch (closed) {
    // The socket closes behind the last word, which may come with it.
    return (closed as { code?: number }).code === 4403 ? 'UNAUTHENTICATED' : closed;
  }
  return last;
}
