// What becomes of a request when the database or the server around it fails at a bad moment.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf } from '../../src/domain/ids.ts';
import { startTestApp, until } from '../support/app.ts';
import { openTestStore } from '../support/database.ts';
import { losingAnswers, storeWith } from '../support/faulty-store.ts';
import { REQUEST, readStream, STREAM, SUBMIT, submit, textOf } from '../support/requests.ts';
import { gate, startUpstream, status, text, waitMs } from '../support/upstream.ts';

const CANCEL = 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { status } } }';
const never = new Promise<never>(() => {});

test('an acceptance whose answer was lost is found out, and the request runs once', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1` },
    storeWith(requests => ({ accept: losingAnswers(requests.accept, 1) })),
  );
  upstream.answerWith(() => [text('kept')]);

  const id = await submit(app, { prompt: 'Hello', idempotencyKey: 'k1' });
  assert.equal(textOf(await readStream(app, id)), 'kept');
  assert.equal(upstream.modelCalls.length, 1);
  assert.equal((await app.ask('{ requests { nodes { id } } }')).requests.nodes.length, 1);
});

test('a request whose acceptance stays unclear is refused, and what may have been stored of it ends', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1` },
    storeWith(requests => ({ accept: losingAnswers(requests.accept, 2) })),
  );

  const { errors } = await app.send(SUBMIT, { input: { prompt: 'Hello' } });
  assert.equal(errors?.[0]?.extensions.code, 'INTERNAL');
  const [{ id }] = (await app.ask('{ requests { nodes { id } } }')).requests.nodes;
  assert.equal((await readStream(app, id)).at(-1).error.code, 'INTERNAL');
  assert.equal(upstream.modelCalls.length, 0);
  assert.deepEqual(app.app.gateway.load(), { running: 0, queued: 0 });
});

test('one with a key is found by the caller who comes again, and runs once', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1` },
    storeWith(requests => ({ accept: losingAnswers(requests.accept, 2) })),
  );
  upstream.answerWith(() => [text('found')]);

  const input = { prompt: 'Hello', idempotencyKey: 'k1' };
  const { errors } = await app.send(SUBMIT, { input });
  assert.equal(errors?.[0]?.extensions.code, 'INTERNAL');
  assert.equal(textOf(await readStream(app, await submit(app, input))), 'found');
  assert.equal(upstream.modelCalls.length, 1);
  assert.equal((await app.ask('{ requests { nodes { id } } }')).requests.nodes.length, 1);
});

test('a result whose write lost its answer is a success like any other', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1` },
    storeWith(requests => ({ finish: losingAnswers(requests.finish, 1) })),
  );
  upstream.answerWith(() => [text('written')]);
  const admin = await app.app.members.authenticate(app.adminToken);
  const feed = app.app.gateway.feed(admin!, { status: ['SUCCEEDED'] });
  const announced = feed.next();

  const events = await readStream(app, await submit(app, { prompt: 'Hello' }));

  assert.deepEqual(events.at(-1).request, { status: 'SUCCEEDED', output: 'written' });
  assert.equal((await announced).value.status, 'SUCCEEDED');
});

test('a server stops although the database takes no results any more', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1` },
    storeWith(() => ({ finish: () => Promise.reject(new Error('connect ECONNREFUSED')) })),
  );
  upstream.answerWith(() => [text('unwritten')]);
  await submit(app, { prompt: 'Hello' });
  await app.app.close(0);
});

test('what a stop catches in the middle waits again, and its answer is begun again by the next who runs it', async t => {
  const upstream = await startUpstream(t);
  const store = await openTestStore(t);
  const shared = async () => ({ ...store, close: async () => {} });
  const env = { OPENAI_BASE_URL: `${upstream.url}/v1`, MCPLANE_SHUTDOWN_GRACE_MS: '0' };
  const before = await startTestApp(t, env, shared);
  upstream.enqueue([text('half '), gate(never)], [text('whole')]);
  const id = await submit(before, { prompt: 'Hello' });
  const seen = before.follow(STREAM, { id });
  for await (const { tokenStream } of seen) if (tokenStream.__typename === 'TokenDelta') break;
  await before.app.close(0);
  assert.equal((await store.requests.byIds([idOf('request', id)!]))[0]?.status, 'QUEUED');

  const after = await startTestApp(t, env, shared);
  const events = await readStream(after, id);
  assert.equal(textOf(events), 'whole');
  const { request } = await after.ask(REQUEST, { id });
  assert.deepEqual(
    request.attempts.map(({ number, outcome }: { number: number; outcome: string }) => [number, outcome]),
    [
      [1, 'CANCELLED'],
      [2, 'SUCCEEDED'],
    ],
  );
});

test('a submission that is being stored when the stop begins gets its grace time', async t => {
  const upstream = await startUpstream(t);
  const stored = Promise.withResolvers<void>();
  const storing = Promise.withResolvers<void>();
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1` },
    storeWith(requests => ({
      async accept(request) {
        const result = await requests.accept(request);
        storing.resolve();
        await stored.promise;
        return result;
      },
    })),
  );
  upstream.answerWith(() => [waitMs(50), text('in time')]);
  const admin = await app.app.members.authenticate(app.adminToken);
  const submitted = app.app.gateway.submit(admin!, { prompt: 'Hello' });
  await storing.promise;
  const drained = app.app.gateway.drain(20_000);
  stored.resolve();
  const { id } = await submitted;
  await drained;

  const [request] = await app.store.requests.byIds([id]);
  assert.equal(request?.status, 'SUCCEEDED');
});

test('the time in the queue is no overhead, also of a request that was cancelled there', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, {
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    MCPLANE_MAX_RUNNING_REQUESTS: '1',
  });
  upstream.enqueue([gate(never)]);
  await submit(app, { prompt: 'first' });
  const id = await submit(app, { prompt: 'second' });
  const queuedAt = performance.now();
  await until(() => performance.now() - queuedAt > 300, 'it had waited a while');
  await app.ask(CANCEL, { id });

  const { request } = await app.ask(REQUEST, { id });
  assert.equal(request.status, 'CANCELLED');
  assert.ok(request.overheadMs < 250, `overhead of ${request.overheadMs} ms`);
});

for (const [name, hint] of [
  ['a fraction', { 'retry-after-ms': '120000.5' }],
  ['beyond all bounds', { 'retry-after': '99999999999' }],
] as const) {
  test(`a provider's Retry-After that is ${name} reaches the client as a whole number that it can use`, async t => {
    const upstream = await startUpstream(t);
    const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
    upstream.answerWith(() => status(429, hint));

    const { error } = (await readStream(app, await submit(app, { prompt: 'Hello' }))).at(-1);
    assert.equal(error.code, 'PROVIDER_FAILED');
    assert.ok(Number.isInteger(error.retryAfterMs) && error.retryAfterMs <= 300_000, `${error.retryAfterMs}`);
  });
}

test('a cancel that comes while a request is being taken from the queue ends it before any call is over', async t => {
  const upstream = await startUpstream(t);
  const go = Promise.withResolvers<void>();
  const starting = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1`, MCPLANE_MAX_RUNNING_REQUESTS: '1' },
    storeWith(requests => ({
      async bodiesByIds(ids) {
        starting.resolve();
        await started.promise;
        return requests.bodiesByIds(ids);
      },
    })),
  );
  upstream.enqueue([gate(go.promise), text('first')], [gate(never)]);
  await submit(app, { prompt: 'first' });
  const id = await submit(app, { prompt: 'second' });
  go.resolve();
  await starting.promise;
  const cancelled = app.ask(CANCEL, { id });
  started.resolve();

  assert.equal((await cancelled).cancelRequest.request.status, 'CANCELLED');
  await until(() => app.app.gateway.load().running === 0, 'the places were given back');
});

test('cancelling again and again, from many sides, is one cancellation', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  upstream.enqueue([text('never '), gate(never)]);
  const id = await submit(app, { prompt: 'Wait' });
  for await (const { tokenStream } of app.follow(STREAM, { id }))
    if (tokenStream.__typename === 'TokenDelta') break;

  const answers = await Promise.all([1, 2, 3, 4].map(() => app.ask(CANCEL, { id })));
  assert.deepEqual(
    answers.map(answer => answer.cancelRequest.request.status),
    Array(4).fill('CANCELLED'),
  );
  const { request } = await app.ask(REQUEST, { id });
  assert.equal(request.attempts.length, 1);
  assert.deepEqual(app.app.gateway.load(), { running: 0, queued: 0 });
});
