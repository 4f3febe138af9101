// The way into a run: taken up where it was left, whoever had it before.

import { requestError } from '../domain/request.ts';
import type { WorkflowArrival, WorkflowJourney } from '../gateway/steps.ts';
import { createAccount } from './account.ts';
import { withPlanning } from './plan.ts';
import { CANCELLED, Run, untilTold } from './run.ts';
import { untilStored } from './until-stored.ts';
import type { WorkflowsDeps } from './workflows.ts';

const OWN_FAULT = requestError('INTERNAL', 'The workflow ended by a fault of the server.');

/** Never throws: a fault of ours fails the workflow, and the results of its steps are kept. */
export async function runWorkflow(journey: WorkflowJourney, deps: WorkflowsDeps): Promise<WorkflowArrival> {
  const { request, spec, signal } = journey;
  const { workflows } = deps.store;
  const own = { id: request.id, epoch: request.epoch };
  try {
    const stored = await untilStored(() => workflows.begin(own, withPlanning(spec.workflow!)), signal, deps);
    if (!stored) return await untilTold(signal);
    const account = await untilStored(
      () => createAccount(request.id, stored.spec.limits, deps),
      signal,
      deps,
    );
    return await new Run(journey, stored, account, deps).toItsEnd();
  } catch (error) {
    if (signal.aborted) return CANCELLED;
    deps.log.warn({ error, requestId: request.id }, 'a workflow ended by a fault of ours');
    return { status: 'FAILED', output: undefined, error: OWN_FAULT };
  }
}
