// Deleting what was said: it is gone from every column of every table, at the right time, and all else stays.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import { requestError } from '../../src/domain/request.ts';
import { pendingState, type StepState, type WorkflowSpec } from '../../src/domain/workflow.ts';
import { parseWorkflow } from '../../src/domain/workflow-input.ts';
import type { Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { placesInDatabase } from '../support/places.ts';
import { BOUNDS } from '../workflows/plays.ts';
import { onBothStores } from './both-stores.ts';
import {
  aDecision,
  anAttempt,
  anEndOf,
  aRequest,
  aSpec,
  aUser,
  endedAgo,
  idOfTheTime,
  makeFinished,
} from './samples.ts';

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;

/** A text that stands nowhere else. */
const CANARY = 'canary-4f1d0c';

const placesOf = (db: Kysely<Tables>) => placesInDatabase(db, CANARY);

const SAID = aSpec({
  prompt: CANARY,
  system: CANARY,
  metadata: { note: CANARY },
  stop: [CANARY],
  outputSchema: { type: 'object', description: CANARY },
});

const WORKFLOW: WorkflowSpec = parseWorkflow(
  {
    steps: [
      { id: 'a', title: CANARY, prompt: CANARY, system: CANARY, outputSchema: { description: CANARY } },
      { id: 'b', prompt: '{{item}}', forEach: { items: 'steps.a.json.list', joinWith: CANARY } },
      { id: 'c', prompt: 'c', condition: { value: '{{steps.b.output}}', equals: CANARY } },
      { id: 'd', kind: 'APPROVAL', prompt: `well, ${CANARY}?` },
    ],
    parameters: { word: CANARY },
    output: `${CANARY} {{steps.a.output}}`,
  },
  CANARY,
  BOUNDS,
);

function stateOf(stepId: string, item: number | undefined, change: Partial<StepState>): StepState {
  return { ...pendingState(stepId, item), status: 'SUCCEEDED', ...change };
}

/** A workflow that has run, with one step that was a request, in whose hands nobody is. */
async function aRun(store: Store, agoMs = 0) {
  const createdAt = new Date(Date.now() - agoMs);
  const request = aRequest({
    id: idOfTheTime(agoMs),
    createdAt,
    spec: aSpec({ prompt: CANARY, taskType: 'WORKFLOW', workflow: WORKFLOW }),
  });
  await store.requests.accept(request);
  const step = await endedAgo(store, agoMs, {
    request: {
      userId: request.userId,
      spec: aSpec({ prompt: CANARY, step: { workflowId: request.id, step: 'a' } }),
    },
    end: { output: CANARY },
  });
  const own = { id: request.id, epoch: 1 };
  await store.workflows.begin(own, WORKFLOW);
  const error = requestError('CANCELLED', `rejected: ${CANARY}`);
  await store.workflows.advance({
    ...own,
    steps: [
      stateOf('a', undefined, { requestId: step.id, output: CANARY }),
      stateOf('b', undefined, { output: CANARY, note: CANARY }),
      stateOf('b', 0, { input: JSON.stringify(CANARY), output: CANARY }),
      stateOf('c', undefined, { status: 'SKIPPED', note: CANARY }),
      stateOf('d', undefined, { status: 'FAILED', note: CANARY, error }),
    ],
  });
  const end = (finishedAt = createdAt) =>
    store.requests.finish(anEndOf(request, { output: CANARY, attempts: [], finishedAt }));
  return { request, step, end };
}

onBothStores(open => {
  test('of a request nothing that was said stays, and all else does', async t => {
    const { store, db } = await open(t);
    const error = requestError('BAD_RESPONSE', `The answer has ${CANARY}.`);
    const { id } = await makeFinished(store, {
      request: { spec: SAID },
      end: {
        output: CANARY,
        status: 'FAILED',
        error,
        attempts: [anAttempt({ error })],
        routing: aDecision(),
      },
    });
    const [before] = await store.requests.byIds([id]);
    assert.ok((await placesOf(db)).length > 3);

    assert.deepEqual(await store.content.delete(id), [id]);

    assert.deepEqual(await placesOf(db), []);
    const [after] = await store.requests.byIds([id]);
    assert.ok(after?.contentDeletedAt);
    const { contentDeletedAt: _at, error: _error, ...rest } = after;
    const { contentDeletedAt: _, error: __, ...restBefore } = before!;
    assert.deepEqual(rest, restBefore);
    assert.equal(after.error?.code, 'BAD_RESPONSE');
    assert.deepEqual(await store.requests.bodiesByIds([id]), [undefined]);
    assert.deepEqual(await store.requests.promptsByIds([id]), [undefined]);
    assert.equal((await store.requests.attemptsByIds([id]))[0]?.length, 1);
    assert.deepEqual(await store.content.delete(id), []);
  });

  test('of a workflow the states of its steps stay, without a word of what they were given and made', async t => {
    const { store, db } = await open(t);
    const { request, step, end } = await aRun(store);
    await end();

    assert.deepEqual(await store.content.delete(request.id), [request.id, step.id].sort());

    assert.deepEqual(await placesOf(db), []);
    const [[run], [steps]] = await Promise.all([
      store.workflows.specsByIds([request.id]),
      store.workflows.stepsByIds([request.id]),
    ]);
    assert.deepEqual(
      run?.spec.steps.map(({ id, kind, title, dependsOn, forEach }) => [
        id,
        kind,
        title,
        dependsOn,
        forEach?.items,
      ]),
      [
        ['a', 'MODEL', 'a', [], undefined],
        ['b', 'MODEL', 'b', ['a'], ''],
        ['c', 'MODEL', 'c', ['b'], undefined],
        ['d', 'APPROVAL', 'd', [], undefined],
      ],
    );
    assert.deepEqual(steps?.map(({ stepId, status }) => `${stepId} ${status}`).sort(), [
      'a SUCCEEDED',
      'b SUCCEEDED',
      'c SKIPPED',
      'd FAILED',
    ]);
  });

  test('what has not ended keeps its content', async t => {
    const { store } = await open(t);
    const request = aRequest();
    await store.requests.accept(request);

    assert.deepEqual(await store.content.delete(request.id), []);
    assert.deepEqual(await store.content.expire(0, 10), []);
    assert.deepEqual(await store.content.deleteOf(request.userId, undefined, 10), []);
    assert.equal((await store.requests.bodiesByIds([request.id]))[0]?.spec.messages.length, 1);
  });

  test('what ended longer ago than the policy allows loses its content, the oldest first', async t => {
    const { store } = await open(t);
    const [old, older, young] = [
      await endedAgo(store, MONTH_MS + DAY_MS),
      await endedAgo(store, MONTH_MS + 2 * DAY_MS),
      await endedAgo(store, MONTH_MS - DAY_MS),
    ];

    assert.deepEqual(await store.content.expire(MONTH_MS, 1), [older.id]);
    assert.deepEqual(await store.content.expire(MONTH_MS, 10), [old.id]);
    assert.deepEqual(await store.content.expire(MONTH_MS, 10), []);
    assert.equal((await store.requests.byIds([young.id]))[0]?.contentDeletedAt, undefined);
  });

  test('a step keeps its content until its workflow has ended long enough ago', async t => {
    const { store, db } = await open(t);
    const { request, step, end } = await aRun(store, 2 * MONTH_MS);

    assert.deepEqual(await store.content.expire(MONTH_MS, 10), []);
    await end(new Date());
    assert.deepEqual(await store.content.expire(MONTH_MS, 10), []);
    await sql`update requests set finished_at = now() - interval '31 days' where id = ${request.id}`.execute(
      db,
    );
    assert.deepEqual((await store.content.expire(MONTH_MS, 10)).sort(), [request.id, step.id].sort());
    assert.deepEqual(await placesOf(db), []);
  });

  test('a run takes nothing over from one whose content was deleted before it began', async t => {
    const { store } = await open(t);
    const { request: earlier, end } = await aRun(store);
    await end();
    const reuse = { requestId: earlier.id, steps: ['a', 'b'], items: [] };
    const again = aRequest({ spec: aSpec({ taskType: 'WORKFLOW', workflow: { ...WORKFLOW, reuse } }) });
    await store.requests.accept(again);

    await store.content.delete(earlier.id);

    const run = await store.workflows.begin({ id: again.id, epoch: 1 }, { ...WORKFLOW, reuse });
    assert.deepEqual(run?.steps, []);
  });

  test("a user's requests are gone through from the first to the last", async t => {
    const { store } = await open(t);
    const { id: userId } = aUser();
    const own = [
      await endedAgo(store, 3, { request: { userId } }),
      await endedAgo(store, 2, { request: { userId } }),
    ].map(({ id }) => id);
    const other = await endedAgo(store, 1);

    assert.deepEqual(await store.content.deleteOf(userId, undefined, 1), [own[0]]);
    assert.deepEqual(await store.content.deleteOf(userId, own[0], 10), [own[1]]);
    assert.equal((await store.requests.byIds([other.id]))[0]?.contentDeletedAt, undefined);
  });

  test('an idempotency key still finds its request', async t => {
    const { store } = await open(t);
    const { id, userId, inputHash } = await makeFinished(store, { request: { idempotencyKey: 'k' } });

    await store.content.delete(id);

    const use = { userId, idempotencyKey: 'k', inputHash };
    assert.deepEqual(await store.requests.requestOfKey(use), { outcome: 'duplicate', requestId: id });
  });
});
