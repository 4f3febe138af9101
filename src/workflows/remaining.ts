// How long a run is likely to take yet, and what it is likely to cost.

import type { RequestSpec } from '../domain/request.ts';
import { hasEnded, type StepSpec } from '../domain/workflow.ts';
import { depthsOf } from '../domain/workflow-graph.ts';
import type { StepRequests } from '../gateway/steps.ts';
import { schemaOf, wishesOf } from './step.ts';
import type { RunDescription } from './workflows.ts';

export interface Remaining {
  /** Milliseconds; undefined when nothing is known to estimate it from. */
  readonly ms: number | undefined;
  /** In nano-USD; undefined when a price is unknown. */
  readonly costNanoUsd: bigint | undefined;
}

export function remainingOf(run: RunDescription, steps: StepRequests): Remaining {
  const ended = new Set(run.steps.filter(({ status }) => hasEnded(status)).map(({ stepId }) => stepId));
  const open = run.spec.steps.filter(({ id }) => !ended.has(id));
  return { ms: msOf(run, open), costNanoUsd: costOf(run, open, steps) };
}

/** The longest chain of what is left, each step taking as long as one took so far. */
function msOf(run: RunDescription, open: readonly StepSpec[]): number | undefined {
  const isHeld = run.pausedAt !== undefined || run.steps.some(({ status }) => status === 'WAITING');
  const took = run.steps.flatMap(({ startedAt, finishedAt, status, reused }) =>
    status === 'SUCCEEDED' && !reused && startedAt && finishedAt
      ? [finishedAt.getTime() - startedAt.getTime()]
      : [],
  );
  if (isHeld || took.length === 0) return undefined;
  const left = new Set(open.map(({ id }) => id));
  const chain = depthsOf(
    open.map(({ id, dependsOn }) => ({ id, dependsOn: dependsOn.filter(each => left.has(each)) })),
  );
  const mean = took.reduce((sum, ms) => sum + ms, 0) / took.length;
  return Math.round(mean * Math.max(0, ...chain.values()));
}

function costOf(run: RunDescription, open: readonly StepSpec[], steps: StepRequests): bigint | undefined {
  let sum = 0n;
  for (const step of open.filter(({ kind }) => kind === 'MODEL')) {
    const cost = steps.estimate(roughSpecOf(step, run));
    if (cost === undefined) return undefined;
    sum += cost;
  }
  return sum;
}

/** Its template is about as long as what will be sent, but for the results that go into it. */
function roughSpecOf(step: StepSpec, { request }: RunDescription): RequestSpec {
  return {
    ...wishesOf(step, request),
    messages: [{ role: 'USER', content: step.template }],
    system: step.system,
    outputSchema: schemaOf(step),
    buffered: false,
    deadlines: {},
  };
}
