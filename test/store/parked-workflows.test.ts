// Workflows that wait for people, in the database: in nobody's hands, and never lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pendingState } from '../../src/domain/workflow.ts';
import type { Parking } from '../../src/store/workflows.ts';
import { onBothStores } from './both-stores.ts';
import { anEndOf } from './samples.ts';
import { aRun, dieOnce, OWNER, POISON, statusOf } from './workflow-setup.ts';

onBothStores(open => {
  test("what waits for people is in nobody's hands, until somebody acts or its time has come", async t => {
    const { store } = await open(t);
    const run = await aRun(store);
    await run.advance([{ ...pendingState('ask'), status: 'WAITING' }]);
    const park = (parking: Partial<Parking>) =>
      store.workflows.park({ ...run, acts: 0, wakeAt: undefined, lastSequence: 7, ...parking });
    const statusAfter = async (act: Promise<unknown>) => {
      await act;
      return statusOf(store, run.id);
    };
    const yes = { stepId: 'ask', approved: true, by: 'me', comment: undefined };
    const takeUp = async () => (await store.queue.claim(OWNER, 1))[0]!;

    assert.ok(await park({}));
    assert.deepEqual((await store.requests.byIds([run.id]))[0]!.isParked, true);
    assert.deepEqual((await dieOnce(store)).requeued, []);
    assert.deepEqual(await store.queue.heldBy(OWNER), []);
    assert.equal(await store.queue.length(10), 0);
    assert.equal(await statusAfter(store.workflows.setPaused(run.id, true)), 'RUNNING', 'a pause');
    assert.equal(await statusAfter(store.workflows.setPaused(run.id, false)), 'QUEUED', 'a resumption');

    let { epoch } = await takeUp();
    assert.equal(await park({ epoch, acts: 1 }), false, 'there was an act that it does not know of');
    assert.deepEqual(
      (await store.queue.heldBy(OWNER)).map(({ acts }) => acts),
      [2],
    );
    assert.ok(await park({ epoch, acts: 2, wakeAt: new Date(Date.now() + 3_600_000) }));
    assert.equal(await statusAfter(store.queue.wake()), 'RUNNING', 'its time has not come');
    assert.equal(await statusAfter(store.workflows.decide(run.id, yes)), 'QUEUED', 'a decision');

    ({ epoch } = await takeUp());
    assert.deepEqual(await store.workflows.acts(run.id), {
      count: 3,
      pausedAt: undefined,
      decisions: [yes],
    });
    assert.ok(await park({ epoch, acts: 3, wakeAt: new Date(0) }));
    assert.equal(await statusAfter(store.workflows.decide(run.id, yes)), 'RUNNING', 'decided already');
    assert.equal(await statusAfter(store.queue.wake()), 'QUEUED', 'its time has come');
    ({ epoch } = await takeUp());
    assert.equal(await store.queue.wake(), 0);
    assert.ok(await park({ epoch: epoch - 1, acts: 3 }), 'nothing is left of it for who has lost it');
    assert.deepEqual((await store.queue.heldBy(OWNER)).length, 1);
    await store.requests.finish(anEndOf(run.request, { epoch }));
  });

  test('a wish to cancel is found also where nobody has the workflow in hand', async t => {
    const { store } = await open(t);
    for (const first of ['parked', 'wished'] as const) {
      const run = await aRun(store);
      const park = () => store.workflows.park({ ...run, acts: 0, wakeAt: undefined, lastSequence: 1 });
      if (first === 'parked') assert.ok(await park());
      assert.ok(await store.requests.wishCancel(run.id));
      if (first === 'wished') assert.ok(await park());
      assert.equal((await store.queue.claim('heir', 1))[0]!.id, run.id, first);
      assert.deepEqual(await store.queue.heldBy('heir'), [{ id: run.id, cancelWished: true, acts: 0 }]);
      await store.requests.finish(anEndOf(run.request, { epoch: 2 }));
    }
    const run = await aRun(store);
    await run.advance([{ ...pendingState('ask'), status: 'WAITING' }]);
    await store.workflows.park({ ...run, acts: 0, wakeAt: undefined, lastSequence: 1 });
    assert.ok(await store.queue.cancel(run.id, POISON), 'or it is cancelled at once');
    assert.deepEqual(
      (await run.states()).map(({ status }) => status),
      ['CANCELLED', 'CANCELLED', 'CANCELLED'],
    );
  });
});
