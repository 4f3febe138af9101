// Attempts that are in the ledger before their request has ended: each is there once and counted once, whoever ends the
// request, whoever dies, and whichever statement comes first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attempt, lastNumberOf, requestError } from '../../src/domain/request.ts';
import type { NewRequest, Store } from '../../src/store/store.ts';
import { onBothStores } from './both-stores.ts';
import { anAttempt, anEndOf, aRequest } from './samples.ts';

const POISON = requestError('INTERNAL', 'It killed too many.');
const MAX_DEATHS = 3;
const [FIRST, SECOND] = ['openai/gpt-6-sol', 'house/llama/8b'];

function aFailure(change: Partial<Attempt> = {}): Attempt {
  const error = requestError('PROVIDER_FAILED', 'The provider answered 503');
  return anAttempt({ outcome: 'FAILED', error, fault: 'server', finishReason: undefined, ...change });
}

/** A request that runs at `FIRST`. */
async function running(store: Store): Promise<NewRequest> {
  const request = aRequest({ owner: 'dead', deploymentId: FIRST });
  await store.requests.accept(request);
  return request;
}

const recover = (store: Store) =>
  store.transaction(inside => inside.queue.recover(['dead'], MAX_DEATHS, POISON));

/** The request's count of attempts, and its ledger. */
async function ledgerOf(store: Store, id: string) {
  const [[request], [attempts]] = await Promise.all([
    store.requests.byIds([id]),
    store.requests.attemptsByIds([id]),
  ]);
  return { count: request!.attemptCount, attempts: attempts! };
}

const told = (attempts: readonly Attempt[]) =>
  attempts.map(({ number, outcome, deploymentId }) => `${number} ${outcome} ${deploymentId}`);

onBothStores(open => {
  test('attempts are in the ledger as soon as they are booked, and the end adds the others', async t => {
    const { store } = await open(t);
    const request = await running(store);
    const [failure, success] = [aFailure(), anAttempt({ number: 2, deploymentId: SECOND })];

    await store.requests.book({ ...request, attempts: [failure], deploymentId: SECOND });
    assert.deepEqual((await ledgerOf(store, request.id)).attempts, [failure]);
    assert.equal((await store.requests.byIds([request.id]))[0]?.deploymentId, SECOND);
    await store.requests.book({ ...request, attempts: [failure], deploymentId: undefined });
    assert.equal((await store.requests.byIds([request.id]))[0]?.deploymentId, undefined);

    assert.equal(await store.requests.finish(anEndOf(request, { attempts: [failure, success] })), true);
    assert.deepEqual(await ledgerOf(store, request.id), { count: 2, attempts: [failure, success] });
  });

  test('what was booked of a request that is given back is counted once', async t => {
    const { store } = await open(t);
    const request = await running(store);
    const attempts = [aFailure(), anAttempt({ number: 2, outcome: 'CANCELLED' })];
    await store.requests.book({ ...request, attempts: attempts.slice(0, 1), deploymentId: SECOND });
    assert.equal(await store.queue.giveBack({ ...request, attempts }), true);
    assert.deepEqual(await ledgerOf(store, request.id), { count: 2, attempts });
  });

  test('the call that was lost stands behind those that were booked, and names who was called then', async t => {
    const { store } = await open(t);
    const [called, pausing, untold] = [await running(store), await running(store), await running(store)];
    const failure = aFailure();
    await store.requests.book({ ...called, attempts: [failure], deploymentId: SECOND });
    await store.requests.book({ ...pausing, attempts: [aFailure()], deploymentId: undefined });
    await recover(store);

    const ledger = await ledgerOf(store, called.id);
    assert.deepEqual(told(ledger.attempts), [`1 FAILED ${FIRST}`, `2 LOST ${SECOND}`]);
    assert.equal(ledger.count, 2);
    const [booked, lost] = ledger.attempts;
    assert.deepEqual(booked, failure);
    assert.deepEqual([lost?.providerId, lost?.model], ['house', 'llama/8b']);
    assert.ok(lost!.startedAt.getTime() >= failure.startedAt.getTime() + failure.durationMs);
    const nobody = await ledgerOf(store, pausing.id);
    assert.deepEqual([nobody.count, told(nobody.attempts)], [1, [`1 FAILED ${FIRST}`]]);
    const never = await ledgerOf(store, untold.id);
    assert.deepEqual([never.count, told(never.attempts)], [1, [`1 LOST ${FIRST}`]]);

    const again = (await store.queue.claim('heir', 10)).find(({ id }) => id === called.id)!;
    const end = anEndOf(called, { epoch: again.epoch, attempts: [anAttempt({ number: 3 })] });
    assert.equal(await store.requests.finish(end), true);
    assert.equal((await ledgerOf(store, called.id)).count, 3);
  });

  test('of a race whose second runner fell first, the other is lost under a number of its own', async t => {
    const { store } = await open(t);
    const request = await running(store);
    const second = aFailure({ number: 2, deploymentId: SECOND });
    await store.requests.book({ ...request, attempts: [second], deploymentId: FIRST });
    await recover(store);
    const { count, attempts } = await ledgerOf(store, request.id);
    assert.deepEqual(told(attempts), [`2 FAILED ${SECOND}`, `3 LOST ${FIRST}`]);
    assert.deepEqual([count, lastNumberOf(attempts)], [2, 3]);
  });

  test('a booking that comes behind the end of its epoch does nothing', async t => {
    const { store } = await open(t);
    const [ended, given, taken] = [await running(store), await running(store), await running(store)];
    await store.requests.finish(anEndOf(ended));
    await store.queue.giveBack({ ...given, attempts: [] });
    await recover(store);
    await store.queue.claim('heir', 10);
    const before = await store.requests.byIds([ended.id, given.id, taken.id]);

    for (const request of [ended, given, taken])
      await store.requests.book({ ...request, attempts: [aFailure({ number: 7 })], deploymentId: SECOND });

    assert.deepEqual(await store.requests.byIds([ended.id, given.id, taken.id]), before);
    for (const attempts of await store.requests.attemptsByIds([ended.id, given.id, taken.id]))
      assert.ok(attempts.every(({ number }) => number === 1));
  });

  test('a booking that the database refuses harms no other', async t => {
    const { store } = await open(t);
    const [bad, good] = [await running(store), await running(store)];
    const nonsense = aFailure({ outcome: 'NONSENSE' as never });
    const results = await Promise.allSettled([
      store.requests.book({ ...bad, attempts: [nonsense], deploymentId: SECOND }),
      store.requests.book({ ...good, attempts: [aFailure()], deploymentId: SECOND }),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    assert.equal((await ledgerOf(store, good.id)).attempts.length, 1);
  });

  test('bookings, ends and a recovery at the same time: nothing is there twice or counted twice', async t => {
    const { store } = await open(t);
    const requests = await Promise.all(Array.from({ length: 60 }, () => running(store)));
    const work = requests.map(async (request, index) => {
      const attempts = [1, 2, 3].map(number => aFailure({ number }));
      const booking = store.requests.book({
        ...request,
        attempts: attempts.slice(0, 1 + (index % 2)),
        deploymentId: SECOND,
      });
      if (index % 3 === 0) await store.requests.finish(anEndOf(request, { attempts }));
      if (index % 3 === 1) await store.queue.giveBack({ ...request, attempts });
      await booking;
    });
    // What a booking holds at that moment is taken the next time.
    do await recover(store);
    while ((await store.queue.heldBy('dead')).length > 0);
    await Promise.all(work);

    for (const { id } of requests) {
      const { count, attempts } = await ledgerOf(store, id);
      const numbers = attempts.map(({ number }) => number);
      assert.deepEqual([count, numbers], [numbers.length, numbers.map((_, index) => index + 1)]);
      assert.ok(numbers.length > 0);
    }
  });
});
