// Reading along when the request is not, or no longer, in the hands of the process that is asked.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import type { Store } from '../../src/store/store.ts';
import { startTestApp } from '../support/app.ts';
import { openTestStore } from '../support/database.ts';
import { storeWith } from '../support/faulty-store.ts';
import { redisMissing, startRedis } from '../support/redis.ts';
import { REQUEST, readStream, STREAM, submit, textOf } from '../support/requests.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';

const CANCEL = 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { id } } }';
const STOPPED = requestError('INTERNAL', 'The server stopped.');
const never = new Promise<never>(() => {});

/** A store that tells under which id the instance registered. */
function watchedStore() {
  const ids: string[] = [];
  const open = async (t: Parameters<typeof openTestStore>[0]): Promise<Store> => {
    const store = await openTestStore(t);
    const register: Store['instances']['register'] = (id, version) => {
      ids.push(id);
      return store.instances.register(id, version);
    };
    return { ...store, instances: { ...store.instances, register } };
  };
  return { ids, open };
}

test('an instance that was taken for dead stops, and whoever takes its requests begins their answers again', async t => {
  const upstream = await startUpstream(t);
  const { ids, open } = watchedStore();
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1`, MCPLANE_MAX_RUNNING_REQUESTS: '1' },
    open,
  );
  upstream.enqueue([text('half '), gate(never)], [text('whole')], [text('next')]);
  const running = await submit(app, { prompt: 'running' });
  const queued = await submit(app, { prompt: 'queued' });
  const streams = [readStream(app, running), readStream(app, queued)];
  for await (const { tokenStream } of app.follow(STREAM, { id: running }))
    if (tokenStream.__typename === 'TokenDelta') break;

  // What another instance does with one that it takes for dead; at once, lest this one takes the queued one in between.
  await app.store.transaction(async store => {
    await store.instances.retire(ids[0]!);
    await store.queue.recover([ids[0]!], 3, STOPPED);
  });

  const [ofRunning, ofQueued] = await Promise.all(streams);
  assert.deepEqual(
    ofRunning!.map(event => [event.__typename, event.text ?? event.attempt]),
    [
      ['AttemptStarted', 1],
      ['TokenDelta', 'half '],
      ['StreamRestarted', 2],
      ['AttemptStarted', 2],
      ['TokenDelta', 'whole'],
      ['StreamCompleted', undefined],
    ],
  );
  assert.equal(textOf(ofQueued!), 'next');
  await (await upstream.nextRequest()).closed;
  assert.equal(ids.length, 2);
  assert.deepEqual(app.app.gateway.load(), { running: 0, queued: 0 });
  const { request } = await app.ask(REQUEST, { id: running });
  assert.deepEqual(
    request.attempts.map(({ number, outcome }: { number: number; outcome: string }) => [number, outcome]),
    [
      [1, 'LOST'],
      [2, 'SUCCEEDED'],
    ],
  );
});

test('a result that comes after the request was ended by others changes nothing, and subscribers hear the truth', async t => {
  const upstream = await startUpstream(t);
  const { ids, open } = watchedStore();
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` }, open);
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('too late')]);
  const id = await submit(app, { prompt: 'Hello' });
  const stream = readStream(app, id);
  await upstream.nextRequest();
  await app.store.queue.recover([ids[0]!], 1, STOPPED);
  go.resolve();

  assert.deepEqual((await stream).at(-1).request, { status: 'FAILED', output: null });
});

test('what runs on another instance is followed and cancelled through any', async t => {
  const upstream = await startUpstream(t);
  const store = await openTestStore(t);
  const shared = async () => ({ ...store, close: async () => {} });
  const env = { OPENAI_BASE_URL: `${upstream.url}/v1` };
  const first = await startTestApp(t, env, shared);
  const second = await startTestApp(t, env, shared);
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('from '), gate(go.promise), text('afar')], [text('half '), gate(never)]);

  const id = await submit(first, { prompt: 'Hello' });
  const stream = readStream(second, id);
  go.resolve();
  assert.equal(textOf(await stream), 'from afar');

  const other = await submit(first, { prompt: 'Hello' });
  await second.ask(CANCEL, { id: other });
  assert.equal((await readStream(second, other)).at(-1).error.code, 'CANCELLED');
});

test('what has ended elsewhere is told from the store by one look at its row, without asking Redis', {
  skip: redisMissing(),
}, async t => {
  const redis = await startRedis(t);
  const upstream = await startUpstream(t);
  const reads: string[] = [];
  const database = await storeWith(({ byIds }) => ({
    byIds(ids) {
      reads.push(...ids);
      return byIds(ids);
    },
  }))(t);
  const shared = async () => ({ ...database, close: async () => {} });
  const env = { OPENAI_BASE_URL: `${upstream.url}/v1`, REDIS_URL: redis.url };
  const [first, second] = [await startTestApp(t, env, shared), await startTestApp(t, env, shared)];
  upstream.enqueue([text('from '), text('afar')]);
  const id = await submit(first, { prompt: 'Hello' });
  await readStream(first, id);
  const subscriptions = () =>
    /cmdstat_subscribe:calls=(\d+)/.exec(redis.command('info', 'commandstats'))?.[1];
  const before = subscriptions();
  assert.ok(before);
  const reader = (await second.app.members.authenticate(second.adminToken))!;
  const requestId = idOf('request', id)!;
  reads.length = 0;

  const types: string[] = [];
  for await (const { event } of await second.app.gateway.follow(reader, requestId, undefined))
    types.push(event.type === 'token' ? event.text : event.type);
  assert.deepEqual(types, ['attempt-started', 'from afar', 'completed']);
  assert.equal(subscriptions(), before);
  assert.deepEqual(reads, [requestId]);
});

test('a duplicate that is met before its original is under way streams it all the same', async t => {
  const upstream = await startUpstream(t);
  const stored = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const { app, adminToken } = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1` },
    storeWith(requests => ({
      async accept(request) {
        const result = await requests.accept(request);
        if (result.outcome === 'accepted') {
          stored.resolve();
          await answered.promise;
        }
        return result;
      },
    })),
  );
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('live '), gate(go.promise), text('text')]);
  const admin = (await app.members.authenticate(adminToken))!;
  const submission = { prompt: 'Hello', idempotencyKey: 'k1' };
  const original = app.gateway.submit(admin, submission);
  await stored.promise;
  const { id } = await app.gateway.submit(admin, submission);

  const stream = await app.gateway.follow(admin, id, undefined);
  const first = stream.next();
  answered.resolve();
  assert.equal((await first).value.event.type, 'attempt-started');
  assert.equal((await original).id, id);
  let seen = '';
  for await (const { event } of stream) {
    if (event.type === 'token') seen += event.text;
    if (seen === 'live ') go.resolve();
  }
  assert.equal(seen, 'live text');
});

test('a database that fails while the feed is told does not end the process', async t => {
  let broken = false;
  const app = await startTestApp(
    t,
    {},
    storeWith(requests => ({
      byIds: ids => (broken ? Promise.reject(new Error('connection lost')) : requests.byIds(ids)),
    })),
  );
  const admin = (await app.app.members.authenticate(app.adminToken))!;
  const feed = app.app.gateway.feed(admin, {});
  broken = true;
  await app.app.gateway.changedElsewhere(['01890000-0000-7000-8000-000000000000']);
  await feed.return?.();
});
