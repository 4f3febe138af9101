// SIGTERM with another instance beside: what runs is given back and finished there, without waiting for a lease.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { redisMissing, sharedRedisUrl } from '../support/redis.ts';
import { stall, text } from '../support/upstream.ts';
import { answerTo, createWorld, followToEnd, stored, submitSurely } from './world.ts';

const RUNNING = ['first', 'second', 'third'];

for (const [title, needsRedis] of [
  ['without Redis', false],
  ['with Redis', true],
] as const)
  test(`${title}: what a stopping instance runs is finished by the other, and subscribers resume there`, {
    skip: (await postgresMissing()) || (needsRedis && redisMissing()),
    timeout: 60_000,
  }, async t => {
    const world = await createWorld(t, {
      env: {
        DATABASE_URL: await postgresTestUrl(t),
        MCPLANE_SHUTDOWN_GRACE_MS: '100',
        MCPLANE_MAX_RUNNING_REQUESTS: String(RUNNING.length),
        ...(needsRedis && { REDIS_URL: await sharedRedisUrl() }),
      },
    });
    const [leaving, staying] = [await world.start(), await world.start()];
    world.balancer.pointTo([leaving, staying]);
    const client = world.client();
    const followed = RUNNING.map(async prompt => {
      world.script(prompt, [text('half an answer'), stall()]);
      const seen = Promise.withResolvers<void>();
      const id = await submitSurely(client, { prompt, idempotencyKey: prompt });
      const end = followToEnd(client, id, event => event.__typename === 'TokenDelta' && seen.resolve());
      await seen.promise;
      return { prompt, id, end };
    });
    const running = await Promise.all(followed);
    const stoppedMs = performance.now();
    leaving.process.kill('SIGTERM');

    for (const { prompt, id, end } of running) {
      const { text: answer, restarts } = await end;
      assert.deepEqual({ answer, restarts }, { answer: answerTo(prompt), restarts: 1 });
      // Nothing died, so nothing is LOST: the ledger has each call as it was.
      assert.deepEqual((await stored(client, id)).outcomes, ['CANCELLED', 'SUCCEEDED']);
      assert.equal(world.calls(prompt).length, 2);
    }
    t.diagnostic(`handed over and finished within ${Math.round(performance.now() - stoppedMs)} ms`);
    assert.equal(await leaving.ended, 0);
    assert.equal(staying.process.exitCode, null);
  });
