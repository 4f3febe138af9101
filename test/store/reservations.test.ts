// Reservations and what becomes of them, on the database alone.

import assert from 'node:assert/strict';
import test from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import type { Spending } from '../../src/store/budgets.ts';
import { onBothStores } from './both-stores.ts';
import { aReserving, assertBooks, createKey, createOwner, read, setBudget } from './budget-setup.ts';
import { anAttempt, anEndOf, aRequest } from './samples.ts';

const WAITING = { status: 'QUEUED', owner: undefined, epoch: 0 } as const;
const DIED = requestError('INTERNAL', 'The server died too often.');

onBothStores(open => {
  test('of those that come at once exactly as many are accepted as fit, in their order', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const budget = await setBudget(store, { userId }, 100n);
    const amounts = [60n, 50n, 30n, 20n, 10n, 1n];

    const results = await Promise.all(
      amounts.map(amount => store.requests.accept(aReserving(amount, { userId }))),
    );

    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['accepted', 'refused', 'accepted', 'refused', 'accepted', 'refused'],
    );
    const [first, second] = results;
    assert.deepEqual(first, { outcome: 'accepted', reservedNanoUsd: 60n });
    assert.ok(second?.outcome === 'refused');
    assert.deepEqual(
      [second.budget.id, second.budget.reservedNanoUsd, second.neededNanoUsd],
      [budget.id, 100n, 50n],
    );
    assert.deepEqual(await read(store, budget), [0n, 100n]);
    assert.equal(await store.requests.count({ userId }, 10), 3);
    await assertBooks(db);
  });

  test('a user and a key are held to their budgets together', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const [apiKeyId, otherKey] = [await createKey(store, userId), await createKey(store, userId)];
    const day = await setBudget(store, { userId, period: 'DAY' }, 100n);
    const total = await setBudget(store, { userId, period: 'TOTAL' }, 1_000n);
    const ofKey = await setBudget(store, { userId, apiKeyId }, 50n);
    const accept = async (amount: bigint, key?: string) =>
      (await store.requests.accept(aReserving(amount, { userId, apiKeyId: key }))).outcome;

    assert.equal(await accept(40n, apiKeyId), 'accepted');
    assert.equal(await accept(20n, apiKeyId), 'refused');
    assert.equal(await accept(50n, otherKey), 'accepted');
    assert.equal(await accept(20n), 'refused', 'the day of the user is full');
    assert.equal(await accept(10n), 'accepted');

    assert.deepEqual(await read(store, day), [0n, 100n]);
    assert.deepEqual(await read(store, total), [0n, 100n]);
    assert.deepEqual(await read(store, ofKey), [0n, 40n]);
    await assertBooks(db);
  });

  test('who can do with less gets that when there is no room for more, and what is free always fits', async t => {
    const { store } = await open(t);
    const userId = await createOwner(store);
    await setBudget(store, { userId }, 100n);

    const results = [];
    for (const [wanted, least] of [
      [80n, 80n],
      [80n, 20n],
      [80n, 1n],
      [80n, 0n],
    ] as const)
      results.push(await store.requests.accept(aReserving(wanted, { userId }, least)));

    assert.deepEqual(
      results.map(result => (result.outcome === 'accepted' ? result.reservedNanoUsd : result.outcome)),
      [80n, 20n, 'refused', 0n],
    );
  });

  test('the end of a request gives its reservation back and books what it cost', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const budget = await setBudget(store, { userId }, 100n);
    const spendings: Spending[] = [];
    store.budgets.onSpending(spending => spendings.push(spending));
    const [one, other] = [aReserving(40n, { userId }), aReserving(50n, { userId })];
    for (const request of [one, other]) await store.requests.accept(request);
    const attempts = [
      anAttempt({ costNanoUsd: 3n, outcome: 'FAILED' }),
      anAttempt({ number: 2, costNanoUsd: undefined, outcome: 'FAILED' }),
      anAttempt({ number: 3, costNanoUsd: 9n }),
    ];

    await store.requests.book({ ...one, attempts: attempts.slice(0, 1), deploymentId: undefined });
    assert.equal(await store.requests.finish(anEndOf(one, { attempts, holdsReservation: true })), true);
    assert.equal(await store.requests.finish(anEndOf(one, { attempts, holdsReservation: true })), false);

    assert.deepEqual(await read(store, budget), [12n, 50n]);
    assert.deepEqual(spendings, [
      { budgetId: budget.id, limitNanoUsd: 100n, spentBeforeNanoUsd: 0n, spentNanoUsd: 12n },
    ]);
    await assertBooks(db);
    const tooMuch = [anAttempt({ costNanoUsd: 500n })];
    await store.requests.finish(anEndOf(other, { attempts: tooMuch, holdsReservation: true }));
    assert.deepEqual(
      await read(store, budget),
      [512n, 0n],
      'the truth, also when it is more than was reserved',
    );
    const outcomes = [0n, 1n].map(amount => store.requests.accept(aReserving(amount, { userId })));
    assert.deepEqual(
      (await Promise.all(outcomes)).map(({ outcome }) => outcome),
      ['accepted', 'refused'],
    );
  });

  test('many that end at once, with and without budgets, are booked each where it belongs', async t => {
    const { store, db } = await open(t);
    const owners = await Promise.all(Array.from({ length: 4 }, () => createOwner(store)));
    const budgets = [];
    for (const userId of owners) budgets.push(await setBudget(store, { userId }, 10_000n));
    const held = Array.from({ length: 40 }, (_, index) =>
      aReserving(BigInt(index + 1), { userId: owners[index % owners.length]! }),
    );
    const free = Array.from({ length: 10 }, () => aRequest());
    await Promise.all([...held, ...free].map(request => store.requests.accept(request)));

    const written = await Promise.all(
      [...held, ...free].map((request, index) => {
        const attempts = [anAttempt({ costNanoUsd: BigInt(index) })];
        const holdsReservation = request.reservation !== undefined;
        return store.requests.finish(anEndOf(request, { attempts, holdsReservation }));
      }),
    );

    assert.ok(written.every(each => each));
    const expected = owners.map((_, owner) => {
      const indexes = held.map((_, index) => index).filter(index => index % owners.length === owner);
      return [indexes.reduce((sum, index) => sum + BigInt(index), 0n), 0n];
    });
    assert.deepEqual(await Promise.all(budgets.map(budget => read(store, budget))), expected);
    await assertBooks(db);
  });

  test('a cancelled request that waited gives all back, but for what it had cost before', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const budget = await setBudget(store, { userId }, 100n);
    const [waiting, givenBack] = [aReserving(30n, { userId, ...WAITING }), aReserving(40n, { userId })];
    for (const request of [waiting, givenBack]) await store.requests.accept(request);
    const attempts = [anAttempt({ outcome: 'CANCELLED', costNanoUsd: 7n })];
    await store.queue.giveBack({ id: givenBack.id, epoch: 1, attempts });
    assert.deepEqual(await read(store, budget), [0n, 70n], 'what waits keeps what it holds');

    const error = requestError('CANCELLED', 'The request was cancelled.');
    for (const request of [waiting, givenBack]) assert.ok(await store.queue.cancel(request.id, error));

    assert.deepEqual(await read(store, budget), [7n, 0n]);
    await assertBooks(db);
  });

  test('a death leaves nothing reserved: the lost call counts with all that it can have cost', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const budget = await setBudget(store, { userId }, 100n);
    const called = aReserving(40n, { userId, deploymentId: 'openai/x' });
    const uncalled = aReserving(30n, { userId });
    for (const request of [called, uncalled]) await store.requests.accept(request);
    const failed = anAttempt({ outcome: 'FAILED', costNanoUsd: 5n });
    await store.requests.book({ ...called, attempts: [failed], deploymentId: 'openai/y' });
    const recover = () => store.transaction(inside => inside.queue.recover(['instance-1'], 2, DIED));

    assert.deepEqual((await recover()).requeued.toSorted(), [called.id, uncalled.id].toSorted());

    assert.deepEqual(await read(store, budget), [0n, 70n], 'they are to be run again');
    const [lost] = (await store.requests.attemptsByIds([called.id]))[0]!.filter(
      each => each.outcome === 'LOST',
    );
    assert.deepEqual([lost?.costNanoUsd, lost?.reservedNanoUsd], [undefined, 35n]);
    const [one, other] = await store.queue.claim('instance-1', 2);
    assert.deepEqual([one?.reservedNanoUsd, other?.reservedNanoUsd], [40n, 30n]);
    await store.queue.routed([{ id: called.id, deploymentId: 'openai/x' }]);
    const extended = await store.budgets.extend({ id: called.id, epoch: 3 }, 30n);
    assert.deepEqual(extended, { outcome: 'extended', reservedNanoUsd: 70n });
    assert.deepEqual((await recover()).failed.toSorted(), [called.id, uncalled.id].toSorted());
    assert.deepEqual(await read(store, budget), [70n, 0n]);
    await assertBooks(db);
  });

  test('more is reserved only of what runs, at its epoch, and while all of its budgets have room', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const apiKeyId = await createKey(store, userId);
    const budget = await setBudget(store, { userId }, 100n);
    const narrow = await setBudget(store, { userId, apiKeyId }, 60n);
    const request = aReserving(50n, { userId, apiKeyId });
    const free = aReserving(10n, { userId: newId() });
    for (const each of [request, free]) await store.requests.accept(each);
    const { extend } = store.budgets;

    assert.deepEqual(await extend(request, 10n), { outcome: 'extended', reservedNanoUsd: 60n });
    const refused = await extend(request, 1n);
    assert.equal(refused.outcome === 'refused' && refused.budget.id, narrow.id);
    assert.deepEqual(await extend({ ...request, epoch: 2 }, 1n), { outcome: 'gone' });
    assert.deepEqual(await extend(free, 1n), { outcome: 'gone' }, 'it falls under no budget');

    assert.deepEqual(
      [await read(store, budget), await read(store, narrow)],
      [
        [0n, 60n],
        [0n, 60n],
      ],
    );
    await assertBooks(db);
    await store.requests.finish(anEndOf(request, { holdsReservation: true }));
    assert.deepEqual(await extend(request, 0n), { outcome: 'gone' });
  });

  test('a resend takes nothing a second time, and is not refused although nothing is left', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const budget = await setBudget(store, { userId }, 100n);
    const first = aReserving(60n, { userId, idempotencyKey: 'key' });

    const rivals = [first, { ...first, id: newId() }, aReserving(40n, { userId })];
    const results = await Promise.all(rivals.map(request => store.requests.accept(request)));

    const accepted = results.flatMap((result, index) =>
      result.outcome === 'accepted' ? [rivals[index]!] : [],
    );
    assert.equal(accepted.length, 2, 'what the resend would have taken was there for the other one');
    const { id: requestId } = accepted.find(({ idempotencyKey }) => idempotencyKey)!;
    assert.deepEqual(await read(store, budget), [0n, 100n]);
    assert.deepEqual(await store.requests.accept({ ...first, id: newId() }), {
      outcome: 'duplicate',
      requestId,
    });
    assert.deepEqual(await store.requests.accept({ ...first, id: newId(), inputHash: 'another' }), {
      outcome: 'conflict',
      requestId,
    });
    assert.deepEqual(await store.requests.accept(accepted.at(-1)!), {
      outcome: 'accepted',
      reservedNanoUsd: 40n,
    });
    assert.deepEqual(await read(store, budget), [0n, 100n]);
    await assertBooks(db);
  });
});
