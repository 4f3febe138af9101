// What a subscriber gets, until the credential ends that it began with: by itself, then over SSE and WebSocket.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createMembers, type Members } from '../../src/control/members.ts';
import type { Actor } from '../../src/domain/access.ts';
import { createResults } from '../../src/http/results.ts';
import { cancellable } from '../../src/lib/abort.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createAuthSchema } from '../support/auth-schema.ts';
import { startMembers } from '../support/members.ts';
import { startTestServer } from './test-server.ts';

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

const resultsOf = (
  source: AsyncIterable<string>,
  actor: Actor,
  members: Pick<Members, 'onCredentialEnd'>,
  onEnd?: () => void,
) =>
  createResults({
    source,
    actor,
    members,
    onEnd,
    toResult: value => ({ data: { value } }),
    toError: error => new Error(`shown: ${error}`),
  });

const result = (value: string) => ({ done: false, value: { data: { value } } });

const codeOf = (value: unknown) =>
  (value as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code;

test('values pass until the credential ends; then one refusal, then the end, and the source is left', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const source = createSource();
  const guarded = resultsOf(source.iterator, actor, members);

  source.feed('one');
  assert.deepEqual(await guarded.next(), result('one'));
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
  const guarded = resultsOf(source.iterator, actor, members);

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
  let isWatched = true;
  const watcher = {
    onCredentialEnd(of: Actor, listener: () => void) {
      const stop = members.onCredentialEnd(of, listener);
      return () => {
        isWatched = false;
        stop();
      };
    },
  };
  let ends = 0;
  const guarded = resultsOf(source.iterator, actor, watcher, () => {
    ends += 1;
  });
  const pending = guarded.next();

  assert.deepEqual(await guarded.return?.(), { done: true, value: undefined });

  assert.deepEqual(await pending, { done: true, value: undefined });
  await source.left;
  assert.deepEqual([isWatched, ends], [false, 1]);
});

test('a source that ends or fails does so for the subscriber', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  async function* failing() {
    yield 'one';
    throw new Error('broken');
  }

  const guarded = resultsOf(failing(), actor, members);

  assert.deepEqual(await guarded.next(), result('one'));
  await assert.rejects(guarded.next(), /shown: Error: broken/);
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
  const guarded = resultsOf(source.iterator, keyActor, onRealClock);

  await settled();
  source.feed('one');
  assert.deepEqual(await guarded.next(), result('one'));
  await guarded.return?.();
});

/** A server with one endless subscription, for the given actor, over both transports. */
async function startServer(t: TestContext, actor: Actor, members: Members) {
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
  const authenticated = async () => ({ kind: 'actor' as const, actor });
  const server = await startTestServer({
    schema,
    members,
    authenticator: { authenticate: authenticated, authenticateSocket: authenticated },
  });
  t.after(() => server.close());
  return { source, ...server };
}

test('over SSE the stream ends with one UNAUTHENTICATED result', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const { source, graphql } = await startServer(t, actor, members);
  const response = await fetch(`${graphql}?query=subscription{ticks}`, {
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
  const { source, socketUrl } = await startServer(t, actor, members);
  const client = createClient({ url: socketUrl, webSocketImpl: WebSocket, lazy: true });
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
