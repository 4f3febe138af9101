// Runs of workflows in the database: only the owner moves them on, and whoever dies leaves them so that others can.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { pendingState, type StepState } from '../../src/domain/workflow.ts';
import type { Store } from '../../src/store/store.ts';
import { onBothStores } from './both-stores.ts';
import { anEndOf, aRequest, aSpec } from './samples.ts';
import { aRun, dieOnce, MAX_DEATHS, OWNER, POISON, SPEC, statusOf } from './workflow-setup.ts';

function a(change: Partial<StepState>): StepState {
  return { ...pendingState('a'), ...change };
}

async function aStepOf(workflowId: string, store: Store, change: Parameters<typeof aRequest>[0] = {}) {
  const request = aRequest({ ...change, spec: aSpec({ step: { workflowId, step: 'a' } }) });
  await store.requests.accept(request);
  return request;
}

const queued = { status: 'QUEUED', owner: undefined, epoch: 0 } as const;

onBothStores(open => {
  test('who has lost a workflow neither begins it nor writes a state of it', async t => {
    const { store } = await open(t);
    const run = await aRun(store);
    await run.advance([a({ status: 'RUNNING', requestId: newId(), tries: 1 })]);
    await dieOnce(store);
    const [claimed] = await store.queue.claim('heir', 1);

    const late = [a({ status: 'SUCCEEDED', output: 'late', tries: 1 }), pendingState('b')];
    assert.equal(await run.advance(late), undefined);
    assert.equal(await store.workflows.begin(run, SPEC), undefined);
    assert.deepEqual(
      (await run.states()).map(({ stepId, status }) => [stepId, status]),
      [['a', 'RUNNING']],
    );
    assert.ok(await run.advance(late, { epoch: claimed!.epoch }));
    await store.requests.finish(anEndOf(run.request, { epoch: claimed!.epoch }));
    assert.equal(
      await run.advance([pendingState('ask')], { epoch: claimed!.epoch }),
      undefined,
      'it has ended',
    );
  });

  test('a state that has ended is never written again', async t => {
    const { store } = await open(t);
    const run = await aRun(store);
    for (const status of ['SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELLED'] as const) {
      const ended = { ...pendingState(status), status, output: 'the first', requestId: newId(), tries: 1 };
      await run.advance([ended]);
      await run.advance([{ ...ended, status: 'RUNNING', output: undefined, requestId: newId(), tries: 2 }]);
      assert.deepEqual(
        (await run.states()).find(({ stepId }) => stepId === status),
        ended,
      );
    }
  });

  test('a death counts against a workflow until one of its steps has ended', async t => {
    const { store } = await open(t);
    const run = await aRun(store);
    let epoch = 1;
    const die = async () => {
      const { requeued } = await dieOnce(store);
      if (requeued.length > 0) epoch = (await store.queue.claim(OWNER, 1))[0]!.epoch;
      return requeued.length > 0;
    };
    for (let step = 0; step < 4; step += 1) {
      assert.ok(await die());
      assert.ok(await die());
      await run.advance([{ ...pendingState(`s${step}`), status: 'SUCCEEDED' }], { epoch });
    }
    assert.ok(await die());
    assert.ok(await die());
    await run.advance([{ ...pendingState('s9'), status: 'RUNNING', requestId: newId() }], { epoch });
    assert.equal(await die(), false, 'what has only begun is no progress');
    assert.equal(await statusOf(store, run.id), 'FAILED');
  });

  test('with a workflow that ends without an owner its steps end', async t => {
    const { store, db } = await open(t);
    for (const how of ['cancelled while it waits', 'wished to be cancelled', 'died too often'] as const) {
      const run = await aRun(store);
      await run.advance([
        a({ status: 'RUNNING', requestId: newId(), tries: 1 }),
        { ...pendingState('b'), status: 'SUCCEEDED' },
      ]);
      const [waits, runs, done] = [
        await aStepOf(run.id, store, queued),
        await aStepOf(run.id, store, { owner: 'alive' }),
        await aStepOf(run.id, store),
      ];
      await store.requests.finish(anEndOf(done));
      if (how === 'cancelled while it waits') {
        await store.queue.giveBack({ id: run.id, epoch: 1, attempts: [] });
        assert.ok(await store.queue.cancel(run.id, POISON));
      } else if (how === 'wished to be cancelled') {
        await store.requests.wishCancel(run.id);
        assert.deepEqual((await dieOnce(store)).cancelled, [run.id]);
      } else {
        await db
          .updateTable('requests')
          .set({ deaths: MAX_DEATHS - 1 })
          .where('id', '=', run.id)
          .execute();
        assert.deepEqual((await dieOnce(store)).failed, [run.id]);
      }
      const [ofWaits, ofRuns, ofDone] = await store.requests.byIds([waits.id, runs.id, done.id]);
      assert.deepEqual(
        [ofWaits!.status, ofRuns!.status, ofDone!.status],
        ['CANCELLED', 'RUNNING', 'SUCCEEDED'],
        how,
      );
      assert.deepEqual(
        await store.queue.heldBy('alive'),
        [{ id: runs.id, cancelWished: true, acts: null }],
        how,
      );
      assert.deepEqual((await run.states()).map(({ stepId, status }) => [stepId, status]).sort(), [
        ['a', 'CANCELLED'],
        ['ask', 'CANCELLED'],
        ['b', 'SUCCEEDED'],
      ]);
      await store.requests.finish(anEndOf(runs));
    }
  });

  test('a workflow on its last life does not hold up its own steps', async t => {
    const { store, db } = await open(t);
    const run = await aRun(store);
    await store.queue.giveBack({ id: run.id, epoch: 1, attempts: [] });
    const step = await aStepOf(run.id, store, queued);
    const onLastLife = { deaths: MAX_DEATHS - 1 };
    await db.updateTable('requests').set(onLastLife).execute();
    const claim = async () => (await store.queue.claim('me', 1, MAX_DEATHS - 1)).map(({ id }) => id);
    assert.deepEqual(await claim(), [run.id]);
    assert.deepEqual(await claim(), [step.id]);
    const other = await aStepOf(run.id, store, queued);
    await db.updateTable('requests').set(onLastLife).where('id', '=', other.id).execute();
    assert.deepEqual(await claim(), [], 'the steps take their turns as everybody does');
  });

  test('a workflow can be paused before it has begun', async t => {
    const { store } = await open(t);
    const request = aRequest({ ...queued, spec: aSpec({ taskType: 'WORKFLOW', workflow: SPEC }) });
    await store.requests.accept(request);
    assert.equal(await store.workflows.setPaused(request.id, false), false);
    assert.equal(await store.workflows.setPaused(request.id, true), true);
    assert.equal(await store.workflows.setPaused(request.id, true), false);
    const [claimed] = await store.queue.claim('me', 1);
    const begun = await store.workflows.begin(claimed!, SPEC);
    assert.ok(begun!.pausedAt);
    assert.deepEqual(
      begun!.spec.steps.map(({ id }) => id),
      ['a', 'b', 'ask'],
    );
    assert.equal(await store.workflows.setPaused(request.id, false), true);
    assert.deepEqual(await store.workflows.advance({ ...claimed!, steps: [] }), {
      pausedAt: undefined,
      acts: 2,
    });
  });

  test('what a run has spent is told with and without what is under way', async t => {
    const { store } = await open(t);
    const run = await aRun(store);
    assert.deepEqual(await store.workflows.spentBeside(run.id, []), { costNanoUsd: 0n, usage: undefined });
    const [first, second] = [await aStepOf(run.id, store), await aStepOf(run.id, store)];
    for (const step of [first, second]) await store.requests.finish(anEndOf(step));
    const cost = async (except: string[]) => (await store.workflows.spentBeside(run.id, except)).costNanoUsd;
    assert.deepEqual([await cost([]), await cost([first.id])], [3_000_000n, 1_500_000n]);
  });
});
