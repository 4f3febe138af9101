// kill -9 at every step, with two instances on one Postgres and one Redis: the other instance is the heir.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { redisMissing, startRedis } from '../support/redis.ts';
import { dieAt, LANES, occupy, pointOf, type Step } from './steps.ts';
import { createWorld, passLeases } from './world.ts';

const skip = (await postgresMissing()) || redisMissing();

const TIMEOUT_MS = 240_000;

/** One heir outlives them all. */
async function dieOneByOne(t: TestContext, steps: readonly Step[]): Promise<void> {
  const databaseUrl = await postgresTestUrl(t);
  const world = await createWorld(t, {
    env: {
      DATABASE_URL: databaseUrl,
      // Its own: word of what waits elsewhere would send requests through the queue that are to run at once.
      REDIS_URL: (await startRedis(t)).url,
      MCPLANE_MAX_RUNNING_REQUESTS: '1',
    },
  });
  const heir = await world.start();
  for (const step of steps) {
    let passed = false;
    await t.test(`killed ${step.title}`, async () => {
      // The heir is busy before there is another one, so that each request is where it is meant to be.
      const dead = Promise.withResolvers<void>();
      await occupy(world, heir, { prompt: `beside: ${step.title}`, until: dead.promise });
      const victim = await world.start(pointOf(step));
      world.balancer.pointTo([victim, heir]);
      await dieAt(step, world, victim, async () => {
        dead.resolve();
        await passLeases(databaseUrl);
      });
      passed = true;
    });
    assert.ok(passed);
  }
}

test('kill -9 of one of two instances loses nothing and doubles nothing', {
  skip,
  timeout: TIMEOUT_MS,
  concurrency: true,
}, async t => {
  await Promise.all(
    LANES.map((steps, lane) =>
      t.test(`installation ${lane + 1}`, { timeout: TIMEOUT_MS }, lane => dieOneByOne(lane, steps)),
    ),
  );
});
