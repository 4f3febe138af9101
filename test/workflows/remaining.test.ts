// What is left of a workflow is estimated from all steps that are left, and from no others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelRequest } from '../../src/domain/request.ts';
import { pendingState } from '../../src/domain/workflow.ts';
import { parseWorkflow } from '../../src/domain/workflow-input.ts';
import type { StepRequests } from '../../src/gateway/steps.ts';
import { remainingOf } from '../../src/workflows/remaining.ts';
import { aRequest } from '../store/samples.ts';
import { BOUNDS } from './plays.ts';

test('what is left costs what the calls cost that are left, and is of unknown cost when one of them is', () => {
  const spec = parseWorkflow(
    {
      steps: [
        { id: 'done', prompt: 'one' },
        { id: 'next', prompt: 'two', dependsOn: ['done'] },
        { id: 'last', prompt: 'three', dependsOn: ['next'] },
        { id: 'text', kind: 'TRANSFORM', template: '{{steps.last.output}}' },
      ],
    },
    '',
    BOUNDS,
  );
  const ended = { ...pendingState('done'), status: 'SUCCEEDED' } as const;
  const run = {
    request: aRequest() as unknown as ModelRequest,
    spec,
    pausedAt: undefined,
    steps: [ended],
  };
  const costOf = (prices: Record<string, bigint | undefined>) =>
    remainingOf(run, {
      estimate: ({ messages }) => prices[messages[0]!.content],
    } as StepRequests).costNanoUsd;

  assert.equal(costOf({ one: 100n, two: 20n, three: 3n }), 23n);
  assert.equal(costOf({ one: 100n, two: 20n }), undefined);
});
