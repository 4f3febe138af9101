import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMoments, tellOverhead } from '../../src/gateway/moments.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import type { Stage } from '../../src/telemetry/overhead.ts';

function told(moments: ReturnType<typeof createMoments>, hasWaited = false): Partial<Record<Stage, number>> {
  const stages: Partial<Record<Stage, number>> = {};
  tellOverhead(moments, hasWaited, { spent: (stage, ms) => void Object.assign(stages, { [stage]: ms }) });
  return stages;
}

test('a request tells of each stage that it went through', () => {
  const moments = Object.assign(createMoments(10, 13), {
    calledAtMs: 14,
    tokenAtMs: 50,
    appendedAtMs: 50.5,
    endedAtMs: 90,
    storedAtMs: 94,
  });
  assert.deepEqual(told(moments), { accept: 3, dispatch: 1, first_token: 0.5, finish: 4 });
});

test('waiting is no work of ours: in the queue, or for room at a deployment', () => {
  const waited = Object.assign(createMoments(10, 13), { calledAtMs: 900 });
  assert.deepEqual(told(waited, true), { accept: 3 });
  const queued = Object.assign(createMoments(10), { calledAtMs: 14, endedAtMs: 20, storedAtMs: 21 });
  assert.deepEqual(told(queued), { finish: 1 });
});

test('the stages are a histogram on /metrics', async () => {
  const metrics = createMetrics();
  metrics.overhead.spent('accept', 2);
  const { body } = await metrics.exposition();
  assert.match(body, /^mcplane_overhead_seconds_bucket\{le="0.0016",stage="accept"\} 0$/m);
  assert.match(body, /^mcplane_overhead_seconds_bucket\{le="0.0025",stage="accept"\} 1$/m);
});
