// The rules for the steps of a workflow, one by one; that they come to an end together is tested in test/workflows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestError } from '../../src/domain/request.ts';
import { pendingState, type StepState, stateKey } from '../../src/domain/workflow.ts';
import { parseWorkflow, type WorkflowInput } from '../../src/domain/workflow-input.ts';
import { afterFailure, progress } from '../../src/domain/workflow-progress.ts';
import { endOf } from '../../src/domain/workflow-result.ts';
import { BOUNDS } from '../workflows/plays.ts';

const NOW = new Date('2026-11-01T00:00:00Z');
const MOMENT = { now: NOW, maxItems: 10, held: false };

function parse(input: WorkflowInput) {
  return parseWorkflow(input, 'the input', BOUNDS);
}

/** What becomes of steps that need nobody to carry them out. */
function statesOf(input: WorkflowInput, before: readonly StepState[] = []) {
  const spec = parse(input);
  const states = new Map(before.map(state => [stateKey(state), state]));
  for (const state of progress(spec, states, MOMENT).changed) states.set(stateKey(state), state);
  return { states, end: endOf(spec, states) };
}

test('a retry waits twice as long each time, and at least as long as the provider wishes', () => {
  const retry = { maxRetries: 3, backoffMs: 100 };
  const [step] = parse({ steps: [{ id: 'a', prompt: 'a', retry }] }).steps;
  const fail = (tries: number, error: Parameters<typeof requestError>[2] = {}) => {
    const failure = requestError('PROVIDER_FAILED', 'no', { retryable: true, ...error });
    const { status, notBefore } = afterFailure(
      step!,
      { ...pendingState('a'), status: 'RUNNING', tries },
      {
        error: failure,
        now: NOW,
      },
    );
    return [status, notBefore && notBefore.getTime() - NOW.getTime()];
  };
  assert.deepEqual(fail(1), ['PENDING', 100]);
  assert.deepEqual(fail(2), ['PENDING', 200]);
  assert.deepEqual(fail(3), ['PENDING', 400]);
  assert.deepEqual(fail(1, { retryAfterMs: 5_000 }), ['PENDING', 5_000]);
  assert.deepEqual(fail(3, { retryAfterMs: 10 }), ['PENDING', 400]);
  assert.deepEqual(fail(4), ['FAILED', undefined]);
  assert.deepEqual(fail(1, { retryable: false }), ['FAILED', undefined]);
});

test('a step that waits for its retry is not begun before its time', () => {
  const spec = parse({ steps: [{ id: 'a', prompt: 'a' }] });
  const at = (ms: number) => new Date(NOW.getTime() + ms);
  const states = new Map([['a', { ...pendingState('a'), tries: 1, notBefore: at(100) }]]);
  const early = progress(spec, states, { ...MOMENT, now: at(99) });
  assert.deepEqual([early.starts, early.wakeAt], [[], at(100)]);
  const due = progress(spec, states, { ...MOMENT, now: at(100) });
  assert.deepEqual(
    due.starts.map(({ tries, notBefore }) => [tries, notBefore]),
    [[2, undefined]],
  );
});

const CONDITIONS: readonly (readonly [object, string, boolean])[] = [
  [{ equals: 'yes' }, 'yes', true],
  [{ equals: 'yes' }, 'Yes', false],
  [{ equals: 'yes' }, 'yes indeed', false],
  [{ notEquals: 'yes' }, 'yes', false],
  [{ notEquals: 'yes' }, 'no', true],
  [{ contains: 'yes' }, 'oh yes indeed', true],
  [{ contains: 'yes' }, 'YES', false],
  [{ isEmpty: true }, ' \n', true],
  [{ isEmpty: true }, 'x', false],
  [{ isEmpty: false }, 'x', true],
  [{ isEmpty: false }, ' ', false],
  [{ in: ['a', 'b'] }, 'b', true],
  [{ in: ['a', 'b'] }, 'c', false],
  [{ in: [] }, '', false],
];

for (const [condition, value, holds] of CONDITIONS)
  test(`${JSON.stringify(condition)} ${holds ? 'holds' : 'does not hold'} for ${JSON.stringify(value)}`, () => {
    const { states } = statesOf({
      parameters: { value },
      steps: [
        {
          id: 'a',
          kind: 'TRANSFORM',
          template: 'made',
          condition: { value: '{{parameters.value}}', ...condition },
        },
      ],
    });
    assert.equal(states.get('a')!.status, holds ? 'SUCCEEDED' : 'SKIPPED');
  });

test('braces in a result are text, in a transformation as in the result of the whole', () => {
  const answer = { ...pendingState('a'), status: 'SUCCEEDED', output: '{{input}} {{nothing}}' } as const;
  const { states, end } = statesOf(
    {
      steps: [
        { id: 'a', prompt: 'a' },
        { id: 'b', kind: 'TRANSFORM', template: '<{{steps.a.output}}>' },
      ],
      output: 'whole: {{steps.b.output}}',
    },
    [answer],
  );
  assert.equal(states.get('b')!.output, '<{{input}} {{nothing}}>');
  assert.equal(end?.output, 'whole: <{{input}} {{nothing}}>');
});
