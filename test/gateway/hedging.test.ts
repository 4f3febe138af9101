// A second candidate asked beside the first one: who wins, what becomes of the loser, and who gets none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHealth } from '../../src/gateway/health.ts';
import { createRetryBudget, createTrafficShare } from '../../src/gateway/retry-budget.ts';
import { ProviderError, type ProviderFault } from '../../src/providers/provider-error.ts';
import { createTestClock } from '../support/clock.ts';
import { finish, gate, text } from '../support/upstream.ts';
import { finished, pass, progress, silence, started, streamOf, token } from './attempt-setup.ts';
import { ask, startChain } from './chain-setup.ts';
import { arrived, attemptsOf, type Journeying, journey } from './failover-setup.ts';
import { AFTER_MS, answering, freely, gated, silent } from './hedging-setup.ts';

const failing = (fault: ProviderFault) => streamOf(new ProviderError(fault, fault));
const textOf = ({ events }: Journeying) =>
  events.map(event => (event.type === 'token' ? event.text : '')).join('');

test('a second candidate answers for the first one that keeps the caller waiting, and both are in the ledger', async () => {
  const race = journey([[silent], [answering('second')]], freely());
  const { status, attempts, overlapMs } = await arrived(race);

  assert.equal(status, 'SUCCEEDED');
  assert.equal(textOf(race), 'second');
  assert.deepEqual(
    attempts.map(({ number, deploymentId, outcome }) => [number, deploymentId, outcome]),
    [
      [1, 'p1/m', 'CANCELLED'],
      [2, 'p2/m', 'SUCCEEDED'],
    ],
  );
  assert.deepEqual(
    race.events.flatMap(event => (event.type === 'attempt-started' ? [event.attempt] : [])),
    [1, 2],
  );
  assert.deepEqual(
    [attempts[0]?.usage?.estimated, attempts[0]?.usage?.inputTokens, attempts[0]?.usage?.outputTokens],
    [true, 10, 0],
    'the loser was sent, and may be billed',
  );
  assert.equal(race.deps.breakers.snapshot('p1/m').calls, 0, 'losing is no failure');
  assert.ok(overlapMs >= 0);
});

test('a first candidate that answers in time gets no company', async () => {
  const race = journey([[answering('first')], [answering('second')]], freely());
  assert.deepEqual(attemptsOf(await arrived(race)), ['p1/m SUCCEEDED']);
  assert.deepEqual(race.calls, ['p1/m']);
});

test('a first candidate that answers after all wins, and the second says nothing more', async () => {
  const first = gated(token('first'), finished());
  const second = gated(token('second'), finished());
  const race = journey([[first.stream], [second.stream]], freely());
  await pass(race.clock, AFTER_MS);
  assert.deepEqual(race.calls, ['p1/m', 'p2/m']);
  first.open();
  second.open();

  assert.deepEqual(attemptsOf(await arrived(race)), ['p1/m SUCCEEDED', 'p2/m CANCELLED']);
  assert.equal(textOf(race), 'first');
});

test('a model that is seen thinking gets no company', async () => {
  const thought = Promise.withResolvers<void>();
  const thinking = streamOf(started, progress, thought.promise, token('thought'), finished());
  const race = journey([[thinking], [answering('second')]], freely());
  await pass(race.clock, AFTER_MS * 2, AFTER_MS);
  assert.deepEqual(race.calls, ['p1/m']);
  thought.resolve();
  assert.deepEqual(attemptsOf(await arrived(race)), ['p1/m SUCCEEDED']);
});

test('when the second one fails, the first goes on as if nothing had been', async () => {
  const first = gated(token('first'), finished());
  const race = journey([[first.stream], [failing('bad-request')]], freely());
  await pass(race.clock, AFTER_MS * 2);
  first.open();
  assert.deepEqual(attemptsOf(await arrived(race)), ['p1/m SUCCEEDED', 'p2/m PROVIDER_FAILED']);
  assert.equal(textOf(race), 'first');
});

test('when the first one fails, the second goes on, and the failure counts', async () => {
  const first = gated(new ProviderError('server', 'broken'));
  const second = gated(token('second'), finished());
  const race = journey([[first.stream], [second.stream]], freely());
  await pass(race.clock, AFTER_MS);
  first.open();
  await pass(race.clock, AFTER_MS * 2);
  second.open();
  assert.deepEqual(attemptsOf(await arrived(race)), ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']);
  assert.equal(race.deps.breakers.snapshot('p1/m').failures, 1);
});

test("the first one's final refusal ends the request, and the second with it", async () => {
  const first = gated(new ProviderError('content-policy', 'refused'));
  const race = journey([[first.stream], [silent]], freely());
  await pass(race.clock, AFTER_MS);
  first.open();
  const arrival = await arrived(race);
  assert.deepEqual([arrival.status, arrival.error?.code], ['FAILED', 'CONTENT_REFUSED']);
  assert.deepEqual(attemptsOf(arrival), ['p1/m CONTENT_REFUSED', 'p2/m CANCELLED']);
});

test('when both fail, the request goes on to the third', async () => {
  const first = gated(new ProviderError('certificate', 'not trusted'));
  const race = journey([[first.stream], [failing('certificate')], [answering('third')]], freely());
  await pass(race.clock, AFTER_MS);
  first.open();
  assert.deepEqual(attemptsOf(await arrived(race)), [
    'p1/m PROVIDER_FAILED',
    'p2/m PROVIDER_FAILED',
    'p3/m SUCCEEDED',
  ]);
});

test('when both fail, the one that may be asked again is, and not the one that forbids it', async () => {
  const first = gated(new ProviderError('server', 'broken', { shouldRetry: false }));
  const race = journey([[first.stream], [failing('server'), answering('second')], [silent]], freely());
  await pass(race.clock, AFTER_MS);
  first.open();
  assert.deepEqual(attemptsOf(await arrived(race)), [
    'p1/m PROVIDER_FAILED',
    'p2/m PROVIDER_FAILED',
    'p2/m SUCCEEDED',
  ]);
});

test('a winner that breaks off is continued elsewhere, without a second race', async () => {
  const breaking = streamOf(token('se'), new ProviderError('truncated', 'cut'));
  const race = journey([[silent], [breaking], [answering('second')]], freely());
  assert.deepEqual(attemptsOf(await arrived(race)), [
    'p1/m CANCELLED',
    'p2/m STREAM_TRUNCATED',
    'p3/m SUCCEEDED',
  ]);
  assert.equal(textOf(race), 'second');
});

test('the caller who leaves cancels both', async () => {
  const race = journey([[silent], [silent]], freely());
  await pass(race.clock, AFTER_MS);
  assert.deepEqual(race.calls, ['p1/m', 'p2/m']);
  race.caller.abort('cancelled');
  const arrival = await race.arrival;
  assert.equal(arrival.status, 'CANCELLED');
  assert.deepEqual(attemptsOf(arrival), ['p1/m CANCELLED', 'p2/m CANCELLED']);
});

test('a deployment that is known to be slow is given its usual time', async () => {
  const clock = createTestClock();
  const health = createHealth({ clock });
  health.record('p1/m', { timeToFirstTokenMs: 4_000, msPerOutputToken: 10 });
  const race = journey([[silent], [answering('second')]], { ...freely(), clock, health });
  await pass(clock, 3_900, 100);
  assert.deepEqual(race.calls, ['p1/m']);
  await pass(clock, 100);
  assert.deepEqual(race.calls, ['p1/m', 'p2/m']);
  await arrived(race);
});

test('nobody is hedged beyond the share of the requests, without a second candidate, or without a retry budget', async () => {
  const clock = createTestClock();
  const hedging = { afterMs: AFTER_MS, share: createTrafficShare(clock, requests => requests / 2) };
  const stuck = () => [streamOf(started, silence())];
  const ask = async (streams: Parameters<typeof journey>[0], rest: object = {}) => {
    const race = journey(streams, { clock, hedging, ...rest });
    await pass(clock, AFTER_MS);
    race.caller.abort('cancelled');
    await race.arrival;
    return race.calls.length;
  };
  assert.equal(await ask([stuck(), stuck()]), 1, 'one of one is more than the half');
  assert.equal(await ask([stuck(), stuck()]), 2);
  assert.equal(await ask([stuck(), stuck()]), 1);
  assert.equal(await ask([stuck()], freely()), 1);
  const retryBudget = createRetryBudget({ clock, percent: 0, minPerSecond: 0 });
  assert.equal(await ask([stuck(), stuck()], { ...freely(), retryBudget }), 1);
});

test('over real sockets: the loser is hung up on at once, and the request says who served it', async t => {
  const env = { MCPLANE_HEDGE_MAX_PERCENT: '100' };
  const file = { routing: { hedging: { afterMs: 50 } } };
  const chain = await startChain(t, 2, { env, file });
  const [first, second] = chain.upstreams;
  first!.enqueue([gate(new Promise(() => {}))]);
  second!.answerWith(() => [text('from the second'), finish()]);

  const one = await ask(chain);
  assert.equal(one.request.output, 'from the second');
  assert.deepEqual(one.attempts, ['p1/m CANCELLED', 'p2/m SUCCEEDED']);
  assert.equal(one.request.provider.id, 'p2');
  await first!.modelCalls[0]!.closed;

  const go = Promise.withResolvers<void>();
  first!.enqueue([gate(go.promise), text('from the first')]);
  second!.enqueue([gate(new Promise(() => {}))]);
  const ending = ask(chain);
  while (second!.modelCalls.length < 2) await second!.nextRequest();
  go.resolve();
  const two = await ending;
  assert.equal(two.request.output, 'from the first');
  assert.deepEqual(two.attempts, ['p1/m SUCCEEDED', 'p2/m CANCELLED']);
  assert.equal(two.request.provider.id, 'p1');
  assert.deepEqual(
    two.events.filter(event => event.attempt).map(event => event.attempt),
    [1, 2],
  );
  await second!.modelCalls[1]!.closed;
});

test('the simulated provider is never asked beside a real one', async () => {
  const race = journey([[silent], [answering('made up')]], { ...freely(), simulated: ['p2/m'] });
  await pass(race.clock, AFTER_MS * 2, AFTER_MS);
  assert.deepEqual(race.calls, ['p1/m']);
  race.caller.abort('cancelled');
  await race.arrival;
});
