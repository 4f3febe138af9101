// What instances tell each other.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { createRedisSignals, type RedisSignalsOptions } from '../../src/events/redis-signals.ts';
import { createNoSignals, type Signal, type Signals } from '../../src/events/signals.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { createTestClock } from '../support/clock.ts';
import {
  connectTo,
  redisMissing,
  sharedRedisUrl,
  startRedis,
  type TestConnection,
} from '../support/redis.ts';

const skip = redisMissing();

interface Node extends TestConnection {
  readonly signals: Signals;
  readonly heard: Signal[];
  /** Resolves when so many signals were heard. */
  until(count: number): Promise<void>;
}

async function openNode(
  t: TestContext,
  url: string,
  options: Partial<RedisSignalsOptions & { clock: Clock }> = {},
): Promise<Node> {
  const connection = await connectTo(t, url);
  const signals = createRedisSignals(connection.redis, options.clock ?? systemClock, options);
  t.after(() => signals.close());
  const heard: Signal[] = [];
  let ring = () => {};
  signals.onSignal(signal => {
    heard.push(signal);
    ring();
  });
  // Commands of one connection are answered in order: behind this the subscription is acknowledged.
  await connection.redis.channels.join('mcplane:signals:0', { message() {}, resumed() {} }).ready;
  return {
    ...connection,
    signals,
    heard,
    async until(count) {
      while (heard.length < count)
        await new Promise<void>(resolve => {
          ring = resolve;
        });
    },
  };
}

const changed = (requestId: string): Signal => ({ type: 'request-changed', requestId });

test('what is joined before the connection stands is subscribed when it does, and no failure', {
  skip,
}, async t => {
  const { redis, meter } = await connectTo(t, await sharedRedisUrl(), { wait: false });
  const resumed = Promise.withResolvers<void>();
  const { ready } = redis.channels.join(`test:${newId()}`, { message() {}, resumed: resumed.resolve });
  assert.equal(await ready, false);
  await resumed.promise;
  assert.equal(meter.counts.failed, 0);
});

test('a signal reaches every other instance and not its sender', { skip }, async t => {
  const { url } = await startRedis(t);
  const [one, two, three] = [await openNode(t, url), await openNode(t, url), await openNode(t, url)];
  const sent: Signal[] = [
    { type: 'cancel-wished', requestId: 'r1' },
    { type: 'work-queued' },
    { type: 'controls-changed' },
    { type: 'credentials-changed' },
    changed('r1'),
  ];
  for (const signal of sent) one.signals.send(signal);

  await Promise.all([two.until(5), three.until(5)]);
  two.signals.send({ type: 'work-queued' });
  await one.until(1);
  assert.deepEqual(two.heard, sent);
  assert.deepEqual(three.heard.slice(0, 5), sent);
  assert.deepEqual(one.heard, [{ type: 'work-queued' }]);
});

test('a burst of changes is one message, told once per request, and does not delay a cancellation', {
  skip,
}, async t => {
  const { url } = await startRedis(t);
  const clock = createTestClock();
  const [one, two] = [await openNode(t, url, { clock }), await openNode(t, url)];
  for (let index = 0; index < 300; index += 1) one.signals.send(changed(`r${index % 3}`));
  await one.redis.ping();
  await two.redis.ping();
  assert.deepEqual(two.heard, []);

  clock.advance(50);
  await two.until(3);
  assert.deepEqual(two.heard, [changed('r0'), changed('r1'), changed('r2')]);
  one.signals.send({ type: 'cancel-wished', requestId: 'r9' });
  await two.until(4);
});

test('keeps no more than its bound, and changes crowd nothing else out', { skip }, async t => {
  const { url } = await startRedis(t);
  const clock = createTestClock();
  const [one, two] = [await openNode(t, url, { clock, maxPending: 2 }), await openNode(t, url)];
  for (let index = 0; index < 10; index += 1) one.signals.send(changed(`r${index}`));
  one.signals.send({ type: 'controls-changed' });

  await two.until(3);
  assert.deepEqual(two.heard, [{ type: 'controls-changed' }, changed('r0'), changed('r1')]);
  assert.equal(one.meter.counts.dropped, 8);
});

test('without Redis nothing waits and nothing is kept for later', { skip }, async t => {
  const server = await startRedis(t);
  const [one, two] = [await openNode(t, server.url), await openNode(t, server.url)];
  await server.kill();
  await Promise.all([one.meter.until(false), two.meter.until(false)]);
  for (let index = 0; index < 100; index += 1)
    one.signals.send({ type: 'cancel-wished', requestId: `r${index}` });
  await server.start();
  await Promise.all([one.meter.until(true), two.meter.until(true)]);

  // Back again, each looks by itself at what it may have missed.
  await Promise.all([one.until(3), two.until(3)]);
  assert.deepEqual(
    two.heard.map(({ type }) => type),
    ['work-queued', 'controls-changed', 'credentials-changed'],
  );
  assert.equal(one.meter.counts.dropped, 100);
  one.signals.send(changed('r1'));
  await two.until(4);
  assert.deepEqual(two.heard.at(-1), changed('r1'));
});

test('what is not a signal, or one that only a later version knows, is passed over', { skip }, async t => {
  const { url } = await startRedis(t);
  const [one, two] = [await openNode(t, url), await openNode(t, url)];
  two.signals.onSignal(() => {
    throw new Error('a listener that fails');
  });
  const unknown = JSON.stringify({
    from: 'x',
    signals: [{ type: 'later' }, null, { type: 'cancel-wished' }],
  });
  for (const text of ['', '{', 'null', '{"signals":1}', unknown])
    await one.redis.run('signal', [['publish', 'mcplane:signals:0', text]]);
  one.signals.send({ type: 'work-queued' });
  one.signals.send({ type: 'controls-changed' });

  await two.until(2);
  assert.deepEqual(two.heard, [{ type: 'work-queued' }, { type: 'controls-changed' }]);
  assert.equal(two.meter.lines.filter(line => line.includes('a listener of signals failed')).length, 2);
});

test('a single instance has nobody to tell', async () => {
  const signals = createNoSignals();
  signals.onSignal(() => assert.fail());
  signals.send({ type: 'work-queued' });
  await signals.close();
});
