// What befalls a workflow from outside: owners that die or stand still, a database that fails, people who act.

import fc from 'fast-check';
import type { WorkflowSpec } from '../../src/domain/workflow.ts';
import { parseWorkflow } from '../../src/domain/workflow-input.ts';
import type { Fate } from './owner.ts';
import { BOUNDS, inputOf, type Play, play, TASK } from './plays.ts';

export interface Act {
  readonly atMs: number;
  readonly what: 'cancel' | 'pause' | 'resume' | 'stop';
}

export interface Schedule {
  readonly play: Play;
  /** Of how long calls take, and which of them fail. */
  readonly seed: number;
  /** How often a call of the database fails; 0 to 1. */
  readonly troubles: number;
  /** Of the first owner, the second, and so on. */
  readonly fates: readonly Fate[];
  readonly acts: readonly Act[];
  /** Nobody is told of what people do: it is found. */
  readonly isDeaf: boolean;
  readonly maxCost: bigint | undefined;
  readonly deadlineMs: number | undefined;
}

const fate = fc.record<Fate>({
  atCall: fc.oneof(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 80 })),
  when: fc.constantFrom('before', 'after'),
  how: fc.constantFrom('dies', 'stands still'),
  forMs: fc.nat(2_000),
  unawareMs: fc.nat(500),
});
const harmless = fc.array(
  fc.record<Act>({ atMs: fc.nat(2_500), what: fc.constantFrom('pause', 'resume', 'stop') }),
  { maxLength: 4, size: 'max' },
);
const cancel = fc.record<Act>({ atMs: fc.nat(3_000), what: fc.constant('cancel') });

function schedules(special: {
  readonly acts?: fc.Arbitrary<readonly Act[]>;
  readonly maxCost?: fc.Arbitrary<bigint>;
  readonly deadlineMs?: fc.Arbitrary<number>;
}): fc.Arbitrary<Schedule> {
  return fc.record<Schedule>({
    play,
    seed: fc.integer(),
    troubles: fc.constantFrom(0, 0, 0.05, 0.2),
    fates: fc.array(fate, { maxLength: 6, size: 'max' }),
    acts: special.acts ?? harmless,
    isDeaf: fc.boolean(),
    maxCost: special.maxCost ?? fc.constant(undefined),
    deadlineMs: special.deadlineMs ?? fc.constant(undefined),
  });
}

/** Nothing in it changes what the workflow comes to. */
export const undisturbed = schedules({});
export const cancelled = schedules({
  acts: fc.tuple(harmless, cancel).map(([acts, last]) => [...acts, last]),
});
export const hurried = schedules({ deadlineMs: fc.integer({ min: 1, max: 4_000 }) });
export const poor = schedules({ maxCost: fc.bigInt({ min: 0n, max: 12n }) });

export function specOf({
  play,
  maxCost,
  deadlineMs,
}: Pick<Schedule, 'play' | 'maxCost' | 'deadlineMs'>): WorkflowSpec {
  const input = inputOf(play);
  return parseWorkflow({ ...input, limits: { ...input.limits, maxCost, deadlineMs } }, TASK, BOUNDS);
}
