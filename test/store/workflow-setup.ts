// A workflow in the hands of somebody who is going to die, for tests of the store.

import { requestError } from '../../src/domain/request.ts';
import type { StepState } from '../../src/domain/workflow.ts';
import { parseWorkflow } from '../../src/domain/workflow-input.ts';
import type { Store } from '../../src/store/store.ts';
import { BOUNDS } from '../workflows/plays.ts';
import { aRequest, aSpec } from './samples.ts';

export const OWNER = 'dead';
export const MAX_DEATHS = 3;
export const POISON = requestError('INTERNAL', 'It killed too many.');
export const SPEC = parseWorkflow(
  {
    steps: [
      { id: 'a', prompt: 'a' },
      { id: 'b', prompt: 'b {{steps.a.output}}' },
      { id: 'ask', kind: 'APPROVAL', prompt: 'well?' },
    ],
  },
  'task',
  BOUNDS,
);

/** A workflow in the hands of the one who is going to die. */
export async function aRun(store: Store) {
  const request = aRequest({ owner: OWNER, spec: aSpec({ taskType: 'WORKFLOW', workflow: SPEC }) });
  await store.requests.accept(request);
  const own = { id: request.id, epoch: 1 };
  await store.workflows.begin(own, SPEC);
  return {
    request,
    ...own,
    advance: (steps: readonly StepState[], { epoch = 1 } = {}) =>
      store.workflows.advance({ ...own, epoch, steps }),
    states: async () => (await store.workflows.stepsByIds([own.id]))[0]!,
  };
}

export async function dieOnce(store: Store) {
  return store.transaction(inside => inside.queue.recover([OWNER], MAX_DEATHS, POISON));
}

export async function statusOf(store: Store, id: string) {
  return (await store.requests.byIds([id]))[0]!.status;
}
