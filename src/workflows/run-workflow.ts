// The way into a run: taken up where it was left, whoever had it before.

import type { WorkflowArrival, WorkflowJourney } from '../gateway/steps.ts';
import { createAccount } from './account.ts';
import { withPlanning } from './plan.ts';
import { CANCELLED, Run, untilTold } from './run.ts';
import { tryToStore, untilStored } from './until-stored.ts';
import type { WorkflowsDeps } from './workflows.ts';

/** Never throws: a fault of ours fails the workflow, and the results of its steps are kept. */
export async function runWorkflow(
  journey: WorkflowJourney,
  deps: WorkflowsDeps,
): Promise<WorkflowArrival | undefined> {
  const { request, spec, signal } = journey;
  const { workflows } = deps.store;
  const own = { id: request.id, epoch: request.epoch };
  // Who is cancelled here has to end the steps of whoever had the run before.
  const read = <Result>(work: () => Promise<Result>) =>
    untilStored(work, signal, deps).catch(() =>
      signal.reason === 'cancelled' ? tryToStore(work, deps) : undefined,
    );
  // One that was paused before it began is stored as it was asked for.
  const stored = await read(() => workflows.begin(own, withPlanning(spec.workflow!)));
  if (!stored) return untilTold(signal);
  const account = await read(() => createAccount(request.id, stored, deps));
  if (!account) return CANCELLED;
  return new Run(journey, { ...stored, spec: withPlanning(stored.spec) }, account, deps).toItsEnd();
}
