// Who may use which root field: every one of the schema, as everybody, over every transport of a real server. The
// outcome is a table for people to read. A new root field, or another rule, is on purpose: run this file with
// UPDATE_ACCESS=1, read the difference, and commit test/fixtures/access-matrix.txt with it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';
import { ADMIN, startTestApp, type TestApp, until } from './support/app.ts';
import { SUBMIT } from './support/requests.ts';
import { type RootField, rootFields } from './support/root-fields.ts';

const EXPECTED = join(import.meta.dirname, 'fixtures/access-matrix.txt');
const CALLERS = ['anonymous', 'USER', 'SERVICE', 'ADMIN'] as const;
type Caller = (typeof CALLERS)[number];

interface Operation extends Pick<RootField, 'query' | 'variables'> {
  readonly token: string | null;
}

/** Resolves with the code of the first error, or undefined at the first answer without one. */
type Send = (operation: Operation) => Promise<string | undefined>;

test('every root field admits whom the committed table says, over every transport', async t => {
  const app = await startTestApp(t);
  const callers = await createCallers(app);
  const transports = { HTTP: overHttp(app), SSE: overSse(t, app), WebSocket: overWebSocket(t, app) };

  const sections: string[] = [];
  for (const [transport, send] of Object.entries(transports)) {
    // Subscriptions do not exist over plain HTTP.
    const fields = rootFields().filter(
      ({ operation }) => transport !== 'HTTP' || operation !== 'subscription',
    );
    const rows = [];
    for (const field of fields) rows.push([field.name, ...(await cellsOf(field, send, callers))]);
    sections.push(printed([[transport, ...CALLERS], ...rows]));
  }
  const table = sections.join('\n');

  if (process.env.UPDATE_ACCESS === '1') writeFileSync(EXPECTED, table);
  assert.equal(table, readFileSync(EXPECTED, 'utf8'));
});

async function cellsOf(field: RootField, send: Send, callers: Callers): Promise<string[]> {
  const cells: string[] = [];
  for (const caller of CALLERS) {
    const token = await callers.tokenOf(caller);
    const variables = { ...field.variables, ...callers.variablesOf(field, caller) };
    const stop = field.operation === 'subscription' ? callers.makeEvents(token) : undefined;
    const code = await send({ query: field.query, variables, token });
    await stop?.();
    if (field.name === 'Mutation.logout') callers.forget(caller);
    assert.notEqual(code, 'INTERNAL', `${field.name} as ${caller}`);
    cells.push(code === 'UNAUTHENTICATED' || code === 'FORBIDDEN' ? code : 'allowed');
  }
  return cells;
}

function printed(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([name]) => name!.length)) + 2;
  const lines = rows.map(([name, ...cells]) =>
    (name!.padEnd(width) + cells.map(cell => cell.padEnd(17)).join('')).trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

type Callers = Awaited<ReturnType<typeof createCallers>>;

/** One user of each role: people with a session, the service with its API key. */
async function createCallers({ app, send, login, adminToken }: TestApp) {
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
    /** Lets something happen for every subscription, over and over, until it is stopped. */
    makeEvents(token: string | null): () => Promise<void> {
      let stopped = false;
      const running = until(async () => {
        await send(SUBMIT, { input: { prompt: 'Why?' } }, token);
        await send(
          'mutation ($input: ResetBreakerInput!) { resetBreaker(input: $input) { provider { id } } }',
          { input: { providerId: 'simulated', reason: 'an event for the subscribers' } },
        );
        return stopped;
      }, 'the subscription was answered');
      return () => {
        stopped = true;
        return running;
      };
    },
  };
}

function overHttp({ send }: TestApp): Send {
  return async ({ query, variables, token }) => codeOf((await send(query, variables, token)).errors);
}

function overSse(t: TestContext, { url }: TestApp): Send {
  return ({ query, variables, token }) => {
    const client = createSseClient({
      url: `${url}/graphql`,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      retryAttempts: 0,
    });
    t.after(() => client.dispose());
    return firstOf(client.iterate({ query, variables }));
  };
}

function overWebSocket(t: TestContext, { url }: TestApp): Send {
  return ({ query, variables, token }) => {
    const client = createSocketClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      ...(token === null ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
      retryAttempts: 0,
    });
    t.after(() => client.dispose());
    return firstOf(client.iterate({ query, variables }));
  };
}

async function firstOf(results: AsyncIterableIterator<{ errors?: unknown }>): Promise<string | undefined> {
  try {
    const { value } = await results.next();
    return codeOf(value.errors);
  } catch (refusal) {
    // The socket of a caller without a valid credential is closed before it can ask; a stream is refused by HTTP.
    const { code, response } = refusal as { code?: number; response?: Response };
    if (code === 4403) return 'UNAUTHENTICATED';
    return codeOf(response ? ((await response.json()) as { errors: unknown }).errors : refusal);
  } finally {
    await results.return?.();
  }
}

function codeOf(errors: unknown): string | undefined {
  if (errors === undefined) return undefined;
  assert.ok(Array.isArray(errors), String(errors));
  return errors[0].extensions.code;
}
