// Who may use which root field: every one of the schema, as everybody, over every transport of a real server. The
// outcome is a table for people to read. A new root field, or another rule, is on purpose: run this file with
// UPDATE_ACCESS=1, read the difference, and commit test/fixtures/access-matrix.txt with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN, startTestApp, type TestApp } from './support/app.ts';
import { type RootField, rootFields } from './support/root-fields.ts';
import { assertCommitted, printedTable } from './support/tables.ts';
import { makeEvents, type Send, transportsOf } from './support/transports.ts';

const CALLERS = ['anonymous', 'USER', 'SERVICE', 'ADMIN'] as const;
type Caller = (typeof CALLERS)[number];

test('every root field admits whom the committed table says, over every transport', async t => {
  const app = await startTestApp(t);
  const callers = await createCallers(app);
  const transports = transportsOf(t, app);

  const sections: string[] = [];
  for (const [transport, send] of Object.entries(transports)) {
    // Subscriptions do not exist over plain HTTP.
    const fields = rootFields().filter(
      ({ operation }) => transport !== 'HTTP' || operation !== 'subscription',
    );
    const rows = [];
    for (const field of fields) rows.push([field.name, ...(await cellsOf(field, send, { app, callers }))]);
    sections.push(printedTable([[transport, ...CALLERS], ...rows]));
  }
  const table = sections.join('\n');

  assertCommitted('access-matrix.txt', table);
});

async function cellsOf(
  field: RootField,
  send: Send,
  { app, callers }: { app: TestApp; callers: Callers },
): Promise<string[]> {
  const cells: string[] = [];
  for (const caller of CALLERS) {
    const token = await callers.tokenOf(caller);
    const variables = { ...field.variables, ...callers.variablesOf(field, caller) };
    const stop = field.operation === 'subscription' ? makeEvents(app, token) : undefined;
    const { code } = await send({ query: field.query, variables, token });
    await stop?.();
    if (field.name === 'Mutation.logout') callers.forget(caller);
    assert.notEqual(code, 'INTERNAL', `${field.name} as ${caller}`);
    cells.push(code === 'UNAUTHENTICATED' || code === 'FORBIDDEN' ? code : 'allowed');
  }
  return cells;
}

type Callers = Awaited<ReturnType<typeof createCallers>>;

/** One user of each role: people with a session, the service with its API key. */
async function createCallers({ app, login, adminToken }: TestApp) {
  const admin = (await app.members.authenticate(adminToken))!;
  const service = await app.members.createUser(admin, { username: 'matrix.service', role: 'SERVICE' });
  const { secret } = await app.members.createApiKey(admin, { name: 'matrix', userId: service.id });
  await login('matrix.user', 'USER');
  const accounts: Partial<Record<Caller, typeof ADMIN>> = {
    USER: { username: 'matrix.user', password: 'password of matrix.user' },
    ADMIN,
  };
  const tokens = new Map<Caller, string>();

  return {
    async tokenOf(caller: Caller): Promise<string | null> {
      const account = accounts[caller];
      if (!account) return caller === 'SERVICE' ? secret : null;
      if (!tokens.has(caller)) {
        tokens.set(caller, (await app.members.login(account.username, account.password, 'test')).token);
      }
      return tokens.get(caller)!;
    },
    /** Its session has ended: log in again when it is needed. */
    forget: (caller: Caller) => void tokens.delete(caller),
    /** Where made-up arguments would be refused with a code that says nothing about the role. */
    variablesOf({ name }: RootField, caller: Caller): object {
      const { password } = accounts[caller] ?? ADMIN;
      // Too short: it stays as it is.
      const input = { currentPassword: password, newPassword: 'short' };
      return { 'Mutation.login': { input: ADMIN }, 'Mutation.changePassword': { input } }[name] ?? {};
    },
  };
}
