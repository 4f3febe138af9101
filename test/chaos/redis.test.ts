// Redis may lose everything and be gone for as long as it likes: requests, and who follows them where they run, do not
// notice; who follows them elsewhere gets the rest later, at the latest from the database.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresMissing } from '../support/postgres.ts';
import { redisMissing } from '../support/redis.ts';
import { pause, startCluster } from './cluster.ts';
import { assertNothingLost, longestMs, paidTwice, startCallers, startProbe } from './load.ts';

const skip = (await postgresMissing()) || redisMissing();

const OUTAGE_MS = 3_000;
/** For followers elsewhere to take up the log in Redis again. */
const CALM_MS = 1_500;

test('whatever happens to Redis costs time of followers elsewhere and nothing else', { skip }, async t => {
  const cluster = await startCluster(t);
  const { redis, instances } = cluster;
  const callers = startCallers(t, cluster);
  const probes = instances.map((one, number) => startProbe(t, one, `probe${number}`));
  const loads = [callers, ...probes];
  const longestGap = (remote: boolean, fromMs: number) =>
    Math.round(
      Math.max(
        ...callers.told
          .filter(one => one.remote === remote && one.endedAtMs > fromMs)
          .map(({ gapMs }) => gapMs),
      ),
    );
  const phases = {
    'nothing yet': async () => {},
    'is killed and started again': async () => {
      await redis.kill();
      await pause(OUTAGE_MS);
      await redis.start();
    },
    'forgets everything': async () => {
      redis.command('flushall');
    },
    'answers nothing': async () => {
      redis.pause();
      await pause(OUTAGE_MS);
      redis.resume();
    },
  };
  await pause(1_000);
  for (const [name, happen] of Object.entries(phases)) {
    const fromMs = performance.now();
    await happen();
    await pause(CALM_MS);
    const submitMs = longestMs(loads, fromMs);
    const local = longestGap(false, fromMs);
    t.diagnostic(
      `Redis ${name}: no submission over ${submitMs} ms; longest silence between two tokens where they are made ` +
        `${local} ms, elsewhere ${longestGap(true, fromMs)} ms`,
    );
    assert.ok(submitMs < 2_000, name);
    assert.ok(local < 2_000, name);
  }

  for (const { network } of instances) network.freeze();
  redis.pause();
  await pause(OUTAGE_MS);
  for (const { network } of instances) network.thaw();
  redis.resume();
  await pause(CALM_MS);
  await Promise.all(loads.map(load => load.stop()));

  const told = loads.flatMap(load => load.told);
  t.diagnostic(`${told.length} requests, Postgres gone besides: no submission over ${longestMs(loads)} ms`);
  await assertNothingLost(cluster, ...loads);
  assert.deepEqual(
    told.filter(({ restarts }) => restarts > 0),
    [],
  );
  assert.deepEqual(paidTwice(cluster), []);
});
