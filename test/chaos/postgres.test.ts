// Postgres is gone for a while, for everybody: killed, or swallowed by the network.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresMissing } from '../support/postgres.ts';
import { redisMissing } from '../support/redis.ts';
import { type Cluster, pause, startCluster, untilItJudges } from './cluster.ts';
import { assertNothingLost, type Load, longestMs, paidTwice, startCallers, startProbe } from './load.ts';

const skip = (await postgresMissing()) || redisMissing();

/** Longer than the lease: who does not beat meanwhile looks dead afterwards. */
const OUTAGE_MS = 12_000;
/** Silence, question, and the wait for a connection. */
const REFUSED_WITHIN_MS = 7_000;

async function readiness({ instances }: Cluster): Promise<number[]> {
  return Promise.all(instances.map(async ({ url }) => (await fetch(`${url}/readyz`)).status));
}

/** When all instances are ready. */
async function ready(cluster: Cluster): Promise<number> {
  while ((await readiness(cluster)).some(status => status !== 200)) await pause(50);
  return performance.now();
}

function codesOf(loads: readonly Load[]): string[] {
  return [...new Set(loads.flatMap(load => load.submissions).flatMap(({ code }) => code ?? []))];
}

test('Postgres that is killed and started again under load loses nothing and makes nobody pay twice', {
  skip,
}, async t => {
  const cluster = await startCluster(t);
  const loads = [
    startCallers(t, cluster),
    ...cluster.instances.map((one, number) => startProbe(t, one, `probe${number}`)),
  ];
  await pause(2_000);
  for (let round = 0; round < 2; round++) {
    await cluster.postgres.kill();
    await pause(1_000);
    assert.deepEqual(await readiness(cluster), [503, 503]);
    await cluster.postgres.start();
    const startedAtMs = performance.now();
    const readyAtMs = await ready(cluster);
    t.diagnostic(`ready ${Math.round(readyAtMs - startedAtMs)} ms after the start of Postgres`);
    assert.ok(readyAtMs - startedAtMs < 15_000);
    await pause(1_500);
  }
  await Promise.all(loads.map(load => load.stop()));

  t.diagnostic(
    `${loads.flatMap(({ told }) => told).length} requests; no submission took over ${longestMs(loads)} ms`,
  );
  await assertNothingLost(cluster, ...loads);
  assert.deepEqual(codesOf(loads), ['OVERLOADED']);
  assert.ok(longestMs(loads) < REFUSED_WITHIN_MS);
  assert.deepEqual(paidTwice(cluster), []);
});

test('while Postgres does not answer nothing is accepted, what runs goes on, and nobody is declared dead', {
  skip,
}, async t => {
  const cluster = await startCluster(t);
  await untilItJudges(cluster);
  const { instances, rows } = cluster;
  const loads = [
    startCallers(t, cluster, { words: 60 }),
    ...instances.map((one, n) => startProbe(t, one, `probe${n}`)),
  ];
  await pause(1_500);
  const cutAtMs = performance.now();
  for (const { network } of instances) network.freeze();
  await pause(OUTAGE_MS);
  assert.deepEqual(await readiness(cluster), [503, 503]);
  const backAtMs = performance.now();
  for (const { network } of instances) network.thaw();
  const readyAtMs = await ready(cluster);
  await pause(2_000);
  await Promise.all(loads.map(load => load.stop()));

  const accepted = loads.flatMap(load => load.submissions).filter(({ code }) => !code);
  const firstMs = Math.min(...accepted.map(({ atMs, tookMs }) => atMs + tookMs).filter(ms => ms > backAtMs));
  t.diagnostic(
    `submissions before the outage took ${longestMs(loads, 0, cutAtMs - 1_000)} ms at most, during it ` +
      `${longestMs(loads, cutAtMs, backAtMs)} ms; ready ${Math.round(readyAtMs - backAtMs)} ms after it, ` +
      `the first one accepted after ${Math.round(firstMs - backAtMs)} ms`,
  );
  await assertNothingLost(cluster, ...loads);
  assert.deepEqual(codesOf(loads), ['OVERLOADED']);
  assert.ok(longestMs(loads) < REFUSED_WITHIN_MS);
  assert.ok(readyAtMs - backAtMs < 15_000);
  assert.deepEqual(await rows('select id from instances where dead_at is not null'), []);
  assert.deepEqual(paidTwice(cluster), []);
  assert.ok(loads[0]!.told.some(({ toldAtMs }) => toldAtMs > cutAtMs + 500 && toldAtMs < backAtMs));
});
