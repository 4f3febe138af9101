// What dies again: the heirs while they recover, and every server that touches a certain request.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { type Step, stall, text } from '../support/upstream.ts';
import { answerTo, createWorld, followToEnd, passLeases, stored, submitSurely, type World } from './world.ts';

const skip = await postgresMissing();
const TIMEOUT_MS = 120_000;

/** Kills the server when a subscriber has the beginning of an answer; resolves with what the subscriber gets in the end. */
async function killInAnswer(world: World, victim: ServerProcess) {
  world.script('interrupted', [text('half an answer'), stall()]);
  const client = world.client();
  const seen = Promise.withResolvers<void>();
  const id = await submitSurely(client, { prompt: 'interrupted', idempotencyKey: 'interrupted' });
  const followed = followToEnd(client, id, event => event.__typename === 'TokenDelta' && seen.resolve());
  await seen.promise;
  victim.process.kill('SIGKILL');
  await victim.ended;
  return {
    async assertWhole() {
      const { text: answer, restarts } = await followed;
      assert.deepEqual({ answer, restarts }, { answer: answerTo('interrupted'), restarts: 1 });
      assert.deepEqual((await stored(client, id)).outcomes, ['LOST', 'SUCCEEDED']);
      assert.equal(world.calls('interrupted').length, 2);
    },
  };
}

test('embedded: processes that die while they recover count no death and lose nothing', {
  timeout: TIMEOUT_MS,
}, async t => {
  // One more death in hand would be the last.
  const world = await createWorld(t, { env: { MCPLANE_MAX_DEATHS: '2' } });
  const victim = await world.start();
  world.balancer.pointTo([victim]);
  const { assertWhole } = await killInAnswer(world, victim);
  for (const when of ['before', 'after'] as const)
    await assert.rejects(world.start({ statement: 'recover', when }), /ended before it listened/);

  world.balancer.pointTo([await world.start()]);
  await assertWhole();
});

test('an instance that dies between declaring another dead and recovering leaves both to the third', {
  skip,
  timeout: TIMEOUT_MS,
}, async t => {
  const databaseUrl = await postgresTestUrl(t);
  const world = await createWorld(t, { env: { DATABASE_URL: databaseUrl, MCPLANE_MAX_DEATHS: '2' } });
  const victim = await world.start();
  const second = await world.start({ statement: 'recover', when: 'before' });
  world.balancer.pointTo([victim, second]);
  const { assertWhole } = await killInAnswer(world, victim);
  await passLeases(databaseUrl);
  assert.equal(await second.ended, 'SIGKILL');

  world.balancer.pointTo([await world.start()]);
  await assertWhole();
});

test('a request that kills every server that runs it ends FAILED, and what waits behind it is served', {
  timeout: TIMEOUT_MS,
}, async t => {
  const world = await createWorld(t, {
    env: { MCPLANE_MAX_DEATHS: '2', MCPLANE_MAX_RUNNING_REQUESTS: '1' },
  });
  const deaths = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const kills = deaths.map(
    ({ resolve }): Step => ({ do: 'wait', until: () => world.killNewest().then(resolve) }),
  );
  world.script('poison', ...kills.map(kill => [kill, stall()]));
  world.balancer.pointTo([await world.start()]);
  const client = world.client();
  const poison = await submitSurely(client, { prompt: 'poison', idempotencyKey: 'poison' });
  const poisoned = followToEnd(client, poison);
  const patient = submitSurely(client, { prompt: 'patient', idempotencyKey: 'patient' });
  await deaths[0]!.promise;
  // It comes up with the poison in hand, and dies of it before or after it listens.
  await world.start().catch(() => {});
  await deaths[1]!.promise;
  world.balancer.pointTo([await world.start()]);

  const { last } = await poisoned;
  assert.equal(last.__typename === 'StreamFailed' && last.error.code, 'INTERNAL');
  assert.deepEqual((await stored(client, poison)).outcomes, ['LOST', 'LOST']);
  assert.equal(world.calls('poison').length, 2);
  assert.equal(await submitSurely(client, { prompt: 'poison', idempotencyKey: 'poison' }), poison);
  assert.equal((await followToEnd(client, await patient)).text, answerTo('patient'));
});
