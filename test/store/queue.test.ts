// The queue in the database: who is taken in which order, by one instance only, and what becomes of the work of the dead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import type { Store } from '../../src/store/store.ts';
import { onBothStores } from './both-stores.ts';
import { anAttempt, anEndOf, aRequest, aSpec } from './samples.ts';

const CANCELLED = requestError('CANCELLED', 'Cancelled while it waited.');
const POISON = requestError('INTERNAL', 'It killed too many.');
const MAX_DEATHS = 3;

/** Puts a request into the queue, so many seconds ago. */
async function enqueue(store: Store, { priority = 50, secondsAgo = 0 } = {}): Promise<string> {
  const createdAt = new Date(Date.now() - secondsAgo * 1_000);
  const request = aRequest({
    status: 'QUEUED',
    owner: undefined,
    epoch: 0,
    createdAt,
    spec: aSpec({ priority }),
  });
  await store.requests.accept(request);
  return request.id;
}

onBothStores(open => {
  test('higher priority goes first, then who came first; each second of waiting counts as a point', async t => {
    const { store } = await open(t);
    const first = await enqueue(store, { secondsAgo: 2 });
    const second = await enqueue(store, { secondsAgo: 1 });
    const high = await enqueue(store, { priority: 90 });
    const patient = await enqueue(store, { priority: 0, secondsAgo: 95 });
    const low = await enqueue(store, { priority: 10 });
    const inOrder = [patient, high, first, second, low];

    assert.deepEqual(await store.queue.positions([...inOrder, newId()]), [1, 2, 3, 4, 5, undefined]);
    assert.equal(await store.queue.length(100), 5);
    assert.equal(await store.queue.length(3), 3);
    const claimed = [...(await store.queue.claim('me', 2)), ...(await store.queue.claim('me', 10))];
    assert.deepEqual(
      claimed.map(request => request.id),
      inOrder,
    );
    assert.deepEqual(
      claimed.map(({ status, epoch, startedAt }) => [status, epoch, startedAt !== undefined]),
      inOrder.map(() => ['RUNNING', 1, true]),
    );
    assert.equal(await store.queue.length(100), 0);
  });

  test('many who claim at once never get the same request', async t => {
    const { store } = await open(t);
    const ids = await Promise.all(Array.from({ length: 40 }, () => enqueue(store)));
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, index) => store.queue.claim(`instance-${index % 4}`, 3)),
    );
    const claimed = claims.flat().map(request => request.id);
    assert.equal(new Set(claimed).size, claimed.length);
    const rest = await store.queue.claim('last', 100);
    assert.deepEqual([...claimed, ...rest.map(request => request.id)].sort(), ids.sort());
  });

  test('a request that is given back waits in its old place, and what was spent on it is in the ledger', async t => {
    const { store } = await open(t);
    const id = await enqueue(store, { secondsAgo: 1 });
    const other = await enqueue(store);
    await store.queue.claim('me', 1);
    const spent = anAttempt({ outcome: 'CANCELLED' });

    assert.equal(await store.queue.giveBack({ id, epoch: 1, attempts: [spent] }), true);
    assert.equal(await store.queue.giveBack({ id, epoch: 1, attempts: [spent] }), false, 'it waits already');
    const [again] = await store.queue.claim('other', 1);
    assert.deepEqual([again?.id, again?.epoch, again?.attemptCount], [id, 2, 1]);
    assert.deepEqual(await store.requests.attemptsByIds([id]), [[spent]]);
    assert.deepEqual(await store.queue.positions([other]), [1]);

    const end = anEndOf(aRequest({ id }), { epoch: 2, attempts: [anAttempt({ number: 2 })] });
    assert.equal(await store.requests.finish(end), true);
    const [done] = await store.requests.byIds([id]);
    assert.equal(done?.attemptCount, 2);
  });

  test('what the dead had in hand waits again; their calls are LOST, and their late answers are refused', async t => {
    const { store } = await open(t);
    const [dead, alive] = [
      aRequest({ owner: 'dead', deploymentId: 'openai/gpt-6/sol' }),
      aRequest({ owner: 'alive' }),
    ];
    for (const request of [dead, alive]) await store.requests.accept(request);
    const claimed = await enqueue(store);
    await store.queue.claim('dead', 1);
    await store.queue.routed([{ id: claimed, deploymentId: 'ollama/llama' }]);

    const recovered = await store.queue.recover(['dead'], MAX_DEATHS, POISON);
    assert.deepEqual(recovered, { requeued: [dead.id, claimed].sort(), failed: [], cancelled: [] });
    assert.equal(await store.requests.finish(anEndOf(dead)), false);
    const [ofDead, ofClaimed, ofAlive] = await store.requests.attemptsByIds([dead.id, claimed, alive.id]);
    const told = (attempts = ofDead) =>
      attempts?.map(({ number, outcome, providerId, model, usage, costNanoUsd }) => {
        assert.deepEqual([usage, costNanoUsd], [undefined, undefined]);
        return [number, outcome, providerId, model];
      });
    assert.deepEqual(told(), [[1, 'LOST', 'openai', 'gpt-6/sol']]);
    assert.deepEqual(told(ofClaimed), [[1, 'LOST', 'ollama', 'llama']]);
    assert.deepEqual(ofAlive, []);

    const again = await store.queue.claim('me', 10);
    assert.deepEqual(
      again.map(({ id, epoch, attemptCount }) => [id, epoch, attemptCount]).sort(),
      [
        [dead.id, 3, 1],
        [claimed, 3, 1],
      ].sort(),
    );
    const everything = await store.queue.recover({ allBut: 'me' }, MAX_DEATHS, POISON);
    assert.deepEqual(everything, { requeued: [alive.id], failed: [], cancelled: [] });
  });

  test('a request that kills every instance fails at last', async t => {
    const { store } = await open(t);
    const id = await enqueue(store);
    for (let death = 1; death < MAX_DEATHS; death += 1) {
      await store.queue.claim('dead', 1);
      assert.deepEqual(await store.queue.recover(['dead'], MAX_DEATHS, POISON), {
        requeued: [id],
        failed: [],
        cancelled: [],
      });
    }
    await store.queue.claim('dead', 1);
    assert.deepEqual(await store.queue.recover(['dead'], MAX_DEATHS, POISON), {
      requeued: [],
      failed: [id],
      cancelled: [],
    });
    const [failed] = await store.requests.byIds([id]);
    assert.deepEqual([failed?.status, failed?.error, failed?.lastSequence], ['FAILED', POISON, 1]);
    assert.ok(failed?.finishedAt);
  });

  test('what somebody wished to cancel ends with the instance that had it', async t => {
    const { store } = await open(t);
    const request = aRequest({ owner: 'dead', deploymentId: 'openai/gpt-6-sol' });
    await store.requests.accept(request);
    await store.requests.wishCancel(request.id);
    assert.deepEqual(await store.queue.recover(['dead'], MAX_DEATHS, POISON), {
      requeued: [],
      failed: [],
      cancelled: [request.id],
    });
    const [cancelled] = await store.requests.byIds([request.id]);
    assert.deepEqual(
      [cancelled?.status, cancelled?.error?.code, cancelled?.lastSequence],
      ['CANCELLED', 'CANCELLED', 1],
    );
    const [attempts] = await store.requests.attemptsByIds([request.id]);
    assert.deepEqual(
      attempts!.map(({ outcome }) => outcome),
      ['LOST'],
    );
  });

  test('those on their last life run one at a time, behind the others, so that only the guilty one dies', async t => {
    const { store, db } = await open(t);
    const suspects = [await enqueue(store, { secondsAgo: 9 }), await enqueue(store, { secondsAgo: 8 })];
    await db
      .updateTable('requests')
      .set({ deaths: MAX_DEATHS - 1 })
      .execute();
    const other = await enqueue(store);
    const claim = async (owner: string, limit: number) =>
      (await store.queue.claim(owner, limit, MAX_DEATHS - 1)).map(({ id }) => id);

    assert.deepEqual(await claim('me', 1), [other]);
    assert.deepEqual(await claim('me', 10), [suspects[0]]);
    assert.deepEqual(await claim('me', 10), [], 'one is in hand');
    assert.deepEqual(await claim('somebody else', 10), [suspects[1]]);
    assert.deepEqual(await store.queue.recover(['me'], MAX_DEATHS, POISON), {
      requeued: [other],
      failed: [suspects[0]],
      cancelled: [],
    });
  });

  test('a request is cancelled while it waits, and only then', async t => {
    const { store } = await open(t);
    const [waits, runs] = [await enqueue(store, { priority: 0 }), await enqueue(store)];
    await store.queue.claim('me', 1);
    assert.equal(await store.queue.cancel(runs, CANCELLED), false);
    assert.equal(await store.queue.cancel(waits, CANCELLED), true);
    assert.equal(await store.queue.cancel(waits, CANCELLED), false);
    const [cancelled] = await store.requests.byIds([waits]);
    assert.deepEqual([cancelled?.status, cancelled?.error], ['CANCELLED', CANCELLED]);
    assert.deepEqual(await store.queue.claim('me', 10), []);
  });

  test('the database tells an owner what it holds, and which of it somebody wishes cancelled', async t => {
    const { store } = await open(t);
    const [wished, other, foreign] = [aRequest(), aRequest(), aRequest({ owner: 'instance-2' })];
    for (const request of [wished, other, foreign]) await store.requests.accept(request);
    await store.requests.wishCancel(wished.id);
    assert.deepEqual(await store.queue.heldBy('instance-1'), [
      { id: wished.id, cancelWished: true, acts: null },
      { id: other.id, cancelWished: false, acts: null },
    ]);
    await store.requests.finish(anEndOf(other));
    assert.deepEqual(
      (await store.queue.heldBy('instance-1')).map(({ id }) => id),
      [wished.id],
    );
  });
});
