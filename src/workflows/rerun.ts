// Which results of an ended run stand when it is run again.

import { badInput } from '../domain/errors.ts';
import type { WorkflowSpec } from '../domain/workflow.ts';
import { downstreamOf } from '../domain/workflow-graph.ts';
import type { RunDescription } from './workflows.ts';

/** All that succeeded, but not `fromStep` and what depends on it. */
export function reuseOf(
  { request, spec, steps }: RunDescription,
  fromStep: string | undefined,
): NonNullable<WorkflowSpec['reuse']> {
  if (fromStep !== undefined && !spec.steps.some(({ id }) => id === fromStep))
    throw badInput('fromStep', `names no step; the steps are ${spec.steps.map(({ id }) => id).join(', ')}`);
  const again = fromStep === undefined ? new Set<string>() : downstreamOf(spec.steps, fromStep);
  const kept = steps.filter(({ stepId }) => !again.has(stepId));
  return {
    requestId: request.id,
    steps: kept.filter(({ status }) => status === 'SUCCEEDED').map(({ stepId }) => stepId),
    // Of a list that was not done to its end, the items that were.
    items: kept
      .filter(({ status }) => status === 'FAILED' || status === 'CANCELLED')
      .map(({ stepId }) => stepId),
  };
}
