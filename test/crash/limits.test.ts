// kill -9 of an instance that holds places of its callers: the places come back, whoever has the requests afterwards.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMcplaneError } from '../../src/sdk/client.ts';
import { until } from '../support/app.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { redisMissing, startRedis } from '../support/redis.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { gate, text } from '../support/upstream.ts';
import { createWorld } from './world.ts';

const skip = (await postgresMissing()) || redisMissing();

/** `accepted`, or the code of the refusal. */
const submit = ({ client }: ServerProcess, prompt: string): Promise<string> =>
  client.submitRequest({ input: { prompt } }).then(
    () => 'accepted',
    error => (isMcplaneError(error) ? error.code : assert.fail(error)),
  );

async function placesLeft({ client }: ServerProcess): Promise<number> {
  const { rateLimits } = (await client.rateLimits()).viewer;
  return rateLimits.find(({ kind }) => kind === 'CONCURRENT_REQUESTS')!.remaining!;
}

test('places of an instance that is killed come back, and count once more where its requests go on', {
  skip,
  timeout: 120_000,
}, async t => {
  const go = Promise.withResolvers<void>();
  const world = await createWorld(t, {
    env: {
      DATABASE_URL: await postgresTestUrl(t),
      REDIS_URL: (await startRedis(t)).url,
      MCPLANE_USER_CONCURRENT_REQUESTS: '3',
      MCPLANE_REQUEST_LEASE_MS: '1000',
    },
    answer: () => [text('a'), gate(go.promise)],
  });
  const [victim, heir] = [await world.start(), await world.start()];
  for (const prompt of ['one', 'two', 'three']) assert.equal(await submit(victim, prompt), 'accepted');
  // Longer than a lease: who lives renews it.
  await new Promise(resolve => setTimeout(resolve, 2_000));
  assert.equal(await submit(heir, 'one too many'), 'RATE_LIMITED');

  victim.process.kill('SIGKILL');
  await victim.ended;

  // Before the heir has found out that it is dead: its leases have run out.
  await until(async () => (await submit(heir, 'in its place')) === 'accepted', 'a place came back');
  await until(async () => (await placesLeft(heir)) === 0, 'the heir runs what the dead one ran');
  assert.equal(await submit(heir, 'again one too many'), 'RATE_LIMITED');
  go.resolve();
  await until(async () => (await placesLeft(heir)) === 3, 'all have ended');
});
