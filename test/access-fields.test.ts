// Who may select which field of what a root field returns: every one, as everybody and with keys for each purpose, with
// both gates as over HTTP, and with the second gate alone. A new field, or another rule, is on purpose: run this file
// with UPDATE_ACCESS=1, read the difference, and commit test/fixtures/access-fields.txt with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { App } from '../src/app.ts';
import type { Actor, ApiKeyScope, Role } from '../src/domain/access.ts';
import { newId, toGlobalId } from '../src/domain/ids.ts';
import type { WorkflowSpec } from '../src/domain/workflow.ts';
import type { Store } from '../src/store/store.ts';
import { ADMIN, BOUNDLESS_CALLERS, startTestApp } from './support/app.ts';
import { type Outcome, seedRequest, startOperations } from './support/operations.ts';
import { fieldsBelow, type RootField } from './support/root-fields.ts';
import { assertCommitted, committedTable, printedTable } from './support/tables.ts';

/** Somebody, with what is theirs. */
interface Caller {
  readonly name: string;
  /** Null: anonymous. */
  readonly token: string | null;
  readonly actor: Actor | null;
  /** A request, an account, a key and a workflow of the caller's own, by the type of the node. */
  readonly ids: Readonly<Record<string, string>>;
}

const NOBODY: Caller = { name: 'anonymous', token: null, actor: null, ids: {} };
const PURPOSES: readonly ApiKeyScope[] = ['SUBMIT', 'READ', 'MANAGE', 'METRICS'];

/** Everybody, one of each role, and keys of the administrator that are for one thing each. */
async function createCallers({ members, store }: Pick<App, 'members' | 'store'>): Promise<Caller[]> {
  const { token: adminToken } = await members.login(ADMIN.username, ADMIN.password, 'test');
  const admin = (await members.authenticate(adminToken))!;
  async function callerOf(name: string, role: Role, scopes?: ApiKeyScope[]): Promise<Caller> {
    const userId =
      role === 'ADMIN'
        ? admin.userId
        : (
            await members.createUser(admin, {
              username: name,
              role,
              ...(role === 'USER' && { password: 'long enough' }),
            })
          ).id;
    const { key, secret } = await members.createApiKey(admin, { name, userId, scopes });
    const ids = {
      ModelRequest: toGlobalId('request', await seedRequest(store, userId, { finished: {} })),
      User: toGlobalId('user', userId),
      ApiKey: toGlobalId('apiKey', key.id),
      WorkflowDefinition: toGlobalId('workflowDefinition', (await keepWorkflow(store, userId)).id),
    };
    return { name, token: secret, actor: (await members.authenticate(secret))!, ids };
  }
  const callers = [NOBODY];
  for (const role of ['USER', 'SERVICE', 'ADMIN'] as const) callers.push(await callerOf(role, role));
  for (const scope of PURPOSES) callers.push(await callerOf(scope, 'ADMIN', [scope]));
  return callers;
}

function keepWorkflow({ workflowDefinitions }: Store, userId: string) {
  const workflow = { steps: [], input: '', parameters: {}, approvePlan: false } as unknown as WorkflowSpec;
  const createdAt = new Date();
  return workflowDefinitions.create({
    id: newId(),
    userId,
    name: 'a',
    description: '',
    shared: false,
    workflow,
    createdAt,
  });
}

/** Real ids where there are some, so that what is found has to be judged. */
function variablesFor({ name, variables }: RootField, { ids }: Caller): Record<string, unknown> {
  const request = ids.ModelRequest ?? 'x';
  const [root, type] = name.split('.').slice(1);
  if (root === 'node') return { id: ids[type!] ?? ids.User ?? 'x' };
  if (root === 'request') return { id: request };
  if (root === 'tokenStream') return { requestId: request };
  if (root === 'login') return { input: ADMIN };
  if (root === 'cancelRequest') return { input: { requestId: request } };
  // As it is: the caller comes with a key, which can neither change a password nor log out.
  return { ...variables };
}

const cellOf = (code: unknown) => (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN' ? code : 'allowed');

test('every field below a root field admits whom the committed table says', async t => {
  const { app, url } = await startTestApp(t, BOUNDLESS_CALLERS);
  const callers = await createCallers(app);

  const rows = [];
  for (const field of fieldsBelow()) {
    const cells = await Promise.all(
      callers.map(async caller => cellOf(await codeOverHttp(url, field, caller))),
    );
    rows.push([field.name, ...cells]);
  }

  const header = ['', ...callers.map(({ name }) => name)];
  assertCommitted('access-fields.txt', printedTable([header, ...rows]));
});

async function codeOverHttp(url: string, field: RootField, caller: Caller): Promise<unknown> {
  const leave = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: field.operation === 'subscription' ? 'text/event-stream' : 'application/json',
      ...(caller.token && { authorization: `Bearer ${caller.token}` }),
    },
    body: JSON.stringify({ query: field.query, variables: variablesFor(field, caller) }),
    signal: leave.signal,
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    leave.abort();
    return undefined;
  }
  const { errors } = (await response.json()) as { errors?: { extensions: { code: unknown } }[] };
  const codes = errors?.map(({ extensions: { code } }) => code) ?? [];
  assert.ok(!codes.includes('INTERNAL'), `${field.name} as ${caller.name}`);
  return codes[0];
}

test('the second gate alone, and the functions behind it, refuse whom the table refuses', async t => {
  const operations = await startOperations(t);
  const callers = await createCallers(operations);
  const table = committedTable('access-fields.txt');

  for (const field of fieldsBelow())
    for (const [index, caller] of callers.entries()) {
      const cell = table.get(field.name)?.[index];
      if (cell === 'allowed') continue;
      const code = await codeWithoutFirstGate(operations, field, caller);
      assert.equal(cellOf(code), cell, `${field.name} as ${caller.name}`);
    }
});

async function codeWithoutFirstGate(
  { run, watch, ask, admin }: Awaited<ReturnType<typeof startOperations>>,
  field: RootField,
  caller: Caller,
): Promise<unknown> {
  const variables = variablesFor(field, caller);
  if (field.operation !== 'subscription')
    return (await run(caller.actor, field.query, variables)).errors[0]?.extensions.code;
  const watched = await watch(caller.actor, field.query, variables);
  if (!('next' in watched)) return watched.errors[0]?.extensions.code;
  // A rule of its own within the events refuses at the first of them.
  const first = watched.next();
  await ask(admin, RESET_BREAKER, { input: { providerId: 'simulated', reason: 'an event for subscribers' } });
  const { value } = await first;
  await watched.return(undefined);
  return (value as Outcome).errors[0]?.extensions.code;
}

const RESET_BREAKER =
  'mutation ($input: ResetBreakerInput!) { resetBreaker(input: $input) { provider { id } } }';
