// Adding the metrics of several processes up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createWorkerMetrics } from '../../src/telemetry/worker-metrics.ts';

/** What a worker with this load and these breaker changes says, as it arrives from another process. */
async function snapshotOf(running: number, openedBreakers: number) {
  const metrics = createMetrics();
  metrics.observe({ load: () => ({ running, queued: 0 }), subscriptions: () => 0, deployments: () => [] });
  for (let n = 0; n < openedBreakers; n++) metrics.breakerChanged('openai/small', 'OPEN');
  if (openedBreakers === 0) metrics.breakerChanged('openai/small', 'CLOSED');
  return JSON.parse(JSON.stringify(await metrics.snapshot()));
}

function sample(body: string, name: string): number | undefined {
  const [, value] = new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(body) ?? [];
  return value === undefined ? undefined : Number(value);
}

const OPENED = 'mcplane_breaker_transitions_total{deployment="openai/small",to="OPEN"}';

test('counts and loads are sums; the state of a breaker is the worst that any worker has', async () => {
  const metrics = createWorkerMetrics(() => 2);
  metrics.take(1, await snapshotOf(3, 2));
  metrics.take(2, await snapshotOf(4, 0));

  const { body, contentType } = await metrics.exposition();
  assert.equal(sample(body, OPENED), 2);
  assert.equal(sample(body, 'mcplane_in_flight_requests'), 7);
  assert.equal(sample(body, 'mcplane_breaker_state{deployment="openai/small"}'), 2);
  assert.equal(sample(body, 'mcplane_workers'), 2);
  assert.match(body, /^process_start_time_seconds \d/m);
  assert.equal(contentType, (await createMetrics().exposition()).contentType);
});

test('what a worker said last stands until it says more', async () => {
  const metrics = createWorkerMetrics(() => 1);
  metrics.take(1, await snapshotOf(1, 1));
  metrics.take(1, await snapshotOf(2, 5));
  assert.equal(sample((await metrics.exposition()).body, OPENED), 5);
});

test('the counters of workers that are gone stay in the sum, their loads do not', async () => {
  const metrics = createWorkerMetrics(() => 1);
  for (const worker of [1, 2, 3]) metrics.take(worker, await snapshotOf(1, 10));
  metrics.ended(1);
  metrics.ended(2);
  metrics.ended(2);

  const { body } = await metrics.exposition();
  assert.equal(sample(body, OPENED), 30);
  assert.equal(sample(body, 'mcplane_in_flight_requests'), 1);
});

test('replacements are counted from 0', async () => {
  const metrics = createWorkerMetrics(() => 1);
  assert.equal(sample((await metrics.exposition()).body, 'mcplane_worker_restarts_total'), 0);
  metrics.restarted();
  assert.equal(sample((await metrics.exposition()).body, 'mcplane_worker_restarts_total'), 1);
});
