// One instance alone is cut off from Postgres. It cannot know that it is alone, so it goes on: a stop would make an
// outage of Postgres end every stream of the installation. The others take over after the lease, and their first words
// in Redis stop it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMcplaneError } from '../../src/sdk/client.ts';
import { postgresMissing } from '../support/postgres.ts';
import { redisMissing } from '../support/redis.ts';
import { nextCall, readToEnd, startCluster, textOf, untilItJudges } from './cluster.ts';

const skip = (await postgresMissing()) || redisMissing();

/** Takes 20 s: not over when the others take over. */
const PROMPTS = Array.from({ length: 4 }, (_, number) => `400 x long${number}-`);

test('an instance that alone is cut off from Postgres stops its calls when another one takes over', {
  skip,
}, async t => {
  const cluster = await startCluster(t);
  await untilItJudges(cluster);
  const { upstream, instances } = cluster;
  const [cutOff, other] = instances;
  const submitted = await Promise.all(
    PROMPTS.map(prompt => cutOff.client.submitRequest({ input: { prompt } })),
  );
  const ids = submitted.map(({ submitRequest }) => submitRequest.request.id);
  const told = instances.map(({ client }) => Promise.all(ids.map(id => readToEnd(client.follow(id)))));
  for (const _ of PROMPTS) await nextCall(cluster);
  const firstCalls = [...upstream.modelCalls];

  cutOff.network.freeze();
  const again = { prompt: '2 x again-', idempotencyKey: 'again' };
  const refused = await cutOff.client.submitRequest({ input: again }).catch(error => error);
  assert.ok(isMcplaneError(refused) && refused.code === 'OVERLOADED' && refused.retryable, String(refused));
  assert.equal((await fetch(`${cutOff.url}/readyz`)).status, 503);
  assert.equal((await fetch(`${other.url}/readyz`)).status, 200);
  await other.logged({ msg: 'took over the requests of instances that stopped' });
  const takenAtMs = performance.now();
  const closedAtMs = await Promise.all(firstCalls.map(call => call.closed));
  t.diagnostic(`its calls closed ${Math.round(Math.max(...closedAtMs) - takenAtMs)} ms after the takeover`);
  cutOff.network.thaw();
  await cutOff.logged({ msg: 'this instance was declared dead by another one; it starts anew' });

  const whole = PROMPTS.map(prompt => ({ text: textOf(prompt), restarts: 1 }));
  assert.deepEqual(await Promise.all(told), [whole, whole]);
  // Whether it was stored was not known when it was refused: its key makes it one request either way.
  assert.equal((await readToEnd(cutOff.client.stream(again))).text, textOf(again.prompt));
  assert.equal(upstream.modelCalls.length, PROMPTS.length * 2 + 1);
});
