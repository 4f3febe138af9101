// What a race between two deployments teaches about them, what their load does to it, and who may have one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCapacity } from '../../src/gateway/capacity.ts';
import { createHealth } from '../../src/gateway/health.ts';
import { createHedging } from '../../src/gateway/hedging.ts';
import { createRetryBudget } from '../../src/gateway/retry-budget.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { createTestClock } from '../support/clock.ts';
import { finished, pass, token } from './attempt-setup.ts';
import { attemptsOf, deploymentOf, journey } from './failover-setup.ts';
import { AFTER_MS, answering, freely, gated, silent } from './hedging-setup.ts';

test('who loses is known to be at least so slow, and is given no more time for it the next time', async () => {
  const clock = createTestClock();
  const health = createHealth({ clock });
  const lose = async () => {
    const second = gated(token('second'), finished());
    const race = journey([[silent], [second.stream]], { ...freely(), clock, health });
    await pass(clock, AFTER_MS);
    assert.deepEqual(race.calls, ['p1/m', 'p2/m']);
    await pass(clock, 300);
    second.open();
    assert.equal((await race.arrival).status, 'SUCCEEDED');
    return health.read('p1/m').timeToFirstTokenMs;
  };

  assert.equal(await lose(), AFTER_MS + 300);
  assert.equal(await lose(), AFTER_MS + 300);
  assert.equal(health.read('p2/m').timeToFirstTokenMs, 300);
  assert.equal(health.read('p1/m').successRate, 1, 'losing is no failure');
  health.recordAtLeast('p1/m', 100);
  assert.equal(health.read('p1/m').timeToFirstTokenMs, AFTER_MS + 300, 'that is nothing new');
});

test('a second one that had no time to answer does not look quick, and not slow when it is known to be quick', async () => {
  const clock = createTestClock();
  const health = createHealth({ clock });
  const loseAfter = async (ms: number) => {
    const first = gated(token('first'), finished());
    const race = journey([[first.stream], [silent]], { ...freely(), clock, health });
    await pass(clock, AFTER_MS, 100);
    await pass(clock, ms);
    first.open();
    assert.deepEqual(attemptsOf(await race.arrival), ['p1/m SUCCEEDED', 'p2/m CANCELLED']);
    return health.read('p2/m').timeToFirstTokenMs;
  };

  assert.equal(await loseAfter(20), undefined);
  health.record('p2/m', { timeToFirstTokenMs: 40, msPerOutputToken: 10 });
  // Nothing is known of the first any more, so that it has the usual patience again.
  health.forget('p1/m');
  assert.equal(await loseAfter(20), 40);
  health.forget('p1/m');
  assert.equal(await loseAfter(90), 90);
});

test('when the second candidate is full there is no hedge, and it may be waited for later', async () => {
  const clock = createTestClock();
  const health = createHealth({ clock });
  const capacity = createCapacity({ health, clock });
  const full = { ...deploymentOf('p2/m'), maxConcurrency: 1 };
  const taken = capacity.tryAcquire(full)!;
  const first = gated(new ProviderError('certificate', 'not trusted'));
  const race = journey([[first.stream], [answering('second')]], {
    ...freely(),
    clock,
    health,
    capacity,
    limits: { 'p2/m': 1 },
  });
  await pass(clock, AFTER_MS * 3, AFTER_MS);
  assert.deepEqual(race.calls, ['p1/m']);
  assert.deepEqual(capacity.load('p2/m'), { inFlight: 1, waiting: 0 });

  first.open();
  await pass(clock, 100);
  assert.deepEqual(capacity.load('p2/m'), { inFlight: 1, waiting: 1 });
  taken.release();
  assert.deepEqual(attemptsOf(await race.arrival), ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']);
});

test('a second candidate that is not asked after all gives back what it had, and is asked when its turn comes', async () => {
  const first = gated(new ProviderError('certificate', 'not trusted'));
  const hedging = { afterMs: AFTER_MS, share: { deposit() {}, take: () => false } };
  const race = journey([[first.stream], [answering('second')]], { hedging, limits: { 'p2/m': 1 } });
  await pass(race.clock, AFTER_MS);
  assert.deepEqual(race.deps.capacity.load('p2/m'), { inFlight: 0, waiting: 0 });
  assert.ok(race.deps.breakers.forget('p2/m'), 'no call of it is under way');

  first.open();
  assert.deepEqual(attemptsOf(await race.arrival), ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']);
});

test('a request that may make one attempt makes one', async () => {
  const retryLimits = { maxAttempts: 1, maxRetryAfterMs: 0 };
  const race = journey([[silent], [answering('second')]], { ...freely(), retryLimits });
  await pass(race.clock, AFTER_MS * 2, AFTER_MS);
  assert.deepEqual(race.calls, ['p1/m']);
  race.caller.abort('cancelled');
  await race.arrival;
});

test('a hedge counts as somebody asked: who comes after it is no first failover', async () => {
  const clock = createTestClock();
  const decisions: string[] = [];
  const onDecision = (kind: string) => decisions.push(kind);
  const retryBudget = createRetryBudget({ clock, percent: 100, minPerSecond: 1, onDecision });
  const first = gated(new ProviderError('certificate', 'not trusted'));
  const second = gated(new ProviderError('certificate', 'not trusted'));
  const streams = [[first.stream], [second.stream], [answering('third')]];
  const race = journey(streams, { ...freely(), clock, retryBudget });
  await pass(clock, AFTER_MS);
  first.open();
  second.open();
  assert.equal((await race.arrival).status, 'SUCCEEDED');
  assert.deepEqual(decisions, ['hedge', 'further-failover']);
});

test('on a quiet server one request of the window may be hedged, and without a share none', () => {
  const clock = createTestClock();
  const { share } = createHedging(clock, { afterMs: AFTER_MS, maxPercent: 1 })!;
  share.deposit();
  assert.deepEqual([share.take(), share.take()], [true, false]);
  assert.equal(createHedging(clock, { afterMs: AFTER_MS, maxPercent: 0 }), undefined);
  assert.equal(createHedging(clock, { afterMs: 0, maxPercent: 1 }), undefined);
});
