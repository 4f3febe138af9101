// Who is asked after a failure: the same deployment once more, the next one, or nobody.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCapacity } from '../../src/gateway/capacity.ts';
import { createHealth } from '../../src/gateway/health.ts';
import { createRetryBudget } from '../../src/gateway/retry-budget.ts';
import { ProviderError, type ProviderFault } from '../../src/providers/provider-error.ts';
import { createTestClock } from '../support/clock.ts';
import { gate, status, text } from '../support/upstream.ts';
import { finished, silence, streamOf, token, turn } from './attempt-setup.ts';
import { ask, startChain } from './chain-setup.ts';
import { arrived, attemptsOf, deploymentOf, journey } from './failover-setup.ts';

const answering = streamOf(token('rescued'), finished());
const failing = (fault: ProviderFault, retryAfterMs?: number) =>
  streamOf(new ProviderError(fault, fault, { retryAfterMs }));

const DRAIN =
  'mutation { drainDeployment(input: { deploymentId: "p2/m", reason: "maintenance" }) { provider { id } } }';

test('the last deployment that can be used is asked once more, although it is not the last of the candidates', async t => {
  const chain = await startChain(t, 2);
  const [first, second] = chain.upstreams;
  const failing = Promise.withResolvers<void>();
  first!.enqueue([gate(failing.promise), { do: 'error', type: 'server_error', message: 'scripted' }]);
  first!.answerWith(() => [text('back again')]);
  const ended = ask(chain);
  await first!.nextRequest();
  await chain.app.ask(DRAIN);
  failing.resolve();

  const { request, attempts } = await ended;
  assert.equal(request.output, 'back again');
  assert.deepEqual(attempts, ['p1/m PROVIDER_FAILED', 'p1/m SUCCEEDED']);
  assert.equal(second!.modelCalls.length, 0);
});

test('a deployment whose breaker its own failure opened is not waited for', async () => {
  const refused = new ProviderError('connection', 'refused', {
    cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
  });
  const { arrival, clock } = journey([[streamOf(refused)]]);

  // The clock stands still: whoever waited would never arrive.
  assert.deepEqual(attemptsOf(await arrival), ['p1/m PROVIDER_FAILED']);
  assert.equal((await arrival).waitedMs, 0);
  assert.equal(clock.monotonic(), 0);
});

test('one 500 before the first token is tried again at the same provider, and nobody else is asked', async t => {
  const chain = await startChain(t, 2);
  const [first, second] = chain.upstreams;
  first!.enqueue(status(500));
  first!.answerWith(() => [text('my own answer')]);

  const { request, attempts, events } = await ask(chain);
  assert.equal(request.output, 'my own answer');
  assert.deepEqual(attempts, ['p1/m PROVIDER_FAILED', 'p1/m SUCCEEDED']);
  assert.equal(second!.modelCalls.length, 0);
  assert.deepEqual(
    events.filter(event => event.attempt).map(event => [event.attempt, event.deployment]),
    [
      [1, 'p1/m'],
      [2, 'p1/m'],
    ],
  );
});

test('a provider that says it is not to be asked again is believed, and so is one that says it may be', async t => {
  const chain = await startChain(t, 2);
  const [first, second] = chain.upstreams;
  second!.answerWith(() => [text('from the second')]);

  first!.enqueue(status(503, { 'x-should-retry': 'false' }));
  assert.deepEqual((await ask(chain)).attempts, ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']);
  assert.equal(first!.modelCalls.length, 1);

  first!.enqueue(status(425, { 'x-should-retry': 'true' }), [text('now')]);
  assert.deepEqual((await ask(chain)).attempts, ['p1/m PROVIDER_FAILED', 'p1/m SUCCEEDED']);
});

test('a limit that time does not lift is not waited for, although nobody else can be asked', async () => {
  const spent = new ProviderError('rate-limit', 'spent', { retryAfterMs: 1_000, shouldRetry: false });
  const { arrival, clock } = journey([[streamOf(spent), answering]]);
  // The clock stands still.
  assert.deepEqual(attemptsOf(await arrival), ['p1/m PROVIDER_FAILED']);
  assert.equal(clock.monotonic(), 0);
});

for (const [fault, attempts] of [
  ['server', ['p1/m PROVIDER_FAILED', 'p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']],
  ['connection', ['p1/m PROVIDER_FAILED', 'p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']],
  ['rate-limit', ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']],
  ['certificate', ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']],
  ['credentials', ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']],
  ['bad-response', ['p1/m BAD_RESPONSE', 'p2/m SUCCEEDED']],
  ['bad-request', ['p1/m PROVIDER_FAILED']],
] as const)
  test(`after ${fault} with somebody else to ask: ${attempts.join(', ')}`, async () => {
    const arrival = await arrived(journey([[failing(fault)], [answering]]));
    assert.deepEqual(attemptsOf(arrival), attempts);
  });

test('a silent provider is asked once', async () => {
  const arrival = await arrived(journey([[streamOf(silence())], [answering]]));
  assert.deepEqual(attemptsOf(arrival), ['p1/m TIMEOUT', 'p2/m SUCCEEDED']);
});

test('a provider that cannot be reached at all is left at once for somebody else', async () => {
  const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  const { arrival } = journey([
    [streamOf(new ProviderError('connection', 'refused', { cause }))],
    [answering],
  ]);
  // The clock stands still.
  assert.deepEqual(attemptsOf(await arrival), ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']);
});

test('an answer that broke off is continued by somebody else, not tried at the same provider first', async () => {
  const breaking = streamOf(token('res'), new ProviderError('truncated', 'cut'));
  const { arrival } = journey([[breaking], [answering]]);
  assert.deepEqual(attemptsOf(await arrival), ['p1/m STREAM_TRUNCATED', 'p2/m SUCCEEDED']);
});

test('a 503 that asks for more time than a moment is obeyed: somebody else at once, or a wait when there is nobody', async () => {
  const busy = failing('server', 5_000);
  const { arrival } = journey([[busy], [answering]]);
  assert.deepEqual(attemptsOf(await arrival), ['p1/m PROVIDER_FAILED', 'p2/m SUCCEEDED']);

  const alone = await arrived(journey([[busy, answering]]));
  assert.deepEqual(attemptsOf(alone), ['p1/m PROVIDER_FAILED', 'p1/m SUCCEEDED']);
  assert.ok(alone.waitedMs >= 5_000, `${alone.waitedMs}`);
});

test('a request makes no more attempts than it may, and does not wait after the last one', async () => {
  const limits = (maxAttempts: number) => ({ retryLimits: { maxAttempts, maxRetryAfterMs: 0 } });
  const failed = [failing('server')];
  const arrival = await arrived(journey([failed, failed, failed], limits(3)));
  assert.deepEqual(
    arrival.attempts.map(({ deploymentId }) => deploymentId),
    ['p1/m', 'p1/m', 'p2/m'],
  );
  // The clock stands still.
  assert.equal((await journey([failed], limits(1)).arrival).attempts.length, 1);
});

test('without a retry budget the first failover is made, and nothing else', async () => {
  const decisions: string[] = [];
  const clock = createTestClock();
  const retryBudget = createRetryBudget({
    clock,
    percent: 0,
    minPerSecond: 0,
    onDecision: (kind, admitted) => decisions.push(`${kind} ${admitted}`),
  });
  const failed = [failing('server')];
  const underWay = journey([failed, failed, [answering]], { clock, retryBudget });
  const arrival = await arrived(underWay);

  assert.equal(arrival.status, 'FAILED');
  assert.deepEqual(attemptsOf(arrival), ['p1/m PROVIDER_FAILED', 'p2/m PROVIDER_FAILED']);
  assert.equal(
    arrival.error?.message,
    'server It was not tried again, because too many requests are being retried at the moment.',
  );
  assert.deepEqual(decisions, [
    'same-deployment false',
    'first-failover true',
    'same-deployment false',
    'further-failover false',
  ]);
  assert.deepEqual(underWay.deps.capacity.load('p3/m'), { inFlight: 0, waiting: 0 });
  assert.ok(underWay.deps.breakers.forget('p3/m'), 'no call of it is under way');
});

test('who is left with a deployment that pauses for too long may come back later, whatever the others said', async () => {
  const clock = createTestClock();
  const health = createHealth({ clock });
  const capacity = createCapacity({ health, clock });
  const taken = capacity.tryAcquire({ ...deploymentOf('p2/m'), maxConcurrency: 1 })!;
  const given = { clock, health, capacity, limits: { 'p2/m': 1 } };
  const { arrival } = journey([[failing('unknown-model')], [answering]], given);
  await turn();
  assert.deepEqual(capacity.load('p2/m'), { inFlight: 1, waiting: 1 });
  health.cooldown('p2/m', 120_000);
  taken.release();

  const { error } = await arrival;
  assert.deepEqual([error?.message, error?.retryable], ['unknown-model', true]);
});

test('attempts that were made before a fault of ours are in the ledger, and the one that it ended too', async () => {
  const answer = streamOf(token('It '), token('is '), token('42.'), finished());
  const underWay = journey([[failing('certificate')], [answer], [answering]], {}, event => {
    if (event.type === 'token' && event.text === 'is ') throw new Error('the log takes no more');
  });
  const arrival = await underWay.arrival;

  assert.equal(arrival.status, 'FAILED');
  assert.equal(arrival.error?.code, 'INTERNAL');
  assert.deepEqual(attemptsOf(arrival), ['p1/m PROVIDER_FAILED', 'p2/m INTERNAL']);
  const [refused, broken] = arrival.attempts;
  assert.equal(refused?.usage, undefined);
  assert.ok(broken?.usage?.estimated && broken.usage.outputTokens > 0, 'its text is billed');
});

test('a prompt that is too long for one model goes to the larger ones first', async () => {
  const windows = { 'p3/m': 128_000 };
  const longer = journey([[failing('context-length')], [answering], [answering]], { windows });
  assert.equal((await arrived(longer)).status, 'SUCCEEDED');
  assert.deepEqual(longer.calls, ['p1/m', 'p3/m']);

  const refused = [failing('context-length')];
  const nobody = journey([refused, refused], { windows });
  const arrival = await arrived(nobody);
  assert.deepEqual(nobody.calls, ['p1/m', 'p2/m'], 'one of the same size may count otherwise');
  assert.equal(arrival.error?.code, 'CONTEXT_TOO_LONG');
});
