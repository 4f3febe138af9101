// The rows of a workflow in memory keep the promises of those in the database: whatever is done to both, they say the
// same. So what schedule.test.ts finds out on the quick ones holds for the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { requestError } from '../../src/domain/request.ts';
import { pendingState, STEP_STATUSES, type StepState, stateKey } from '../../src/domain/workflow.ts';
import { parseWorkflow } from '../../src/domain/workflow-input.ts';
import { openTestStore } from '../support/database.ts';
import { BOUNDS, TASK } from './plays.ts';
import { type Rows, rowsIn, rowsInMemory } from './rows.ts';

const SPEC = parseWorkflow({ steps: ['a', 'b', 'c'].map(id => ({ id, prompt: id })) }, TASK, BOUNDS);
const PLANNED = { ...SPEC, input: 'planned' };
const IDS = [1, 2].map(number => `00000000-0000-7000-8000-00000000000${number}`);

const state = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c'),
    item: fc.constantFrom(undefined, 0),
    status: fc.constantFrom(...STEP_STATUSES),
    requestId: fc.constantFrom(undefined, ...IDS),
    tries: fc.nat(2),
    output: fc.constantFrom(undefined, '', 'text', '[1]'),
    failed: fc.boolean(),
  })
  .map(({ id, item, failed, ...rest }): StepState => {
    const error = failed ? requestError('TIMEOUT', 'late', { retryAfterMs: 5 }) : undefined;
    return { ...pendingState(id, item, item === undefined ? undefined : '1'), ...rest, error };
  });
/** Of the latest owner, or of the one before. */
const age = fc.constantFrom(0, 0, 0, 1);
const deed = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('claim' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('recover', 'acts', 'cancelWaiting', 'wake') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('begin', 'giveBack'), age }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const), age }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('park' as const),
      age,
      /** Acts that it does not know of. */
      missed: fc.constantFrom(0, 0, 1),
      hasTime: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      age,
      steps: fc.uniqueArray(state, { selector: stateKey, maxLength: 4 }),
      isPlanned: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('setPaused' as const), paused: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      id: fc.constantFrom('a', 'b'),
      approved: fc.boolean(),
    }),
  },
);
type Deed = typeof deed extends fc.Arbitrary<infer Value> ? Value : never;

/** Does it, and tells what came of it as both can tell it. */
async function done(rows: Rows, given: Deed, epoch: number): Promise<unknown> {
  const { id, workflows } = rows;
  const own = { id, epoch: 'age' in given ? epoch - given.age : epoch };
  switch (given.do) {
    case 'recover':
      return rows.recover();
    case 'wake':
      return rows.wake();
    case 'acts': {
      const { count, pausedAt, decisions } = await workflows.acts(id);
      return [
        count,
        pausedAt !== undefined,
        decisions.toSorted((one, other) => (one.stepId < other.stepId ? -1 : 1)),
      ];
    }
    case 'park': {
      const acts = (await workflows.acts(id)).count - given.missed;
      const wakeAt = given.hasTime ? new Date(0) : undefined;
      return workflows.park({ ...own, acts, wakeAt, lastSequence: 1 });
    }
    case 'cancelWaiting':
      return rows.cancelWaiting();
    case 'claim':
    case 'begin': {
      const begun = await workflows.begin(own, SPEC);
      return begun && [begun.spec.input, begun.pausedAt !== undefined, begun.acts, byKey(begun.steps)];
    }
    case 'giveBack':
      return rows.giveBack(own.epoch);
    case 'finish':
      return rows.finish(own.epoch, 'SUCCEEDED');
    case 'advance': {
      const spec = given.isPlanned ? PLANNED : undefined;
      const written = await workflows.advance({ ...own, steps: given.steps, spec });
      return written && [written.pausedAt !== undefined, written.acts];
    }
    case 'setPaused':
      return workflows.setPaused(id, given.paused);
    case 'decide':
      return workflows.decide(id, {
        stepId: given.id,
        approved: given.approved,
        by: 'me',
        comment: undefined,
      });
  }
}

function byKey(states: readonly StepState[]): Record<string, StepState> {
  // The database cancels at its own time.
  const told = states.map(
    each => [stateKey(each), each.finishedAt ? { ...each, finishedAt: undefined } : each] as const,
  );
  return Object.fromEntries(told.sort(([one], [other]) => (one < other ? -1 : 1)));
}

test('rows in memory and rows in the database say the same', async t => {
  const store = await openTestStore(t);
  let told = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 25, size: 'max' }), async deeds => {
      const both = [await rowsIn(store, SPEC), rowsInMemory(SPEC)];
      let epoch = 0;
      let waits = true;
      for (const given of deeds) {
        if (given.do === 'claim') {
          if (!waits) continue;
          const epochs = await Promise.all(both.map(rows => rows.claim()));
          assert.equal(epochs[0], epochs[1]);
          epoch = epochs[0]!;
        }
        const [inStore, inMemory] = await Promise.all(both.map(rows => done(rows, given, epoch)));
        assert.deepEqual(inMemory, inStore, JSON.stringify(given));
        if (inStore !== undefined && inStore !== false) told += 1;
        const [stored, kept] = await Promise.all(both.map(async rows => byKey(await rows.states())));
        assert.deepEqual(kept, stored, JSON.stringify(given));
        const ends = await Promise.all(both.map(rows => rows.status()));
        assert.equal(ends[1], ends[0]);
        waits = ends[0] === 'QUEUED';
      }
      // Nothing is left for the next one to claim.
      if (waits) await both[0]!.cancelWaiting();
      else await both[0]!.finish(epoch, 'FAILED');
    }),
    { numRuns: 30, seed: 1 },
  );
  assert.ok(told > 50, `too little was done: ${told}`);
});
