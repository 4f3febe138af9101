import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRetryBudget, createTrafficShare } from '../../src/gateway/retry-budget.ts';
import { createTestClock } from '../support/clock.ts';
import { status, text } from '../support/upstream.ts';
import { ask, startChain } from './chain-setup.ts';

/** How many of `wanted` retries are admitted. */
function admitted(budget: ReturnType<typeof createRetryBudget>, wanted: number): number {
  return Array.from({ length: wanted }, () => budget.admits('same-deployment')).filter(Boolean).length;
}

test('retries are a share of the first attempts of the last ten seconds', () => {
  const clock = createTestClock();
  const budget = createRetryBudget({ clock, percent: 20, minPerSecond: 0 });
  for (let index = 0; index < 100; index += 1) budget.firstAttempt();
  assert.equal(admitted(budget, 50), 20);

  clock.advance(5_000);
  for (let index = 0; index < 50; index += 1) budget.firstAttempt();
  assert.equal(admitted(budget, 50), 10, 'what was taken counts as long as what it was a share of');
  clock.advance(7_000);
  assert.equal(admitted(budget, 50), 0, 'the first hundred are forgotten, and their twenty too');
  clock.advance(7_000);
  assert.equal(admitted(budget, 50), 0);
});

test('a quiet server may retry a little', () => {
  const clock = createTestClock();
  const budget = createRetryBudget({ clock, percent: 20, minPerSecond: 2 });
  assert.equal(admitted(budget, 50), 20);
  clock.advance(11_000);
  assert.equal(admitted(budget, 50), 20);
});

test('the first failover is free, also when nothing is left, and takes nothing', () => {
  const budget = createRetryBudget({ clock: createTestClock(), percent: 0, minPerSecond: 0.1 });
  for (let index = 0; index < 100; index += 1) assert.ok(budget.admits('first-failover'));
  assert.ok(budget.admits('further-failover'));
  assert.ok(!budget.admits('further-failover'));
  assert.ok(budget.admits('first-failover'));
});

test('a share of nothing is nothing', () => {
  assert.ok(!createTrafficShare(createTestClock(), requests => requests).take());
});

test('while a provider is down its calls do not multiply, every request is answered, and the metrics say so', async t => {
  const env = { MCPLANE_RETRY_BUDGET_PERCENT: '10', MCPLANE_RETRY_BUDGET_MIN_PER_SECOND: '0' };
  const chain = await startChain(t, 2, { env });
  const [first, second] = chain.upstreams;
  first!.answerWith(() => status(503));
  second!.answerWith(() => [text('from the second')]);

  // The breaker opens after five failures in a row; until then each request may make one or two calls.
  const ended = await Promise.all(Array.from({ length: 4 }, () => ask(chain)));
  assert.deepEqual(
    ended.map(({ attempts }) => attempts),
    Array(4).fill(['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']),
  );
  assert.equal(first!.modelCalls.length, 4);
  const response = await fetch(`${chain.app.url}/metrics`, {
    headers: { authorization: `Bearer ${chain.app.adminToken}` },
  });
  const lines = (await response.text()).split('\n');
  assert.ok(lines.includes('mcplane_retries_total{kind="first_failover"} 4'));
  assert.ok(lines.includes('mcplane_retries_refused_total{kind="same_deployment"} 4'));
});
