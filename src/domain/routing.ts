// Where a request runs. A pure function from the request, the state of every deployment and one random number to a
// decision that explains itself: who was considered, what each scored and why, who was rejected and why, which two
// were drawn, in which order to try. Scores are in routing-score.ts, the choice in routing-choice.ts.

import type { BreakerOutlook } from './breaker.ts';
import type { Capabilities, Deployment } from './model.ts';
import type { TaskType } from './request.ts';
import { choose } from './routing-choice.ts';
import { explain } from './routing-explain.ts';
import { reject } from './routing-filter.ts';
import { score } from './routing-score.ts';
import { waitFor } from './routing-wait.ts';

export { matchesModel } from './routing-filter.ts';

export const ROUTING_STRATEGIES = ['BALANCED', 'COST', 'RELIABILITY', 'PERFORMANCE'] as const;
export type RoutingStrategy = (typeof ROUTING_STRATEGIES)[number];

export const REJECTION_REASONS = [
  'NOT_REQUESTED',
  'SIMULATED',
  'POLICY',
  'CONTEXT_TOO_LONG',
  'OUTPUT_TOO_LONG',
  'NOT_SUPPORTED',
  'UNPRICED',
  'DRAINED',
  'PROVIDER_UNAVAILABLE',
  'BREAKER_OPEN',
  'COOLDOWN',
  'BUDGET',
  /** Of decisions that were stored before a full deployment became a candidate that is held back. */
  'CAPACITY',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/**
 * Why a candidate is not drawn although it could serve: it has much to do, must prove itself first, or has no room at
 * the moment.
 */
export const HELD_BACK_REASONS = ['HOT', 'RAMPING', 'HALF_OPEN', 'FULL'] as const;
export type HeldBackReason = (typeof HELD_BACK_REASONS)[number];

/** Why a candidate is tried first whatever its score. */
export const SELECTION_REASONS = ['PROBE', 'LAST_RESORT'] as const;
export type SelectionReason = (typeof SELECTION_REASONS)[number];

/** What routing wants to know of a request. */
export interface RouteQuery {
  readonly taskType: TaskType;
  readonly strategy: RoutingStrategy;
  readonly preferLocal: boolean;
  readonly requestedModel: string | undefined;
  readonly inputTokens: number;
  /** Asked for by the caller; absent: whatever the model allows. */
  readonly maxOutputTokens: number | undefined;
  /** The answer must be JSON of a schema. Absent: any text will do. */
  readonly structuredOutput?: boolean | undefined;
  /** 0 to 100; the higher, the more its time weighs against its price. Absent: 50. */
  readonly priority?: number | undefined;
  /** Only deployments of known price can serve it. */
  readonly pricedOnly?: boolean | undefined;
}

/** What routing wants to know of a deployment at this moment. Of its breaker, what is absent is false or unknown. */
export interface CandidateState extends Partial<BreakerOutlook> {
  readonly deployment: Deployment;
  /** False while the breaker lets nothing through. */
  readonly admits: boolean;
  /** The provider as a whole cannot be used: no credential, not reachable, not there. */
  readonly unavailable: string | undefined;
  /** Why an administrator lets nothing new through; absent: nobody does. */
  readonly drained?: string | undefined;
  /** Epoch milliseconds until which the provider asked us to stay away. */
  readonly cooldownUntilMs: number | undefined;
  /** Smoothed time to first token; undefined while nothing was seen. */
  readonly timeToFirstTokenMs: number | undefined;
  readonly msPerOutputToken: number | undefined;
  /** How much the times above still say, 0 to 1, less by age; the rest is the mean of the others. Absent: 1. */
  readonly timesConfidence?: number | undefined;
  /** 0 to 1, decayed; 1 while nothing was seen. */
  readonly successRate: number;
  /** How much of `successRate` was seen rather than assumed, 0 to 1. Absent: 1. */
  readonly successConfidence?: number | undefined;
  readonly inFlight: number;
  /** Epoch milliseconds since which it comes up to speed: after its first call, a cooldown or a closed breaker. */
  readonly rampStartedAtMs?: number | undefined;
}

/** One deployment that can serve the request. Lower scores are better; the score is the sum of its terms. */
export interface RoutingCandidate {
  readonly deploymentId: string;
  readonly score: number;
  readonly terms: { readonly latency: number; readonly cost: number; readonly quality: number };
  readonly local: boolean;
  /** Nano-USD for the estimated tokens; undefined when unpriced. */
  readonly estimatedCostNanoUsd: bigint | undefined;
  readonly estimatedDurationMs: number;
  readonly heldBack?: HeldBackReason | undefined;
  /** Of the first candidate only; absent: its score or the draw decided. */
  readonly selected?: SelectionReason | undefined;
}

export interface RoutingRejection {
  readonly deploymentId: string;
  readonly reason: RejectionReason;
  readonly detail: string;
}

/** The one that would have served in place of the chosen one. */
export interface RunnerUp {
  readonly deploymentId: string;
  readonly estimatedCostNanoUsd: bigint | undefined;
}

/** Stored with the request, shown by `routing` and `simulateRoute`. */
export interface RoutingDecision {
  readonly strategy: RoutingStrategy;
  /** In the order in which they are tried. */
  readonly candidates: readonly RoutingCandidate[];
  /** The first of the candidates; undefined when there is none. */
  readonly chosen: string | undefined;
  /** The random number in [0, 1) that was used: with it, the same state gives the same choice. Undefined: none was. */
  readonly draw: number | undefined;
  /** Who was drawn with it: the two that were compared, or the one taken as drawn; behind a probe, for the second place. */
  readonly drawn: readonly string[];
  /** The second of the candidates. */
  readonly runnerUp: RunnerUp | undefined;
  readonly rejections: readonly RoutingRejection[];
  /** While nobody can serve: milliseconds until somebody may. Undefined when somebody can, or when it is not known. */
  readonly retryAfterMs?: number | undefined;
  readonly estimatedInputTokens: number;
  readonly estimatedOutputTokens: number;
  readonly decidedAt: Date;
  /** One sentence for people. */
  readonly explanation: string;
}

/** Assumed length of an answer whose limit the caller left open. */
const TYPICAL_OUTPUT_TOKENS = 500;

/** How many tokens an answer may take from this model. */
export function outputLimit(
  capabilities: Capabilities,
  asked: number | undefined,
  inputTokens: number,
): number {
  const room = Math.max(1, capabilities.contextWindow - inputTokens);
  return Math.min(asked ?? capabilities.maxOutputTokens, capabilities.maxOutputTokens, room);
}

/** `random` is asked at most once, for a number in [0, 1). */
export function route(
  query: RouteQuery,
  states: readonly CandidateState[],
  nowMs: number,
  random: () => number,
): RoutingDecision {
  const realExists = states.some(state => !state.deployment.simulated);
  const rejections: RoutingRejection[] = [];
  const admissible: CandidateState[] = [];
  for (const state of states) {
    const rejection = reject(query, state, realExists, nowMs);
    if (rejection) rejections.push({ deploymentId: state.deployment.id, ...rejection });
    else admissible.push(state);
  }
  const outputTokens = Math.min(query.maxOutputTokens ?? TYPICAL_OUTPUT_TOKENS, TYPICAL_OUTPUT_TOKENS);
  const wait = admissible.length === 0 ? waitFor(query, states, realExists, nowMs) : undefined;
  const able = wait?.lastResort ? [wait.lastResort] : admissible;
  const choice = choose(query, score(query, able, outputTokens), nowMs, random);
  const { candidates, draw, drawn } = choice;
  const [first, second] = candidates;
  return {
    strategy: query.strategy,
    candidates,
    chosen: first?.deploymentId,
    draw,
    drawn,
    runnerUp: second && {
      deploymentId: second.deploymentId,
      estimatedCostNanoUsd: second.estimatedCostNanoUsd,
    },
    rejections: rejections.filter(({ deploymentId }) => deploymentId !== first?.deploymentId),
    retryAfterMs: wait?.retryAfterMs,
    estimatedInputTokens: query.inputTokens,
    estimatedOutputTokens: outputTokens,
    decidedAt: new Date(nowMs),
    explanation: explain(query, choice, rejections),
  };
}
