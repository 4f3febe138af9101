// What several instances have in common besides streams: feeds, orders of administrators, idempotency keys.

import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { type TestContext, test } from 'node:test';
import { idOf } from '../src/domain/ids.ts';
import { type Data, type TestApp, until } from './support/app.ts';
import { type Instances, startInstances } from './support/instances.ts';
import { type RedisServer, redisMissing, startRedis } from './support/redis.ts';
import { REQUEST, readStream, SUBMIT, submit, textOf } from './support/requests.ts';
import { gate, startUpstream, status, text } from './support/upstream.ts';

const never = new Promise<never>(() => {});
const PROVIDER = 'id status deployments { id drained breaker { state } }';
const ORDER = (act: string) =>
  `mutation ($input: ${act[0]!.toUpperCase()}${act.slice(1)}Input!) { ${act}(input: $input) { provider { id } } }`;

const order = (app: TestApp, act: string) =>
  app.ask(ORDER(act), { input: { providerId: 'openai', reason: 'maintenance' } });

async function openaiAt(app: TestApp): Promise<Data> {
  const { providers } = await app.ask(`{ providers { ${PROVIDER} } }`);
  const { status, deployments } = providers.find(({ id }: Data) => id === 'openai');
  return { status, drained: deployments[0].drained, breaker: deployments[0].breaker.state };
}

/** The only provider of both is one upstream. */
async function withUpstream(t: TestContext, env: Record<string, string> = {}) {
  const upstream = await startUpstream(t);
  return { upstream, ...(await startInstances(t, { OPENAI_BASE_URL: `${upstream.url}/v1`, ...env })) };
}

/** The same with signals, and with heartbeats that do not come in between. */
async function withSignals(t: TestContext) {
  const redis = await startRedis(t);
  const started = await withUpstream(t, { REDIS_URL: redis.url });
  await until(() => listeners(redis) === 2, 'both listen to signals');
  await started.second.freeze();
  return started;
}

const listeners = (redis: RedisServer) =>
  Number(redis.command('pubsub', 'numsub', 'mcplane:signals:0').trim().split('\n').at(-1));

const ways = {
  signals: { open: withSignals, skip: redisMissing() },
  heartbeats: { open: withUpstream, skip: false as const },
};
for (const [way, { open, skip }] of Object.entries(ways)) {
  test(`what is ordered on one instance is done on the other, by ${way}`, { skip }, async t => {
    const { first, second } = await open(t);
    const updates = second.app.gateway.providerUpdates();
    t.after(() => updates.return?.());
    const orders = [
      ['openBreaker', { breaker: 'OPEN', drained: false }],
      ['drainDeployment', { breaker: 'OPEN', drained: true }],
      ['resetBreaker', { breaker: 'CLOSED', drained: true }],
      ['enableDeployment', { breaker: 'CLOSED', drained: false }],
    ] as const;
    for (const [act, expected] of orders) {
      const update = updates.next();
      await order(first, act);
      const { id } = (await update).value;
      assert.equal(id, 'openai');
      const { status: _, ...present } = await openaiAt(second);
      assert.deepEqual(present, expected, act);
    }
  });

  test(`a reset reaches the instance whose breaker is open, wherever it is ordered, by ${way}`, {
    skip,
  }, async t => {
    const { upstream, first, second } = await open(t);
    upstream.enqueue(status(401, {}, { error: { message: 'no such key' } }));
    const { errors } = await second.send(SUBMIT, { input: { prompt: 'Hello' } });
    assert.equal(errors, undefined);
    await until(async () => (await openaiAt(second)).breaker === 'OPEN', 'the breaker has opened');
    assert.deepEqual(await openaiAt(first), { status: 'AVAILABLE', drained: false, breaker: 'CLOSED' });
    await order(first, 'resetBreaker');
    await until(async () => (await openaiAt(second)).breaker === 'CLOSED', 'the breaker has closed');
    assert.equal((await openaiAt(second)).status, 'AVAILABLE');
  });
}

test('a feed shows what runs on the other instance', { skip: redisMissing() }, async t => {
  const { upstream, first, second } = await withSignals(t);
  const reader = (await second.app.members.authenticate(second.adminToken))!;
  const feed = second.app.gateway.feed(reader, {});
  t.after(() => feed.return?.());
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('from '), gate(go.promise), text('afar')]);
  const id = await submit(first, { prompt: 'Hello' });
  assert.deepEqual(summary((await feed.next()).value), [idOf('request', id), 'RUNNING']);
  go.resolve();
  assert.deepEqual(summary((await feed.next()).value), [idOf('request', id), 'SUCCEEDED']);
});

const summary = ({ id, status }: Data) => [id, status];

const INSTANCES = '{ instances { id version hostname pid startedAt lastBeatAt isSelf runningRequests } }';

test('administrators see which instances live, where, and what each runs', async t => {
  const { upstream, first, second, declareDead } = await withUpstream(t);
  upstream.answerWith(() => [text('busy '), gate(never)]);
  await first.freeze();
  for (let running = 1; running <= 2; running += 1) {
    await submit(first, { prompt: 'Hello' });
    await upstream.nextRequest();
  }
  const { instances } = await second.ask(INSTANCES);
  assert.deepEqual(
    instances.map(({ id, isSelf, runningRequests, pid }: Data) => [id, isSelf, runningRequests, pid]),
    [
      [first.ids[0], false, 2, process.pid],
      [second.ids[0], true, 0, process.pid],
    ],
  );
  assert.equal(instances[0].hostname, hostname());
  assert.match(instances[0].version, /^\d/);
  const lastBeatOf = async (index: number) => (await second.ask(INSTANCES)).instances[index].lastBeatAt;
  await until(async () => (await lastBeatOf(1)) > instances[1].lastBeatAt, 'the second one has beaten');
  assert.equal(await lastBeatOf(0), instances[0].lastBeatAt);

  await declareDead(first);
  const left = await second.ask(INSTANCES);
  assert.deepEqual(
    left.instances.map(({ id }: Data) => id),
    [second.ids[0]],
  );
});

const KEY = 'b7c1';

async function submitWithKey(app: TestApp, prompt: string): Promise<Data> {
  const { data, errors } = await app.send(SUBMIT, { input: { prompt, idempotencyKey: KEY } });
  return errors ? errors[0]!.extensions.code : data.submitRequest.request.id;
}

test('a key stands for one request on all instances, while it runs and afterwards, for a day', async t => {
  const { upstream, db, first, second } = await withUpstream(t);
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('once '), gate(go.promise), text('only')], [text('anew')]);
  const id = await submitWithKey(first, 'Hello');
  await upstream.nextRequest();
  assert.equal(await submitWithKey(second, 'Hello'), id);
  assert.equal(await submitWithKey(second, 'Other'), 'IDEMPOTENCY_CONFLICT');
  const stream = readStream(second, id);
  go.resolve();
  assert.equal(textOf(await stream), 'once only');
  assert.equal(await submitWithKey(second, 'Hello'), id);
  assert.equal(upstream.modelCalls.length, 1);

  // A day later.
  await db
    .updateTable('idempotency_keys')
    .set({ expires_at: new Date(Date.now() - 1_000) })
    .execute();
  const other = await submitWithKey(second, 'Other');
  assert.match(other, /^req_/);
  assert.notEqual(other, id);
  assert.equal(textOf(await readStream(first, other)), 'anew');
  assert.equal(await submitWithKey(first, 'Hello'), 'IDEMPOTENCY_CONFLICT');
});

test('a key stands for its request across a takeover too', async t => {
  const started = await withUpstream(t);
  const { upstream, first, second } = started;
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('half '), gate(never)], [text('the '), gate(go.promise), text('whole')]);
  const id = await submitWithKey(first, 'Hello');
  await upstream.nextRequest();
  await takeOver(started);
  await upstream.nextRequest();
  for (const app of [first, second]) assert.equal(await submitWithKey(app, 'Hello'), id);
  const stream = readStream(second, id);
  go.resolve();
  assert.equal(textOf(await stream), 'the whole');
  for (const app of [first, second]) {
    assert.equal(await submitWithKey(app, 'Hello'), id);
    assert.equal(await submitWithKey(app, 'Other'), 'IDEMPOTENCY_CONFLICT');
  }
  assert.equal(upstream.modelCalls.length, 2);
  const { request } = await second.ask(REQUEST, { id });
  assert.deepEqual([request.status, request.output], ['SUCCEEDED', 'the whole']);
});

async function takeOver({ first, declareDead }: Instances): Promise<void> {
  await first.freeze();
  await declareDead(first);
}

test('a credential that is ended on one instance is refused by the other at once', {
  skip: redisMissing(),
}, async t => {
  const { first, second } = await withSignals(t);
  const token = await first.login('anna');
  const VIEWER = '{ viewer { username } }';
  // Both have looked, and would believe for two seconds what they saw.
  for (const { ask } of [first, second]) await ask(VIEWER, {}, token);
  const watching = second.follow('subscription { providerUpdates { id } }', {}, token);
  const ended = assert.rejects(async () => {
    for await (const _ of watching);
  }, 'its subscriptions end');

  const loggedOutAtMs = performance.now();
  await first.ask('mutation { logout { loggedOut } }', {}, token);
  const codeAtSecond = async () => (await second.send(VIEWER, {}, token)).errors?.[0]?.extensions.code;
  await until(async () => (await codeAtSecond()) === 'UNAUTHENTICATED', 'the other instance refuses it');

  assert.ok(performance.now() - loggedOutAtMs < 1_900, 'before it would have looked by itself');
  await ended;
});
