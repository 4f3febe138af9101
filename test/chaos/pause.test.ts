// An instance stands still for longer than its lease, as a process does whose machine is suspended or out of memory.
// The other one takes over; the one that wakes up finds that nothing is its own any more.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresMissing } from '../support/postgres.ts';
import { redisMissing } from '../support/redis.ts';
import { readToEnd, startCluster, textOf, untilItJudges } from './cluster.ts';

const skip = (await postgresMissing()) || redisMissing();

/** Takes 20 s: not over when the instance that stood still wakes up. */
const LONG = Array.from({ length: 6 }, (_, number) => `400 x long${number}-`);
/** Its provider has ended it long before. */
const SHORT = '20 x short-';
const PROMPTS = [...LONG, SHORT];

test('an instance that stands still is replaced; when it wakes up it is refused, stops its calls and serves anew', {
  skip,
}, async t => {
  const cluster = await startCluster(t);
  await untilItJudges(cluster);
  const { upstream, instances, rows } = cluster;
  const [sleeper, other] = instances;
  const submitted = await Promise.all(
    PROMPTS.map(prompt => sleeper.client.submitRequest({ input: { prompt } })),
  );
  const ids = submitted.map(({ submitRequest }) => submitRequest.request.id);
  await Promise.all(
    ids.map(async id => {
      for await (const event of other.client.follow(id).events())
        if (event.__typename === 'TokenDelta') break;
    }),
  );
  const told = Promise.all(ids.map(id => readToEnd(other.client.follow(id))));
  const firstCalls = [...upstream.modelCalls];

  sleeper.process.kill('SIGSTOP');
  const stoppedAtMs = performance.now();
  await other.logged({ msg: 'took over the requests of instances that stopped' });
  const takenMs = performance.now() - stoppedAtMs;
  await cluster.row(`select from requests join request_bodies on id = request_id
    where prompt = '${SHORT}' and status = 'SUCCEEDED'`);
  sleeper.process.kill('SIGCONT');
  const wokenAtMs = performance.now();
  await sleeper.logged({ msg: 'this instance was declared dead by another one; it starts anew' });
  await sleeper.logged({ msg: 'a result was dropped: somebody else had ended the request' });
  const closedAtMs = await Promise.all(
    firstCalls.filter(call => call.body.messages[0].content !== SHORT).map(call => call.closed),
  );

  assert.deepEqual(
    await told,
    PROMPTS.map(prompt => ({ text: textOf(prompt), restarts: 1 })),
  );
  t.diagnostic(
    `taken over ${Math.round(takenMs)} ms after the stop; the last call of the woken one closed ` +
      `${Math.round(Math.max(...closedAtMs) - wokenAtMs)} ms after it woke up`,
  );
  assert.equal(firstCalls.length, PROMPTS.length);
  assert.equal(upstream.modelCalls.length, PROMPTS.length * 2);
  const stored = await rows<object>(
    `select prompt, requests.status, output, array(
       select outcome from attempts where attempts.request_id = requests.id order by number
     ) as outcomes
     from requests join request_bodies on id = request_bodies.request_id
     join request_results on id = request_results.request_id order by prompt collate "C"`,
  );
  assert.deepEqual(
    stored,
    PROMPTS.toSorted().map(prompt => ({
      prompt,
      status: 'SUCCEEDED',
      output: textOf(prompt),
      outcomes: ['LOST', 'SUCCEEDED'],
    })),
  );

  const again = await readToEnd(sleeper.client.stream({ prompt: '2 x again-' }));
  assert.deepEqual(again, { text: textOf('2 x again-'), restarts: 0 });
});
