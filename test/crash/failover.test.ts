// kill -9 while the second deployment answers, the first having failed: the ledger of the heirs has both calls.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/app.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { cut, stall, text } from '../support/upstream.ts';
import { answerTo, createWorld, followToEnd, passLeases, stored, submitSurely, type World } from './world.ts';

const MODELS = ['model-a', 'model-b'];
const PROMPT = 'failed over';

/** `takeOver`: the only server that ever was is dead. */
async function dieBehindFailure(world: World, takeOver: () => Promise<void>): Promise<void> {
  const victim = await world.start();
  world.balancer.pointTo([victim]);
  world.script(PROMPT, [text('half'), cut()], [text('half an answer'), stall()]);
  const client = world.client();
  const seen = Promise.withResolvers<void>();
  const id = await submitSurely(client, { prompt: PROMPT, idempotencyKey: PROMPT });
  const followed = followToEnd(
    client,
    id,
    event => event.__typename === 'TokenDelta' && event.text.includes('answer') && seen.resolve(),
  );
  await seen.promise;
  await until(async () => (await stored(client, id)).outcomes.includes('FAILED'), 'the failure is booked');
  const running = await stored(client, id);
  assert.deepEqual([running.status, running.outcomes], ['RUNNING', ['FAILED']]);
  victim.process.kill('SIGKILL');
  await victim.ended;
  await takeOver();

  const { text: answer, restarts } = await followed;
  assert.deepEqual({ answer, restarts }, { answer: answerTo(PROMPT), restarts: 1 });
  const { rows, outcomes } = await stored(client, id);
  assert.deepEqual(outcomes, ['FAILED', 'LOST', 'SUCCEEDED']);
  assert.deepEqual(
    rows.map(row => row.deploymentId),
    world.calls(PROMPT).map(call => call.deploymentId),
  );
  assert.notEqual(rows[0]?.deploymentId, rows[1]?.deploymentId);
}

test('embedded: a call that failed and the one that died behind it are in the ledger', {
  timeout: 60_000,
}, async t => {
  const world = await createWorld(t, { models: MODELS });
  await dieBehindFailure(world, async () => world.balancer.pointTo([await world.start()]));
});

test('Postgres: a call that failed and the one that died behind it are in the ledger', {
  skip: await postgresMissing(),
  timeout: 60_000,
}, async t => {
  const databaseUrl = await postgresTestUrl(t);
  const world = await createWorld(t, { models: MODELS, env: { DATABASE_URL: databaseUrl } });
  await dieBehindFailure(world, async () => {
    await passLeases(databaseUrl);
    world.balancer.pointTo([await world.start()]);
  });
});
