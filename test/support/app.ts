// A whole server for a test: real HTTP and WebSocket on a free port, a real store, an administrator who is logged in.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type App, type AppOptions, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { Store } from '../../src/store/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { openTestStore } from './database.ts';

export const ADMIN = { username: 'admin', password: 'correct horse battery staple' };

/** For one caller who stands for many. */
export const BOUNDLESS_CALLERS = {
  MCPLANE_RATE_LIMIT_PER_SECOND: '1000000',
  MCPLANE_RATE_LIMIT_BURST: '1000000',
  MCPLANE_USER_REQUESTS_PER_MINUTE: '0',
  MCPLANE_USER_TOKENS_PER_MINUTE: '0',
  MCPLANE_USER_CONCURRENT_REQUESTS: '0',
};

// biome-ignore lint/suspicious/noExplicitAny: answers are read by field, as a client without generated types would.
export type Data = any;

export interface Answer {
  readonly status: number;
  readonly data: Data;
  readonly errors:
    | readonly { message: string; path?: unknown[]; extensions: Record<string, unknown> }[]
    | undefined;
}

export interface TestApp {
  readonly app: App;
  readonly url: string;
  readonly store: Store;
  readonly adminToken: string;
  /** One operation over HTTP; `token: null` for an anonymous one. */
  send(query: string, variables?: object, token?: string | null): Promise<Answer>;
  /** The same, and its data: fails the test when there are errors. */
  ask(query: string, variables?: object, token?: string | null): Promise<Data>;
  /** A subscription over WebSocket; leaving the loop ends it. */
  follow(query: string, variables?: object, token?: string): AsyncIterableIterator<Data>;
  /** Creates a user and logs in. */
  login(username: string, role?: 'USER' | 'SERVICE' | 'ADMIN'): Promise<string>;
}

/** Providers come from `env` alone; with none, the simulated one answers without waiting. */
export async function startTestApp(
  t: TestContext,
  env: Record<string, string> = {},
  openStore: typeof openTestStore = openTestStore,
  surroundings: Pick<AppOptions, 'lookup'> = {},
): Promise<TestApp> {
  // node:test runs cleanups in the order of registration; here the server has to stop before its store.
  const cleanups: (() => unknown)[] = [];
  const store = await openStore({ after: cleanup => void cleanups.push(cleanup as () => unknown) });
  const { config } = loadConfig({
    PORT: '0',
    DATABASE_URL: 'memory:',
    JWT_SECRET_KEY: 'aGVsbG8gdGhpcyBpcyBmb3IgdGVzdHMgb25seSwgNDggYnl0ZXM',
    // Nothing listens there: what this machine happens to run must not join the test.
    OLLAMA_HOST: 'http://127.0.0.1:9',
    LMSTUDIO_BASE_URL: 'http://127.0.0.1:9',
    MCPLANE_SIMULATED: Object.keys(env).some(name => name.endsWith('_BASE_URL') || name === 'OLLAMA_HOST')
      ? 'off'
      : 'on',
    ...env,
  });
  const log = createLog({ level: process.env.TEST_LOG_LEVEL ?? 'silent', pretty: false });
  const app = await createApp(config, { log, store, simulatedDelayFactor: 0, ...surroundings });
  const clients: { dispose(): void | Promise<void> }[] = [];
  t.after(async () => {
    await Promise.all(clients.map(client => client.dispose()));
    await app.close(0);
    for (const cleanup of cleanups) await cleanup();
  });
  // A second server on the same store finds the administrator there.
  if (!(await app.members.hasAdmin())) await app.members.createFirstAdmin(ADMIN.username, ADMIN.password);
  const { token: adminToken } = await app.members.login(ADMIN.username, ADMIN.password, 'test');

  async function send(
    query: string,
    variables: object = {},
    token: string | null = adminToken,
  ): Promise<Answer> {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as Answer;
    return { status: response.status, data, errors };
  }

  return {
    app,
    url: app.url,
    store,
    adminToken,
    send,
    async ask(query, variables, token) {
      const { data, errors } = await send(query, variables, token);
      assert.deepEqual(errors, undefined);
      return data;
    },
    follow(query, variables = {}, token = adminToken) {
      const client = createClient({
        url: `${app.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${token}` },
        retryAttempts: 0,
      });
      clients.push(client);
      return dataOf(client.iterate({ query, variables: variables as Record<string, unknown> }));
    },
    async login(username, role = 'USER') {
      const password = `password of ${username}`;
      const admin = await app.members.authenticate(adminToken);
      await app.members.createUser(admin!, { username, role, password });
      return (await app.members.login(username, password, 'test')).token;
    },
  };
}

async function* dataOf(results: AsyncIterableIterator<Data>): AsyncIterableIterator<Data> {
  for await (const { data, errors } of results) {
    assert.deepEqual(errors, undefined);
    yield data;
  }
}

/** Awaits a condition that no event announces; fails after a generous time. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endsAt = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < endsAt, `waited in vain until ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
