// Runs as they are told to those who look at them, from the database, whoever has them in hand.

import type { ModelRequest } from '../domain/request.ts';
import { pendingState } from '../domain/workflow.ts';
import type { Store } from '../store/store.ts';
import { withPlanning } from './plan.ts';
import type { RunDescription, Workflows } from './workflows.ts';

export function createDescriptions({
  requests,
  workflows,
}: Pick<Store, 'requests' | 'workflows'>): Pick<Workflows, 'describe' | 'step'> {
  async function describe(request: ModelRequest): Promise<RunDescription | undefined> {
    if (request.taskType !== 'WORKFLOW') return undefined;
    const [[run], [steps]] = await Promise.all([
      workflows.specsByIds([request.id]),
      workflows.stepsByIds([request.id]),
    ]);
    // Before it has begun, what was asked for.
    const spec = run?.spec ?? (await requests.bodiesByIds([request.id]))[0]?.spec.workflow;
    return spec && { request, spec: withPlanning(spec), pausedAt: run?.pausedAt, steps: steps ?? [] };
  }

  return {
    describe,
    async step(request, stepId) {
      const stored = await workflows.step(request.id, stepId);
      if (stored) return stored;
      const spec = (await describe(request))?.spec.steps.find(({ id }) => id === stepId);
      return spec && { spec, state: pendingState(stepId) };
    },
  };
}
