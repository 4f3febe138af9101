// The rule for what a run does next, by itself: it comes to an end, never takes anything back, begins nothing too early
// or too much of it at a time, and the order in which things end does not change what they come to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../bench/routing/random.ts';
import { promptOf, requestError } from '../../src/domain/request.ts';
import { hasEnded, type StepState, stateKey, type WorkflowSpec } from '../../src/domain/workflow.ts';
import { afterFailure, type Moment, progress } from '../../src/domain/workflow-progress.ts';
import { endOf, type RunEnd } from '../../src/domain/workflow-result.ts';
import { stepSpecOf } from '../../src/workflows/step.ts';
import { aSpec } from '../store/samples.ts';
import { triesOf } from './cluster.ts';
import { BOUNDS, type Play, play } from './plays.ts';
import { answerOf, predict } from './reference.ts';
import { specOf } from './schedules.ts';
import { Watch } from './watch.ts';

const MAX_ITEMS = BOUNDS.maxItems;
const FAILED = requestError('PROVIDER_FAILED', 'scripted');

/** Those of the play whose steps are not planned: planning is not in the rule. */
const given = play.map((each): Play => ({ ...each, plan: undefined }));

interface Course {
  readonly states: Map<string, StepState>;
  readonly end: RunEnd;
}

/** One run from its beginning to its end; `random` chooses what ends next, and now and then holds the run up. */
function carriedOut(play: Play, spec: WorkflowSpec, random: () => number): Course {
  const states = new Map<string, StepState>();
  const watch = new Watch(spec);
  let now = new Date('2026-11-01T00:00:00Z');
  let ids = 0;
  for (let rounds = 0; rounds < 2_000; rounds += 1) {
    const moment: Moment = { now, maxItems: MAX_ITEMS, held: random() < 0.2 };
    const next = progress(spec, states, moment);
    const begun = next.starts.map(state => ({ ...state, requestId: `${++ids}` }));
    for (const state of [...next.changed, ...begun]) states.set(stateKey(state), state);
    watch.written([...states.values()], undefined, moment.held);
    assertSettled(spec, states, moment);
    const end = endOf(spec, states);
    if (end) return { states, end };
    const open = [...states.values()].filter(
      state => state.status === 'WAITING' || (state.status === 'RUNNING' && state.requestId !== undefined),
    );
    const chosen = open[Math.floor(random() * open.length)];
    if (chosen) states.set(stateKey(chosen), ended(chosen, { play, spec, states, now }));
    else if (next.wakeAt) now = next.wakeAt;
    else assert.ok(moment.held, `stuck: ${JSON.stringify([...states.values()])}`);
  }
  throw new Error('it never ends');
}

/** Asked again, the rule has nothing to add. */
function assertSettled(spec: WorkflowSpec, states: ReadonlyMap<string, StepState>, moment: Moment): void {
  const again = progress(spec, states, moment);
  assert.deepEqual([again.changed, again.starts], [[], []]);
}

interface Around {
  readonly play: Play;
  readonly spec: WorkflowSpec;
  readonly states: ReadonlyMap<string, StepState>;
  readonly now: Date;
}

function ended(state: StepState, { play, spec, states, now }: Around): StepState {
  const step = spec.steps.find(({ id }) => id === state.stepId)!;
  if (state.status === 'WAITING')
    return play.steps.find(({ id }) => id === state.stepId)!.decision.approved
      ? { ...state, status: 'SUCCEEDED', output: 'because', finishedAt: now }
      : { ...state, status: 'FAILED', error: requestError('CANCELLED', 'no'), finishedAt: now };
  const key = stateKey(state);
  const how = triesOf(play, key)[state.tries - 1]?.end ?? 'succeeds';
  if (how !== 'succeeds')
    return afterFailure(step, state, { error: { ...FAILED, retryable: how === 'fails' }, now });
  const around = { step, states, workflow: spec, request: { id: 'run' } as never, spec: aSpec() };
  const built = stepSpecOf(state, around, { maxPromptBytes: 100_000 });
  assert.ok('spec' in built);
  const output = answerOf(play, key, promptOf(built.spec.messages));
  return { ...state, status: 'SUCCEEDED', output, error: undefined, finishedAt: now };
}

function resultsOf({ states, end }: Course, isSure: (key: string) => boolean) {
  const told = [...states].map(([key, { status, output, tries }]) => [key, status, output, tries] as const);
  return {
    end,
    states: told.filter(([key]) => isSure(key)).sort(([one], [other]) => (one < other ? -1 : 1)),
  };
}

test('every run comes to an end, in order, within its bounds, and to the same one whatever ends first', () => {
  let certain = 0;
  fc.assert(
    fc.property(given, fc.integer(), fc.integer(), (play, one, other) => {
      const spec = specOf({ play, maxCost: undefined, deadlineMs: undefined });
      const { isCertain, statuses, output, results } = predict(play);
      const courses = [one, other].map(seed => carriedOut(play, spec, createRandom(seed)));
      for (const { states, end } of courses) {
        assert.ok(statuses.includes(end.status), `${end.status}, and not ${statuses}`);
        for (const state of states.values()) assert.ok(hasEnded(state.status));
      }
      if (!isCertain) return;
      certain += 1;
      assert.equal(courses[0]!.end.output, output);
      const isSure = (key: string) => !results.get(key)?.mayBeCancelled;
      const [first, second] = courses.map(course => resultsOf(course, isSure));
      assert.deepEqual(second, first);
    }),
    { numRuns: 1_500, seed: Number(process.env.SCHEDULE_SEED ?? 1) },
  );
  assert.ok(certain > 500, `too few of them succeed: ${certain}`);
});
