// kill -9 at every step, on the embedded database: the next process on the data directory is the heir.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { someOf } from './random.ts';
import { dieAt, pointOf, STEPS, type Step } from './steps.ts';
import { createWorld } from './world.ts';

test('kill -9 on the embedded database loses nothing and doubles nothing', { timeout: 240_000 }, async t => {
  const world = await createWorld(t, { env: { MCPLANE_MAX_RUNNING_REQUESTS: '1' } });
  const start = async (step: Step | undefined) => {
    const server = await world.start(step && pointOf(step));
    world.balancer.pointTo([server]);
    return server;
  };
  // Each heir is the next one to die.
  const steps = someOf(STEPS);
  let server = await start(steps[0]);
  for (const [index, step] of steps.entries()) {
    let passed = false;
    await t.test(`killed ${step.title}`, async () => {
      await dieAt(step, world, server, async () => {
        server = await start(steps[index + 1]);
      });
      passed = true;
    });
    // The next one begins where this one ends.
    assert.ok(passed);
  }
});
