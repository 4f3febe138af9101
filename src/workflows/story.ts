// What the subscribers of a workflow are told beside the text that its steps make.

import type { StreamEvent } from '../domain/stream.ts';
import { type StepState, stateKey, type WorkflowSpec } from '../domain/workflow.ts';

type Emit = (event: StreamEvent) => void;

/** Which steps have come further, and results that nobody streams. */
export function tellChanges(
  emit: Emit,
  changed: readonly StepState[],
  planned: WorkflowSpec | undefined,
): void {
  const ids = [...(planned?.steps ?? []).map(({ id }) => id), ...changed.map(({ stepId }) => stepId)];
  for (const step of new Set(ids)) emit({ type: 'step-updated', step });
  // What a model answered has been streamed; what was made here has not.
  tellResults(
    emit,
    changed.filter(({ requestId, item }) => requestId === undefined && item === undefined),
  );
}

/** Subscribers begin anew with an owner: they are told what there is, of lists that are not done also the elements. */
export function tellAll(emit: Emit, states: ReadonlyMap<string, StepState>): void {
  const isTold = ({ stepId, item }: StepState) =>
    item === undefined || states.get(stepId)?.status === 'RUNNING';
  tellResults(emit, [...states.values()].filter(isTold));
}

function tellResults(emit: Emit, states: readonly StepState[]): void {
  for (const state of states)
    if (state.status === 'SUCCEEDED' && state.output)
      emit({ type: 'token', text: state.output, step: stateKey(state) });
}
