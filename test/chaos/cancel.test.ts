// A request is cancelled on another instance than the one that runs it: the call to the provider, which costs, ends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresMissing } from '../support/postgres.ts';
import { redisMissing } from '../support/redis.ts';
import { type Cluster, nextCall, startCluster } from './cluster.ts';

const skip = (await postgresMissing()) || redisMissing();

/** Longer than any test: somebody has to end them. */
const ENDLESS = '100000 x endless-';

/** Runs so many on the first instance, cancels each on the second; how long it took until its call was closed. */
async function cancelled(cluster: Cluster, count: number): Promise<number[]> {
  const [owner, other] = cluster.instances;
  const took: number[] = [];
  for (let number = 0; number < count; number++) {
    const { submitRequest } = await owner.client.submitRequest({ input: { prompt: ENDLESS } });
    const call = await nextCall(cluster);
    const atMs = performance.now();
    const { cancelRequest } = await other.client.cancelRequest({
      input: { requestId: submitRequest.request.id },
    });
    took.push((await call.closed) - atMs);
    assert.equal(cancelRequest.request.status, 'CANCELLED');
  }
  return took.sort((a, b) => a - b);
}

test('a cancel on another instance closes the call at once with Redis, and at the next heartbeat without', {
  skip,
}, async t => {
  const cluster = await startCluster(t);
  const withRedis = await cancelled(cluster, 20);
  await cluster.redis.kill();
  const without = await cancelled(cluster, 5);

  const at = (sorted: number[], share: number) => Math.round(sorted[Math.floor(sorted.length * share)]!);
  t.diagnostic(`with Redis p50 ${at(withRedis, 0.5)} ms, p95 ${at(withRedis, 0.95)} ms`);
  t.diagnostic(`without p50 ${at(without, 0.5)} ms, the longest ${at(without, 0.99)} ms`);
  assert.ok(at(withRedis, 0.95) < 1_000);
  assert.ok(at(without, 0.99) < 4_000);
});
