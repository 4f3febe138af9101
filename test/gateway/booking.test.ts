// What the ledger knows of a request before its end: each attempt that another one follows, and who is called then.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import { createBooking } from '../../src/gateway/booking.ts';
import { createCapacity } from '../../src/gateway/capacity.ts';
import { createHealth } from '../../src/gateway/health.ts';
import { ProviderError, type ProviderFault } from '../../src/providers/provider-error.ts';
import type { RequestProgress } from '../../src/store/store.ts';
import { anAttempt, aRequest, aSpec } from '../store/samples.ts';
import { startTestApp, until } from '../support/app.ts';
import { createTestClock } from '../support/clock.ts';
import { openTestStore } from '../support/database.ts';
import { storeWith } from '../support/faulty-store.ts';
import { submit } from '../support/requests.ts';
import { gate, status, text } from '../support/upstream.ts';
import { finished, pass, streamOf, token, turn } from './attempt-setup.ts';
import { ask, startChain } from './chain-setup.ts';
import { arrived, deploymentOf, journey } from './failover-setup.ts';
import { AFTER_MS, answering, freely, gated, silent } from './hedging-setup.ts';

const failing = (fault: ProviderFault) => streamOf(new ProviderError(fault, fault));

/** A booking whose writes wait for the test. */
function bookingAt(chosen: string) {
  const writes: RequestProgress[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const warnings: string[] = [];
  const requests = {
    book(progress: RequestProgress) {
      writes.push(progress);
      ends.push(Promise.withResolvers());
      return ends.at(-1)!.promise;
    },
  };
  const log = { warn: (_fields: object, message: string) => void warnings.push(message) };
  const book = createBooking({ id: 'req_1', epoch: 3 }, chosen, { store: { requests } as never, log });
  return { book, writes, ends, warnings };
}

test('a first deployment that is called as it was chosen writes nothing', () => {
  const { book, writes } = bookingAt('a');
  book([], 'a');
  assert.deepEqual(writes, []);
  book([], 'b');
  assert.deepEqual(writes, [{ id: 'req_1', epoch: 3, attempts: [], deploymentId: 'b' }]);
});

test('one booking is under way at a time, and of those that come meanwhile the last is written', async () => {
  const { book, writes, ends, warnings } = bookingAt('a');
  const attempts = [anAttempt()];
  book(attempts, 'b');
  attempts.push(anAttempt({ number: 2 }));
  book(attempts, 'c');
  book(attempts, undefined);
  assert.deepEqual(
    writes.map(write => write.attempts.length),
    [1],
  );
  ends[0]!.reject(new Error('connect ECONNREFUSED'));
  await turn();
  assert.deepEqual(warnings, ['attempts could not be booked yet']);
  assert.deepEqual(
    writes.map(write => [write.attempts.length, write.deploymentId]),
    [
      [1, 'b'],
      [2, undefined],
    ],
  );
  ends[1]!.resolve();
  await turn();
  book(attempts, undefined);
  assert.equal(writes.length, 2, 'nothing new');
});

test('what failed is booked when the next call begins, and the last failure is left to the end', async () => {
  const refused = [failing('credentials')];
  const { booked, arrival } = journey([refused, refused, refused]);
  await arrival;
  assert.deepEqual(booked, [' > p1/m', '1 FAILED > p2/m', '1 FAILED, 2 FAILED > p3/m']);
});

test('who is asked again after a pause is named before the pause', async () => {
  const going = journey([[failing('server'), answering('again')]]);
  await turn();
  assert.deepEqual([going.calls.length, going.booked], [1, [' > p1/m', '1 FAILED > p1/m']]);
  await arrived(going);
  assert.equal(going.calls.length, 2);
});

test('while a request waits for room nobody is called', async () => {
  const clock = createTestClock();
  const health = createHealth({ clock });
  const capacity = createCapacity({ health, clock });
  const place = capacity.tryAcquire({ ...deploymentOf('p2/m'), maxConcurrency: 1 })!;
  const given = { clock, health, capacity, limits: { 'p2/m': 1 } };
  const going = journey([[failing('credentials')], [answering('at last')]], given);
  await turn();
  assert.deepEqual(going.booked.slice(1), ['1 FAILED > nobody']);
  place.release();
  await arrived(going);
  assert.deepEqual(going.booked.slice(1), ['1 FAILED > nobody', '1 FAILED > p2/m']);
});

test('who loses a race, or falls in it, is booked while the other goes on', async () => {
  const rest = Promise.withResolvers<void>();
  const winner = streamOf(token('second '), rest.promise, token('wins'), finished());
  const lost = journey([[silent], [winner]], freely());
  await pass(lost.clock, AFTER_MS);
  assert.deepEqual(lost.booked, [' > p1/m', '1 CANCELLED > p2/m']);
  rest.resolve();
  await arrived(lost);
  assert.equal(lost.booked.length, 2);

  const first = gated(token('first'), finished());
  const fell = journey([[first.stream], [failing('credentials')]], freely());
  await pass(fell.clock, AFTER_MS);
  assert.deepEqual(fell.booked, [' > p1/m', '2 FAILED > p1/m']);
  first.open();
  await arrived(fell);
});

test('the ledger of a running request has what failed, and names who is called', async t => {
  const chain = await startChain(t, 2);
  const [first, second] = chain.upstreams;
  first!.answerWith(() => status(401));
  const go = Promise.withResolvers<void>();
  second!.answerWith(() => [text('half '), gate(go.promise), text('whole')]);
  const id = await submit(chain.app, { prompt: 'Hello', model: 'chain' });
  const rowId = idOf('request', id)!;
  const { requests } = chain.app.store;
  await until(async () => (await requests.attemptsByIds([rowId]))[0]!.length > 0, 'the failure is booked');

  const [running] = await requests.byIds([rowId]);
  assert.deepEqual([running?.status, running?.deploymentId], ['RUNNING', 'p2/m']);
  const [booked] = await requests.attemptsByIds([rowId]);
  go.resolve();
  await until(async () => (await requests.byIds([rowId]))[0]?.status === 'SUCCEEDED', 'it has ended');
  const [attempts] = await requests.attemptsByIds([rowId]);
  assert.deepEqual(
    attempts!.map(({ number, deploymentId, outcome }) => `${number} ${deploymentId} ${outcome}`),
    ['1 p1/m FAILED', '2 p2/m SUCCEEDED'],
  );
  assert.deepEqual(attempts!.slice(0, 1), booked);
  assert.equal((await requests.byIds([rowId]))[0]?.attemptCount, 2);
});

test('requests that their first deployment serves book nothing, also those that had to wait', async t => {
  let bookings = 0;
  const book = async () => {
    bookings += 1;
  };
  const env = { MCPLANE_MAX_RUNNING_REQUESTS: '1' };
  const chain = await startChain(
    t,
    2,
    { env },
    storeWith(() => ({ book })),
  );
  const ended = await Promise.all([ask(chain), ask(chain), ask(chain)]);
  for (const { attempts } of ended) assert.deepEqual(attempts, ['p1/m SUCCEEDED']);
  assert.equal(bookings, 0);
});

for (const [how, book] of [
  ['fail', () => Promise.reject(new Error('connect ECONNREFUSED'))],
  ['are never answered', () => new Promise<never>(() => {})],
] as const)
  test(`bookings that ${how} delay nothing, and the end writes all of it`, async t => {
    const chain = await startChain(
      t,
      3,
      {},
      storeWith(() => ({ book })),
    );
    const [first, second, third] = chain.upstreams;
    for (const upstream of [first, second]) upstream!.answerWith(() => status(401));
    third!.answerWith(() => [text('rescued')]);
    const { request, attempts } = await ask(chain);
    assert.equal(request.output, 'rescued');
    assert.deepEqual(attempts, ['p1/m PROVIDER_FAILED', 'p2/m PROVIDER_FAILED', 'p3/m SUCCEEDED']);
  });

test('whoever takes a request over counts what was booked before: numbers, tokens and cost', async t => {
  const store = await openTestStore(t);
  const request = aRequest({ owner: 'dead', deploymentId: 'gone/first', spec: aSpec({ prompt: 'Hello' }) });
  await store.requests.accept(request);
  const error = requestError('STREAM_TRUNCATED', 'It broke off.');
  const failure = anAttempt({ outcome: 'FAILED', error, deploymentId: 'gone/first' });
  await store.requests.book({ ...request, attempts: [failure], deploymentId: 'gone/second' });
  await store.queue.recover(['dead'], 3, error);

  await startTestApp(t, {}, async () => ({ ...store, close: async () => {} }));
  const stored = async () => (await store.requests.byIds([request.id]))[0]!;
  await until(async () => (await stored()).status === 'SUCCEEDED', 'it has ended');
  const [attempts] = await store.requests.attemptsByIds([request.id]);
  assert.deepEqual(
    attempts!.map(({ number, outcome }) => `${number} ${outcome}`),
    ['1 FAILED', '2 LOST', '3 SUCCEEDED'],
  );
  const { attemptCount, usage, costNanoUsd, failedAttemptsCostNanoUsd } = await stored();
  const own = attempts!.at(-1)!;
  assert.equal(attemptCount, 3);
  assert.equal(usage?.inputTokens, failure.usage!.inputTokens + own.usage!.inputTokens);
  assert.equal(costNanoUsd, failure.costNanoUsd! + own.costNanoUsd!);
  assert.equal(failedAttemptsCostNanoUsd, failure.costNanoUsd);
});
