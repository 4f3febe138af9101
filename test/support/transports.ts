// One operation of anybody over each transport of a real server, up to its first answer.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type TestApp, until } from './app.ts';
import { SUBMIT } from './requests.ts';

export interface Sent {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly token: string | null;
}

/** Of the first error; nothing at the first answer without one. */
export interface Outcome {
  readonly code: string | undefined;
  readonly message: string | undefined;
}

export type Send = (sent: Sent) => Promise<Outcome>;

export function transportsOf(t: TestContext, app: TestApp): Record<'HTTP' | 'SSE' | 'WebSocket', Send> {
  return { HTTP: overHttp(app), SSE: overSse(t, app), WebSocket: overWebSocket(t, app) };
}

/** Lets something happen for every subscription, over and over, until it is stopped. */
export function makeEvents({ send }: TestApp, token: string | null): () => Promise<void> {
  let stopped = false;
  const running = until(async () => {
    await send(SUBMIT, { input: { prompt: 'Why?' } }, token);
    await send('mutation ($input: ResetBreakerInput!) { resetBreaker(input: $input) { provider { id } } }', {
      input: { providerId: 'simulated', reason: 'an event for the subscribers' },
    });
    return stopped;
  }, 'the subscription was answered');
  return () => {
    stopped = true;
    return running;
  };
}

function overHttp({ send }: TestApp): Send {
  return async ({ query, variables, token }) => outcomeOf((await send(query, variables, token)).errors);
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

async function firstOf(results: AsyncIterableIterator<{ errors?: unknown }>): Promise<Outcome> {
  try {
    const { value } = await results.next();
    return outcomeOf(value.errors);
  } catch (refusal) {
    // The socket of a caller without a valid credential is closed before it can ask; a stream is refused by HTTP.
    const { code, response } = refusal as { code?: number; response?: Response };
    if (code === 4403) return { code: 'UNAUTHENTICATED', message: undefined };
    return outcomeOf(response ? ((await response.json()) as { errors: unknown }).errors : refusal);
  } finally {
    await results.return?.();
  }
}

function outcomeOf(errors: unknown): Outcome {
  if (errors === undefined) return { code: undefined, message: undefined };
  assert.ok(Array.isArray(errors), String(errors));
  return { code: errors[0].extensions.code, message: errors[0].message };
}
