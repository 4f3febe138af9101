// Workflows that change hands: by a death that was none, by a stop, and without an owner for a while.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { idOf } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import type { Store } from '../../src/store/store.ts';
import { StoreUnavailable } from '../../src/store/unavailable.ts';
import { type Data, startTestApp, type TestApp, until } from '../support/app.ts';
import { openTestDatabase, openTestStore, type TestDatabase } from '../support/database.ts';
import { startInstances } from '../support/instances.ts';
import { gate, startUpstream, text, type Upstream } from '../support/upstream.ts';
import { promptIn, providerAt, STREAM, statusesOf, textsIn, workflowsOn } from './setup.ts';

const never = new Promise<never>(() => {});
const CHAIN = {
  steps: [
    { id: 'a', prompt: 'a' },
    { id: 'b', prompt: 'b {{steps.a.output}}' },
  ],
};

/** The first call of `a` says half of its answer and waits; every other one answers at once. */
function holdFirst(upstream: Upstream, until: Promise<unknown>): void {
  let calls = 0;
  upstream.answerWith(request => {
    const prompt = promptIn(request);
    if (prompt === 'a' && calls++ === 0) return [text('half '), gate(until), text('too late')];
    return [text(`<${prompt}>`)];
  });
}

async function rowsOf({ db }: TestDatabase) {
  const [steps, requests] = await Promise.all([
    db.selectFrom('workflow_steps').selectAll().orderBy('step_id').execute(),
    db
      .selectFrom('requests')
      .select(['id', 'status', 'step', 'deaths', 'epoch', 'attempt_count'])
      .orderBy('id')
      .execute(),
  ]);
  return { steps, requests };
}

async function read(app: TestApp, id: string, after?: string): Promise<Data[]> {
  const events = [];
  for await (const { tokenStream } of app.follow(STREAM, { id, after })) events.push(tokenStream);
  return events;
}

test('an owner that was taken for dead changes nothing when it wakes up, and subscribers go on at its heir', async t => {
  const upstream = await startUpstream(t);
  const instances = await startInstances(t, providerAt(upstream));
  const [first, second] = [instances.first, instances.second].map(app => workflowsOn(app, upstream));
  const go = Promise.withResolvers<void>();
  holdFirst(upstream, go.promise);
  const id = await first!.start(CHAIN);
  let cursor: string | undefined;
  for await (const { tokenStream } of first!.follow(STREAM, { id }))
    if (tokenStream.__typename === 'TokenDelta') {
      ({ cursor } = tokenStream);
      break;
    }
  await instances.first.freeze();
  await instances.declareDead(instances.first);

  const followed = await read(second!, id, cursor);
  assert.equal(followed.at(-1).__typename, 'StreamCompleted');
  assert.equal(followed[0].__typename, 'StreamRestarted');
  assert.deepEqual(textsIn(followed), { a: '<a>', b: '<b <a>>' });
  assert.deepEqual(textsIn(await read(second!, id)), { a: '<a>', b: '<b <a>>' });
  assert.equal((await second!.state(id)).output, '<b <a>>');
  const before = await rowsOf(instances);
  go.resolve();
  instances.first.thaw();
  await until(
    () => instances.first.ids.length === 2 && first!.app.gateway.load().running === 0,
    'it has woken up',
  );
  await until(() => upstream.openCalls === 0, 'its call has ended');
  assert.deepEqual(await rowsOf(instances), before);
  assert.deepEqual(second!.prompts(), ['a', 'a', 'b <a>']);
  assert.deepEqual(
    before.requests.map(({ step, attempt_count }) => [step, attempt_count]),
    [
      [null, 0],
      ['a', 2],
      ['b', 1],
    ],
  );
});

/** A server whose heart stands still, and which hears of what it has written last only when it is let go on. */
async function startLate(t: TestContext, upstream: Upstream) {
  const { store, db } = await openTestDatabase(t);
  const ids: string[] = [];
  const written = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const instances: Store['instances'] = {
    ...store.instances,
    register: (id, ...rest) => {
      ids.push(id);
      return store.instances.register(id, ...rest);
    },
    beat: id => goOn.promise.then(() => store.instances.beat(id)),
  };
  const workflows: Store['workflows'] = {
    ...store.workflows,
    async advance(change) {
      const answer = await store.workflows.advance(change);
      written.resolve();
      await goOn.promise;
      return answer;
    },
  };
  const late = async () => ({ ...store, instances, workflows, close: async () => {} });
  const app = await startTestApp(t, providerAt(upstream), late);
  return { ...workflowsOn(app, upstream), store, db, ids, written: written.promise, goOn: goOn.resolve };
}

test('an owner that slept between the writing and the doing begins no step of a workflow that was ended meanwhile', async t => {
  const upstream = await startUpstream(t);
  const { store, db, ids, written, goOn, start, prompts, state, app } = await startLate(t, upstream);
  const id = await start(CHAIN);
  await written;
  const requestId = idOf('request', id)!;
  await store.instances.retire(ids[0]!);
  const dead = requestError('INTERNAL', 'The server died too often.');
  await store.transaction(inside => inside.queue.recover([ids[0]!], 3, dead));
  await store.queue.cancel(requestId, requestError('CANCELLED', 'cancelled'));

  goOn();
  await until(
    () => ids.length === 2 && app.gateway.load().running === 0,
    'it knows that it was declared dead',
  );
  assert.deepEqual(prompts(), []);
  const request = await state(id);
  assert.equal(request.status, 'CANCELLED');
  assert.deepEqual(statusesOf(request), { a: 'CANCELLED', b: 'CANCELLED' });
  assert.equal((await rowsOf({ store, db })).requests.length, 1);
});

test('a stop hands a workflow over without a death, and no step of it is begun anew that has ended', async t => {
  const upstream = await startUpstream(t);
  const instances = await startInstances(t, providerAt(upstream));
  const [first, second] = [instances.first, instances.second].map(app => workflowsOn(app, upstream));
  upstream.answerWith(request => {
    const isFirst = second!.prompts().filter(prompt => prompt === promptIn(request)).length === 1;
    return promptIn(request) === 'b <a>' && isFirst
      ? [text('half '), gate(never)]
      : [text(`<${promptIn(request)}>`)];
  });
  const id = await first!.start({ steps: [...CHAIN.steps, { id: 'c', prompt: 'c {{steps.b.output}}' }] });
  await until(() => second!.prompts().includes('b <a>'), 'the second step runs');
  const ended = read(second!, id);
  await first!.app.close(0);

  assert.equal((await ended).at(-1).__typename, 'StreamCompleted');
  assert.equal((await second!.state(id)).output, '<c <b <a>>>');
  assert.deepEqual(second!.prompts(), ['a', 'b <a>', 'b <a>', 'c <b <a>>']);
  const { requests } = await rowsOf(instances);
  assert.deepEqual(
    requests.map(({ step, deaths, attempt_count }) => [step, deaths, attempt_count]),
    [
      [null, 0, 0],
      ['a', 0, 1],
      ['b', 0, 2],
      ['c', 0, 1],
    ],
  );
});

test('a stop does not wait for a workflow that waits for a person', { timeout: 60_000 }, async t => {
  const upstream = await startUpstream(t);
  const instances = await startInstances(t, providerAt(upstream));
  const [first, second] = [instances.first, instances.second].map(app => workflowsOn(app, upstream));
  const id = await first!.start({ steps: [{ id: 'ask', kind: 'APPROVAL', prompt: 'well?' }] });
  await until(async () => statusesOf(await second!.state(id)).ask === 'WAITING', 'the step waits');
  await first!.app.close(3_600_000);
  await second!.ask(
    'mutation ($id: ID!) { decideStep(input: { requestId: $id, step: "ask", approved: true }) { request { id } } }',
    { id },
  );
  assert.equal((await second!.ended(id)).status, 'SUCCEEDED');
});

test('a workflow that nobody has in hand is cancelled with its steps', async t => {
  const upstream = await startUpstream(t);
  const instances = await startInstances(t, providerAt(upstream));
  const [first, second] = [instances.first, instances.second].map(app => workflowsOn(app, upstream));
  holdFirst(upstream, never);
  const id = await first!.start(CHAIN);
  await upstream.nextRequest();
  await instances.first.freeze();
  await instances.declareDead(instances.first);
  // Nobody has found the queue yet, or the second has just taken it: both must do.
  const { cancelRequest } = await second!.ask(
    'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { status } } }',
    { id },
  );
  assert.equal(cancelRequest.request.status, 'CANCELLED');
  assert.deepEqual(statusesOf(await second!.state(id)).a, 'CANCELLED');
  const { requests } = await rowsOf(instances);
  assert.deepEqual(
    requests.map(({ status }) => status),
    ['CANCELLED', 'CANCELLED'],
  );
  instances.first.thaw();
});

/** Every repository of the store fails while it is `down`. */
function fallible(store: Store) {
  const outage = { isDown: false, refusals: 0 };
  const guard = <Repository extends object>(repository: Repository): Repository =>
    new Proxy(repository, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          if (outage.isDown) {
            outage.refusals += 1;
            throw new StoreUnavailable(new Error('scripted'), { mayHaveRun: false });
          }
          return Reflect.apply(value, target, given);
        };
      },
    });
  const { requests, queue, workflows, instances } = store;
  const guarded = {
    requests: guard(requests),
    queue: guard(queue),
    workflows: guard(workflows),
    instances: guard(instances),
  };
  return { outage, store: { ...store, ...guarded } };
}

test('an outage of the database in the middle of a step costs nothing but time', async t => {
  const upstream = await startUpstream(t);
  const { outage, store } = fallible(await openTestStore(t));
  const app = await startTestApp(t, providerAt(upstream), async () => store);
  const { start, ended, prompts } = workflowsOn(app, upstream);
  const go = Promise.withResolvers<void>();
  holdFirst(upstream, go.promise);
  const id = await start(CHAIN);
  await upstream.nextRequest();
  outage.isDown = true;
  go.resolve();
  await until(() => outage.refusals >= 5, 'the database was asked in vain');
  assert.deepEqual(prompts(), ['a']);
  outage.isDown = false;
  const request = await ended(id);
  assert.equal(request.output, '<b half too late>');
  assert.deepEqual(prompts(), ['a', 'b half too late']);
  assert.deepEqual(
    request.workflow.steps.map((step: Data) => step.tries),
    [1, 1],
  );
});
