// Budgets as they are set, removed and begin anew, and who is held to them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { createStore } from '../../src/store/create-store.ts';
import type { Store } from '../../src/store/store.ts';
import { onBothStores } from './both-stores.ts';
import {
  aReserving,
  assertBooks,
  createKey,
  createOwner,
  passTime,
  read,
  setBudget,
} from './budget-setup.ts';
import { anAttempt, anEndOf, aRequest } from './samples.ts';

onBothStores(open => {
  test('a new period begins with nothing spent, and with what is still reserved', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const day = await setBudget(store, { userId, period: 'DAY' }, 100n);
    const total = await setBudget(store, { userId, period: 'TOTAL' }, 1_000n);
    const [ended, overnight] = [aReserving(60n, { userId }), aReserving(30n, { userId })];
    for (const request of [ended, overnight]) await store.requests.accept(request);
    const costing = (costNanoUsd: bigint) => ({
      attempts: [anAttempt({ costNanoUsd })],
      holdsReservation: true,
    });
    await store.requests.finish(anEndOf(ended, costing(60n)));
    assert.deepEqual(await read(store, day), [60n, 30n]);
    const { periodStart } = (await store.budgets.byIds([day.id]))[0]!;

    await passTime(db, '1 day');

    assert.deepEqual(await read(store, day), [0n, 30n]);
    assert.deepEqual(await read(store, total), [60n, 30n]);
    assert.deepEqual((await store.budgets.byIds([day.id]))[0]!.periodStart, periodStart);
    assert.equal((await store.requests.accept(aReserving(71n, { userId }))).outcome, 'refused');
    const fresh = aReserving(70n, { userId });
    assert.equal((await store.requests.accept(fresh)).outcome, 'accepted');
    await store.requests.finish(anEndOf(overnight, costing(20n)));
    await store.requests.finish(anEndOf(fresh, costing(1n)));
    assert.deepEqual(await read(store, day), [21n, 0n], 'it is spent in the period in which it ends');
    assert.deepEqual(await read(store, total), [81n, 0n]);
  });

  test('periods begin at midnight, on Monday and on the first, in UTC', async t => {
    const { store } = await open(t);
    const userId = await createOwner(store);
    const now = new Date();
    const midnight = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()));
    const monday = new Date(midnight.getTime() - ((midnight.getUTCDay() + 6) % 7) * 86_400_000);
    const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth()));

    const starts = [];
    for (const period of ['DAY', 'WEEK', 'MONTH'] as const)
      starts.push((await setBudget(store, { userId, period }, 1n)).periodStart);
    const { periodStart, createdAt } = await setBudget(store, { userId, period: 'TOTAL' }, 1n);

    assert.deepEqual(starts, [midnight, monday, first]);
    assert.ok(Math.abs(periodStart.getTime() - createdAt.getTime()) < 1_000);
  });

  test('setting it again changes the limit alone; a removed one lets everything through', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const budget = await setBudget(store, { userId }, 100n);
    const held = aReserving(60n, { userId });
    await store.requests.accept(held);

    const set = await store.transaction(inside =>
      inside.budgets.set({ id: newId(), userId, apiKeyId: undefined, period: 'MONTH', limitNanoUsd: 50n }),
    );

    assert.deepEqual(set, {
      budget: { ...budget, limitNanoUsd: 50n, reservedNanoUsd: 60n },
      limitBefore: 100n,
    });
    assert.equal((await store.requests.accept(aReserving(1n, { userId }))).outcome, 'refused');
    const removed = await store.transaction(inside => inside.budgets.remove(budget.id));
    assert.equal(removed?.reservedNanoUsd, 60n);
    assert.equal(await store.transaction(inside => inside.budgets.remove(budget.id)), undefined);
    assert.deepEqual(await store.requests.accept(aReserving(1_000n, { userId })), { outcome: 'accepted' });
    const again = await setBudget(store, { userId }, 10n);
    await store.requests.finish(anEndOf(held, { holdsReservation: true }));
    assert.deepEqual(await read(store, again), [0n, 0n], 'what was held of another is not given to this one');
    await assertBooks(db);
  });

  test('the key that replaces another falls under the same budget', async t => {
    const { store, db } = await open(t);
    const userId = await createOwner(store);
    const [old, successor] = [await createKey(store, userId), await createKey(store, userId)];
    const budget = await setBudget(store, { userId, apiKeyId: old }, 100n);
    const accept = async (apiKeyId: string, amount: bigint) =>
      (await store.requests.accept(aReserving(amount, { userId, apiKeyId }))).outcome;
    assert.equal(await accept(old, 40n), 'accepted');

    await store.transaction(inside => inside.budgets.share({ userId, apiKeyId: old, with: successor }));

    assert.equal(await accept(successor, 50n), 'accepted');
    assert.deepEqual([await accept(old, 20n), await accept(successor, 20n)], ['refused', 'refused']);
    const [ofOld, ofSuccessor] = await store.budgets.ofApiKeys([old, successor]);
    assert.deepEqual(ofOld, ofSuccessor);
    const { budget: set } = await store.transaction(inside =>
      inside.budgets.set({ id: newId(), userId, apiKeyId: successor, period: 'MONTH', limitNanoUsd: 7n }),
    );
    assert.deepEqual([set.id, set.apiKeyIds], [budget.id, [old, successor]]);
    await assertBooks(db);
  });

  test('another process learns of a budget from the next request that it accepts', async t => {
    const { store, db } = await open(t);
    const elsewhere = createStore({ db, info: store.info, close: async () => {} });
    const userId = await createOwner(store);
    const apiKeyId = await createKey(store, userId);
    const accept = (at: Store, change: object) => at.requests.accept(aRequest({ userId, ...change }));
    assert.deepEqual(await accept(elsewhere, { apiKeyId }), { outcome: 'accepted' });

    const ofKey = await setBudget(store, { userId, apiKeyId }, 1n);

    const [free, budgeted, keyed] = [aRequest(), aRequest({ userId, apiKeyId }), { idempotencyKey: 'key' }];
    const results = [
      elsewhere.requests.accept(free),
      elsewhere.requests.accept(budgeted),
      accept(elsewhere, keyed),
    ];
    assert.deepEqual(await Promise.all(results), [
      { outcome: 'accepted' },
      { outcome: 'budgeted' },
      { outcome: 'accepted' },
    ]);
    assert.deepEqual(await store.requests.byIds([budgeted.id]), [undefined]);
    assert.equal(elsewhere.budgets.concern({ userId, apiKeyId }), true);
    assert.equal(elsewhere.budgets.concern({ userId, apiKeyId: undefined }), false);
    await setBudget(store, { userId }, 1n);
    assert.deepEqual(await accept(elsewhere, {}), { outcome: 'budgeted' });
    assert.deepEqual(await accept(elsewhere, { idempotencyKey: 'another' }), { outcome: 'budgeted' });
    const { requestId } = (await store.requests.requestOfKey({
      userId,
      idempotencyKey: 'key',
      inputHash: aRequest().inputHash,
    }))!;
    assert.ok(requestId, 'no key was taken in vain, and this one was');

    for (const { id } of [ofKey, ...(await store.budgets.ofUsers([userId]))[0]!])
      await store.transaction(inside => inside.budgets.remove(id));
    await elsewhere.budgets.refresh();
    assert.equal(elsewhere.budgets.concern({ userId, apiKeyId }), false);
    assert.deepEqual(await accept(elsewhere, { apiKeyId }), { outcome: 'accepted' });
    await assertBooks(db);
  });

  test('pages and batches of budgets', async t => {
    const { store } = await open(t);
    const [anna, ben] = [await createOwner(store), await createOwner(store)];
    const apiKeyId = await createKey(store, anna);
    const ofAnna = [
      await setBudget(store, { userId: anna, period: 'DAY' }, 1n),
      await setBudget(store, { userId: anna }, 2n),
    ];
    const ofKey = await setBudget(store, { userId: anna, apiKeyId }, 3n);

    const page = await store.budgets.page({ first: 2 });
    assert.deepEqual([page.rows, page.hasNextPage], [[ofKey, ofAnna[1]], true]);
    assert.deepEqual((await store.budgets.page({ first: 2, after: page.rows[1]!.id })).rows, [ofAnna[0]]);
    assert.deepEqual(await store.budgets.ofUsers([ben, anna, 'no id']), [[], ofAnna, []]);
    assert.deepEqual(await store.budgets.ofApiKeys([apiKeyId, newId()]), [[ofKey], []]);
    assert.deepEqual(await store.budgets.byIds([newId(), ofKey.id]), [undefined, ofKey]);
  });
});
