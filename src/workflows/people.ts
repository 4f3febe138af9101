// What people decided about steps that waited for them.

import { requestError } from '../domain/request.ts';
import type { StepState } from '../domain/workflow.ts';
import type { Decision } from '../store/workflows.ts';

/** The steps on which somebody decided, as they are from then on. A no is an end that was wanted: nothing is retried. */
export function decidedStates(
  waiting: readonly StepState[],
  decisions: readonly Decision[],
  finishedAt: Date,
): StepState[] {
  return decisions.flatMap(({ stepId, approved, by, comment }): StepState[] => {
    const state = waiting.find(each => each.stepId === stepId);
    if (!state) return [];
    const said = comment === undefined ? '' : `: ${comment}`;
    if (approved)
      return [
        {
          ...state,
          status: 'SUCCEEDED',
          output: comment ?? '',
          note: `approved by ${by}${said}`,
          finishedAt,
        },
      ];
    const note = `rejected by ${by}${said}`;
    return [{ ...state, status: 'FAILED', error: requestError('CANCELLED', note), note, finishedAt }];
  });
}
