// Our own time inside a request, by stage. Buckets fine enough to read percentiles from: five to a decade, from 10 µs.

import { Histogram, type Registry } from 'prom-client';

/**
 * accept: received to committed. dispatch: committed to the first call handed to the provider's adapter. first_token:
 * the first token out of the adapter to its event in the log. delivery: from there until a subscriber that was waiting
 * for it asks for the next. finish: the last attempt over to its result committed.
 */
export const STAGES = ['accept', 'dispatch', 'first_token', 'delivery', 'finish'] as const;
export type Stage = (typeof STAGES)[number];

export interface OverheadMeter {
  spent(stage: Stage, milliseconds: number): void;
}

const STEPS = [1, 1.6, 2.5, 4, 6.3];
const DECADES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
const SECONDS = [...DECADES.flatMap(decade => STEPS.map(step => Number((decade * step).toPrecision(2)))), 1];

export function createOverheadMeter(registry: Registry): OverheadMeter {
  const histogram = new Histogram({
    name: 'mcplane_overhead_seconds',
    help: 'Time that the control plane itself spends on a request, by stage (accept, dispatch, first_token, delivery, finish).',
    labelNames: ['stage'],
    buckets: SECONDS,
    registers: [registry],
  });
  // Made once: an object for every observation would cost as much as the observation.
  const labels = Object.fromEntries(STAGES.map(stage => [stage, { stage }])) as Record<
    Stage,
    { stage: Stage }
  >;
  return {
    spent: (stage, milliseconds) => histogram.observe(labels[stage], milliseconds / 1_000),
  };
}
