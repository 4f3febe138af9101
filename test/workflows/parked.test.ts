// Workflows in which only people can act: nobody has them in hand, so that thousands of them cost nothing, and what
// people do takes them up again, whoever was there before.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { idOf } from '../../src/domain/ids.ts';
import { pendingState } from '../../src/domain/workflow.ts';
import { createStore } from '../../src/store/create-store.ts';
import type { Store } from '../../src/store/store.ts';
import { aRun } from '../store/workflow-setup.ts';
import { BOUNDLESS_CALLERS, type Data, startTestApp, until } from '../support/app.ts';
import { openTestDatabase, openTestStore } from '../support/database.ts';
import { startInstances } from '../support/instances.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';
import {
  providerAt,
  STREAM,
  startWorkflowWorld,
  statusesOf,
  textsIn,
  type WorkflowWorld,
  workflowsOn,
} from './setup.ts';

const ASK = {
  steps: [
    { id: 'draft', prompt: 'draft' },
    { id: 'ask', kind: 'APPROVAL', prompt: 'Publish {{steps.draft.output}}?' },
    { id: 'publish', prompt: 'publish {{steps.draft.output}}', dependsOn: ['ask'] },
  ],
};
const HUNDREDS = 200;
const ONLY_ASK = { steps: [ASK.steps[1]!].map(step => ({ ...step, prompt: 'well?' })) };

function decide(world: Pick<WorkflowWorld, 'ask'>, requestId: string): Promise<Data> {
  return world.ask(
    'mutation ($input: DecideStepInput!) { decideStep(input: $input) { request { status } } }',
    {
      input: { requestId, step: 'ask', approved: true },
    },
  );
}

async function parked({ store }: { readonly store: Store }, id: string): Promise<void> {
  const isParked = async () => (await store.requests.byIds([idOf('request', id)!]))[0]!.isParked === true;
  await until(isParked, 'it is in nobody’s hands');
}

/** A server whose statements are counted from heartbeat to heartbeat. */
async function startCounted(t: TestContext, env: Record<string, string>) {
  const upstream = await startUpstream(t);
  const { db, store: opened } = await openTestDatabase(t);
  let statements = 0;
  let beat = Promise.withResolvers<void>();
  const counting = db.withPlugin({
    transformQuery({ node }) {
      statements += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const store = createStore({ db: counting, info: opened.info, close: async () => {} });
  const instances: Store['instances'] = {
    ...store.instances,
    beat(id) {
      beat.resolve();
      beat = Promise.withResolvers();
      return store.instances.beat(id);
    },
  };
  const app = await startTestApp(t, { ...providerAt(upstream), ...env }, async () => ({
    ...store,
    instances,
  }));
  return {
    ...workflowsOn(app, upstream),
    /** Of two heartbeats, and of whatever else there is meanwhile. */
    async statements(): Promise<number> {
      await beat.promise;
      const before = statements;
      await beat.promise;
      await beat.promise;
      return statements - before;
    },
  };
}

test('hundreds of workflows that wait for people keep nobody out, and cost no more than none', async t => {
  const world = await startCounted(t, {
    ...BOUNDLESS_CALLERS,
    MCPLANE_MAX_RUNNING_REQUESTS: '2',
    MCPLANE_MAX_QUEUED_REQUESTS: '5',
  });
  const { gateway } = world.app;
  const without = await world.statements();
  // Most of them are parked by the store alone, which is quicker.
  for (let run = 0; run < HUNDREDS; run += 1) {
    const { advance, ...own } = await aRun(world.store);
    await advance([{ ...pendingState('ask'), status: 'WAITING' }]);
    await world.store.workflows.park({ ...own, acts: 0, wakeAt: undefined, lastSequence: 1 });
  }
  const ids: string[] = [];
  for (let run = 0; run < 10; run += 1) {
    ids.push(await world.start(run % 2 === 0 ? ONLY_ASK : ASK));
    await parked(world, ids.at(-1)!);
  }
  assert.deepEqual(gateway.load(), { running: 0, queued: 0 });
  const cost = await world.statements();
  assert.ok(cost <= without + 5, `${cost} statements with those that wait, ${without} without`);

  // All places are taken, and there is room in the queue.
  const go = Promise.withResolvers<void>();
  world.upstream.answerWith(() => [text('so '), gate(go.promise), text('be it')]);
  const others: string[] = [];
  for (const prompt of ['one', 'two', 'three'])
    others.push(await world.start({ steps: [{ id: 'a', prompt }] }));
  go.resolve();
  for (const id of others) assert.equal((await world.ended(id)).output, 'so be it');
  await decide(world, ids[0]!);
  await decide(world, ids.at(-1)!);
  assert.equal((await world.ended(ids[0]!)).status, 'SUCCEEDED');
  assert.equal((await world.ended(ids.at(-1)!)).output, 'so be it');
});

test('who follows a workflow that waits is told what there is, and goes on with it', async t => {
  const upstream = await startUpstream(t);
  const instances = await startInstances(t, providerAt(upstream));
  const id = await workflowsOn(instances.first, upstream).start(ASK);
  await parked(instances, id);
  // Nothing of its log is here: it is told from the store.
  const world = workflowsOn(instances.second, upstream);
  const events: Data[] = [];
  let cursor: string | undefined;
  const read = async (after: string | undefined, isEnough: (event: Data) => boolean) => {
    for await (const { tokenStream } of world.follow(STREAM, { id, after })) {
      events.push(tokenStream);
      ({ cursor } = tokenStream);
      if (isEnough(tokenStream)) return;
    }
  };
  await read(undefined, ({ updated }) => updated?.id === 'ask');
  assert.equal(textsIn(events).draft, 'echo: draft');
  const rest = read(cursor, () => false);
  await decide(world, id);
  await rest;
  assert.equal(events.at(-1).__typename, 'StreamCompleted');
  assert.deepEqual(textsIn(events), {
    draft: 'echo: draft',
    publish: 'echo: publish echo: draft',
  });
});

test('what waits outlives every server, and is taken up by a decision that nobody told of', async t => {
  const upstream = await startUpstream(t);
  const store = await openTestStore(t);
  const lasting = async () => ({ ...store, close: async () => {} });
  const first = workflowsOn(await startTestApp(t, providerAt(upstream), lasting), upstream);
  const id = await first.start(ASK);
  await parked(first, id);
  await first.app.close(0);

  const second = workflowsOn(await startTestApp(t, providerAt(upstream), lasting), upstream);
  assert.deepEqual(statusesOf(await second.state(id)), {
    draft: 'SUCCEEDED',
    ask: 'WAITING',
    publish: 'PENDING',
  });
  const decision = { stepId: 'ask', approved: true, by: 'somebody', comment: undefined };
  assert.ok(await store.workflows.decide(idOf('request', id)!, decision));
  assert.equal((await second.ended(id)).output, 'echo: publish echo: draft');
  assert.deepEqual(second.prompts(), ['draft', 'publish echo: draft']);
});

test('a decision that nobody told of is found by whoever has the workflow in hand', async t => {
  const world = await startWorkflowWorld(t);
  const go = Promise.withResolvers<void>();
  world.upstream.enqueue([text('half '), gate(go.promise)]);
  const id = await world.start({
    steps: [
      ONLY_ASK.steps[0],
      { id: 'long', prompt: 'long' },
      { id: 'next', prompt: 'next', dependsOn: ['ask'] },
    ],
  });
  await until(async () => statusesOf(await world.state(id)).ask === 'WAITING', 'it waits');
  const decision = { stepId: 'ask', approved: true, by: 'somebody', comment: undefined };
  await world.store.workflows.decide(idOf('request', id)!, decision);
  await until(async () => statusesOf(await world.state(id)).next === 'SUCCEEDED', 'it goes on');
  assert.equal(statusesOf(await world.state(id)).long, 'RUNNING');
  go.resolve();
  assert.equal((await world.ended(id)).status, 'SUCCEEDED');
});

test('the deadline of a workflow ends it also while it waits for people', async t => {
  const upstream = await startUpstream(t);
  const { store, db } = await openTestDatabase(t);
  const world = workflowsOn(await startTestApp(t, providerAt(upstream), async () => store), upstream);
  const id = await world.start({ ...ASK, limits: { deadlineMs: 3_600_000 } });
  await parked(world, id);
  const past = new Date(Date.now() - 3_600_000);
  await db.updateTable('requests').set({ created_at: past }).execute();
  await db.updateTable('workflows').set({ wake_at: past }).execute();
  const request = await world.ended(id);
  assert.equal(request.error.code, 'TIMEOUT');
  assert.deepEqual(statusesOf(request), { draft: 'SUCCEEDED', ask: 'CANCELLED', publish: 'CANCELLED' });
});

test('what waits is cancelled and paused wherever that is asked for', async t => {
  const upstream = await startUpstream(t);
  const instances = await startInstances(t, providerAt(upstream));
  const [first, second] = [instances.first, instances.second].map(app => workflowsOn(app, upstream));
  const change = (mutation: string, id: string) =>
    second!.ask(`mutation ($id: ID!) { ${mutation}(input: { requestId: $id }) { request { status } } }`, {
      id,
    });
  const cancelled = await first!.start(ASK);
  await parked(instances, cancelled);
  assert.equal((await change('cancelRequest', cancelled)).cancelRequest.request.status, 'CANCELLED');
  assert.deepEqual(statusesOf(await second!.ended(cancelled)), {
    draft: 'SUCCEEDED',
    ask: 'CANCELLED',
    publish: 'CANCELLED',
  });

  const paused = await first!.start(ASK);
  await parked(instances, paused);
  await change('pauseWorkflow', paused);
  await decide(second!, paused);
  await until(async () => statusesOf(await first!.state(paused)).ask === 'SUCCEEDED', 'the decision counts');
  await parked(instances, paused);
  assert.equal(statusesOf(await first!.state(paused)).publish, 'PENDING');
  await change('resumeWorkflow', paused);
  assert.equal((await first!.ended(paused)).output, 'echo: publish echo: draft');
});
