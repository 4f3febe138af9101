// Subscriptions end with the credential they began with: the wrapper itself, then over SSE and WebSocket.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ExecutionArgs } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocket, WebSocketServer } from 'ws';
import { createMembers } from '../../src/control/members.ts';
import type { Actor } from '../../src/domain/access.ts';
import { endWithCredential, useCredentialExpiry } from '../../src/http/expiry.ts';
import { cancellable } from '../../src/lib/abort.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createAuthSchema } from '../support/auth-schema.ts';
import { startMembers } from '../support/members.ts';

/** A source that gives what it is fed, and says when it was left. */
function createSource() {
  const waiting: (() => void)[] = [];
  const values: string[] = [];
  const left = Promise.withResolvers<void>();
  async function* read() {
    for (;;) {
      while (values.length > 0) yield values.shift()!;
      await new Promise<void>(resolve => waiting.push(resolve));
    }
  }
  return {
    iterator: cancellable(signal => {
      signal.addEventListener('abort', () => left.resolve());
      return read();
    }),
    left: left.promise,
    feed(value: string) {
      values.push(value);
      waiting.pop()?.();
    },
  };
}

const codeOf = (value: unknown) =>
  (value as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code;

test('values pass until the credential ends; then one refusal, then the end, and the source is left', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const source = createSource();
  const guarded = endWithCredential(source.iterator, actor, members);

  source.feed('one');
  assert.deepEqual(await guarded.next(), { done: false, value: 'one' });
  const pending = guarded.next();
  await members.logout(actor);

  const last = await pending;
  assert.equal(last.done, false);
  assert.equal(codeOf(last.value), 'UNAUTHENTICATED');
  await source.left;
  assert.deepEqual(await guarded.next(), { done: true, value: undefined });
});

test('a value that was not pulled in time is not given out afterwards', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const source = createSource();
  const guarded = endWithCredential(source.iterator, actor, members);

  source.feed('too late');
  await members.logout(actor);
  await source.left;

  assert.equal(codeOf((await guarded.next()).value), 'UNAUTHENTICATED');
  assert.equal((await guarded.next()).done, true);
});

test('a client that leaves is let go at once, and its credential is watched no longer', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const source = createSource();
  let watched: AbortSignal | undefined;
  const watcher = {
    credentialEnded(of: Actor, signal: AbortSignal) {
      watched = signal;
      return members.credentialEnded(of, signal);
    },
  };
  const guarded = endWithCredential(source.iterator, actor, watcher);
  const pending = guarded.next();

  assert.deepEqual(await guarded.return?.(), { done: true, value: undefined });

  assert.deepEqual(await pending, { done: true, value: undefined });
  await source.left;
  assert.equal(watched?.aborted, true);
});

test('a source that ends or fails does so for the subscriber', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  async function* failing() {
    yield 'one';
    throw new Error('broken');
  }

  const guarded = endWithCredential(failing(), actor, members);

  assert.equal((await guarded.next()).value, 'one');
  await assert.rejects(guarded.next(), /broken/);
  assert.equal((await guarded.next()).done, true);
});

test('a credential that ends in a year, on the real clock, does not end the stream now', async t => {
  const { store, credentials, members, login, settled } = await startMembers(t);
  const { actor } = await login();
  const expiresAt = new Date(Date.now() + 365 * 86_400_000);
  const { secret } = await members.createApiKey(actor, { name: 'long', expiresAt });
  const onRealClock = createMembers({ store, credentials, clock: systemClock, sessionMinutes: 60 });
  const keyActor = (await onRealClock.authenticate(secret))!;
  const source = createSource();
  const guarded = endWithCredential(source.iterator, keyActor, onRealClock);

  await settled();
  source.feed('one');
  assert.equal((await guarded.next()).value, 'one');
  await guarded.return?.();
});

/** A server with one endless subscription, for the given actor, over both transports. */
async function startServer(t: TestContext, actor: Actor, members: Parameters<typeof useCredentialExpiry>[0]) {
  const source = createSource();
  const schema = createAuthSchema('type Query { ok: String } type Subscription { ticks: String }', {
    Subscription: {
      ticks: () => {
        const { iterator } = source;
        return { [Symbol.asyncIterator]: () => iterator };
      },
    },
  });
  schema.getSubscriptionType()!.getFields().ticks!.resolve = value => value;
  const yoga = createYoga({
    schema,
    plugins: [useCredentialExpiry(members)],
    context: () => ({ actor }),
    logging: false,
  });
  const server = createServer((request, response) => void yoga(request, response));
  const sockets = new WebSocketServer({ server, path: '/graphql' });
  type Runnable = ExecutionArgs & { rootValue: ReturnType<typeof yoga.getEnveloped> };
  useServer(
    {
      execute: args => (args as Runnable).rootValue.execute(args),
      subscribe: args => (args as Runnable).rootValue.subscribe(args),
      async onSubscribe(_context, _id, { query }) {
        const enveloped = yoga.getEnveloped({ actor });
        const contextValue = await enveloped.contextFactory();
        return {
          schema: enveloped.schema,
          document: enveloped.parse(query),
          contextValue,
          rootValue: enveloped,
        };
      },
    },
    sockets,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.closeAllConnections();
    server.close();
  });
  return { source, address: `127.0.0.1:${(server.address() as AddressInfo).port}/graphql` };
}

test('over SSE the stream ends with one UNAUTHENTICATED result', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const { source, address } = await startServer(t, actor, members);
  const response = await fetch(`http://${address}?query=subscription{ticks}`, {
    headers: { accept: 'text/event-stream' },
  });

  let text = '';
  source.feed('one');
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (chunk.includes('"ticks":"one"')) await members.logout(actor);
  }

  const results = text.split('\n').filter(line => line.startsWith('data: {'));
  assert.equal(results.length, 2);
  assert.match(results[0]!, /"ticks":"one"/);
  assert.match(results[1]!, /"code":"UNAUTHENTICATED"/);
  assert.match(results[1]!, /"data":null/);
  await source.left;
});

test('over WebSocket the subscription ends with one UNAUTHENTICATED result', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const { source, address } = await startServer(t, actor, members);
  const client = createClient({ url: `ws://${address}`, webSocketImpl: WebSocket, lazy: true });
  t.after(() => client.dispose());

  const results: unknown[] = [];
  source.feed('one');
  for await (const result of client.iterate({ query: 'subscription { ticks }' })) {
    results.push(result);
    if (results.length === 1) await members.logout(actor);
  }

  assert.deepEqual(results[0], { data: { ticks: 'one' } });
  assert.equal(results.length, 2);
  assert.equal(codeOf(results[1]), 'UNAUTHENTICATED');
  await source.left;
});
