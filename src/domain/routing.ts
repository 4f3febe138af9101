// Where a request runs. A pure function from the request and the state of every deployment to a decision that
// explains itself: who was considered, what each scored and why, who was rejected and why, in which order to try.
// First version: filter, then the lowest score wins; the ordered rest is the failover list.

import type { Capabilities, Deployment } from './model.ts';
import type { TaskType } from './request.ts';
import { costOf } from './usage.ts';

export const ROUTING_STRATEGIES = ['BALANCED', 'COST', 'RELIABILITY', 'PERFORMANCE'] as const;
export type RoutingStrategy = (typeof ROUTING_STRATEGIES)[number];

export const REJECTION_REASONS = [
  'NOT_REQUESTED',
  'SIMULATED',
  'CONTEXT_TOO_LONG',
  'OUTPUT_TOO_LONG',
  'PROVIDER_UNAVAILABLE',
  'BREAKER_OPEN',
  'COOLDOWN',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** What routing wants to know of a request. */
export interface RouteQuery {
  readonly taskType: TaskType;
  readonly strategy: RoutingStrategy;
  readonly preferLocal: boolean;
  readonly requestedModel: string | undefined;
  readonly inputTokens: number;
  /** Asked for by the caller; absent: whatever the model allows. */
  readonly maxOutputTokens: number | undefined;
}

/** What routing wants to know of a deployment at this moment. */
export interface CandidateState {
  readonly deployment: Deployment;
  /** False while the breaker lets nothing through. */
  readonly admits: boolean;
  /** The provider as a whole cannot be used: no credential, not reachable, not there. */
  readonly unavailable: string | undefined;
  /** Epoch milliseconds until which the provider asked us to stay away. */
  readonly cooldownUntilMs: number | undefined;
  /** Smoothed time to first token; undefined while nothing was seen. */
  readonly timeToFirstTokenMs: number | undefined;
  readonly msPerOutputToken: number | undefined;
  /** 0 to 1, decayed; 1 while nothing was seen. */
  readonly successRate: number;
  readonly inFlight: number;
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
}

export interface RoutingRejection {
  readonly deploymentId: string;
  readonly reason: RejectionReason;
  readonly detail: string;
}

/** Stored with the request, shown by `routing` and `simulateRoute`. */
export interface RoutingDecision {
  readonly strategy: RoutingStrategy;
  /** In the order in which they are tried. */
  readonly candidates: readonly RoutingCandidate[];
  readonly rejections: readonly RoutingRejection[];
  readonly estimatedInputTokens: number;
  readonly estimatedOutputTokens: number;
  readonly decidedAt: Date;
  /** One sentence for people. */
  readonly explanation: string;
}

/** Weights of latency, cost and missing quality by strategy; starting values, to be tuned by simulation. */
const WEIGHTS: Record<RoutingStrategy, { latency: number; cost: number; quality: number }> = {
  BALANCED: { latency: 0.4, cost: 0.4, quality: 0.2 },
  COST: { latency: 0.2, cost: 0.7, quality: 0.1 },
  RELIABILITY: { latency: 0.7, cost: 0.1, quality: 0.2 },
  PERFORMANCE: { latency: 0.8, cost: 0.1, quality: 0.1 },
};
/** CODE and WORKFLOW ask for the capable model: missing quality weighs this much more. */
const DEMANDING_QUALITY_FACTOR = 8;
/** Assumed of a deployment that nothing is known of and that has no peers to learn from. */
const COLD_TTFT_MS = 250;
const COLD_MS_PER_TOKEN = 20;
/** Assumed length of an answer whose limit the caller left open. */
const TYPICAL_OUTPUT_TOKENS = 500;

/** Does the name in a request's `model` mean this deployment? By id, by model name, by provider or by alias. */
export function matchesModel(deployment: Deployment, requestedModel: string): boolean {
  return (
    deployment.id === requestedModel ||
    deployment.model === requestedModel ||
    `${deployment.providerId}/*` === requestedModel ||
    deployment.aliases.includes(requestedModel)
  );
}

/** How many tokens an answer may take from this model. */
export function outputLimit(
  capabilities: Capabilities,
  asked: number | undefined,
  inputTokens: number,
): number {
  const room = Math.max(1, capabilities.contextWindow - inputTokens);
  return Math.min(asked ?? capabilities.maxOutputTokens, capabilities.maxOutputTokens, room);
}

export function route(query: RouteQuery, states: readonly CandidateState[], nowMs: number): RoutingDecision {
  const realExists = states.some(state => !state.deployment.simulated);
  const rejections: RoutingRejection[] = [];
  const admissible: CandidateState[] = [];
  for (const state of states) {
    const rejection = reject(query, state, realExists, nowMs);
    if (rejection) rejections.push({ deploymentId: state.deployment.id, ...rejection });
    else admissible.push(state);
  }
  const outputTokens = Math.min(query.maxOutputTokens ?? TYPICAL_OUTPUT_TOKENS, TYPICAL_OUTPUT_TOKENS);
  const candidates = score(query, admissible, outputTokens);
  return {
    strategy: query.strategy,
    candidates,
    rejections,
    estimatedInputTokens: query.inputTokens,
    estimatedOutputTokens: outputTokens,
    decidedAt: new Date(nowMs),
    explanation: explain(query, candidates, rejections),
  };
}

function reject(
  query: RouteQuery,
  state: CandidateState,
  realExists: boolean,
  nowMs: number,
): Omit<RoutingRejection, 'deploymentId'> | undefined {
  const { deployment } = state;
  const { contextWindow, maxOutputTokens } = deployment.capabilities;
  if (query.requestedModel !== undefined) {
    if (!matchesModel(deployment, query.requestedModel))
      return { reason: 'NOT_REQUESTED', detail: `the request asks for ${query.requestedModel}` };
  } else if (deployment.simulated && realExists)
    return {
      reason: 'SIMULATED',
      detail: 'simulated answers are only given while no real provider is configured',
    };
  if (query.inputTokens >= contextWindow)
    return {
      reason: 'CONTEXT_TOO_LONG',
      detail: `about ${query.inputTokens} tokens of prompt, room for ${contextWindow}`,
    };
  if (query.maxOutputTokens !== undefined && query.maxOutputTokens > maxOutputTokens)
    return {
      reason: 'OUTPUT_TOO_LONG',
      detail: `${query.maxOutputTokens} tokens asked for, ${maxOutputTokens} at most`,
    };
  if (state.unavailable !== undefined) return { reason: 'PROVIDER_UNAVAILABLE', detail: state.unavailable };
  if (!state.admits) return { reason: 'BREAKER_OPEN', detail: 'its circuit breaker is open' };
  if (state.cooldownUntilMs !== undefined && state.cooldownUntilMs > nowMs)
    return { reason: 'COOLDOWN', detail: `rate limited for another ${state.cooldownUntilMs - nowMs} ms` };
  return undefined;
}

function score(
  query: RouteQuery,
  states: readonly CandidateState[],
  outputTokens: number,
): RoutingCandidate[] {
  const weights = WEIGHTS[query.strategy];
  const demanding = query.taskType === 'CODE' || query.taskType === 'WORKFLOW';
  const qualityWeight = weights.quality * (demanding ? DEMANDING_QUALITY_FACTOR : 1);
  const usage = {
    inputTokens: query.inputTokens,
    outputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    estimated: true,
  };
  const coldTtftMs = mean(states.map(state => state.timeToFirstTokenMs)) ?? COLD_TTFT_MS;
  const coldMsPerToken = mean(states.map(state => state.msPerOutputToken)) ?? COLD_MS_PER_TOKEN;
  const rows = states.map(state => ({
    state,
    cost: costOf(usage, state.deployment.price),
    durationMs:
      (state.timeToFirstTokenMs ?? coldTtftMs) + outputTokens * (state.msPerOutputToken ?? coldMsPerToken),
  }));
  const meanDurationMs = mean(rows.map(row => row.durationMs)) || 1;
  const meanCost = mean(rows.map(row => (row.cost === undefined ? undefined : Number(row.cost)))) || 0;
  const candidates = rows.map(({ state, cost, durationMs }): RoutingCandidate => {
    const failurePenalty =
      1 / Math.max(0.01, state.successRate) ** (query.strategy === 'RELIABILITY' ? 2 : 1);
    const terms = {
      latency: weights.latency * (durationMs / meanDurationMs) * failurePenalty * (1 + state.inFlight * 0.05),
      // An unknown price is judged as the mean: neither a bargain nor a reason to stay away.
      cost: meanCost === 0 ? 0 : weights.cost * (cost === undefined ? 1 : Number(cost) / meanCost),
      quality: qualityWeight * (1 - state.deployment.quality),
    };
    return {
      deploymentId: state.deployment.id,
      score: terms.latency + terms.cost + terms.quality,
      terms,
      local: state.deployment.local,
      estimatedCostNanoUsd: cost,
      estimatedDurationMs: Math.round(durationMs),
    };
  });
  const rank = (candidate: RoutingCandidate) => (query.preferLocal && candidate.local ? 0 : 1);
  return candidates.sort(
    (a, b) => rank(a) - rank(b) || a.score - b.score || (a.deploymentId < b.deploymentId ? -1 : 1),
  );
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter(value => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function explain(
  query: RouteQuery,
  candidates: readonly RoutingCandidate[],
  rejections: readonly RoutingRejection[],
): string {
  const [first, second] = candidates;
  if (!first) {
    const reasons = rejections.filter(rejection => rejection.reason !== 'NOT_REQUESTED');
    const shown = (reasons.length > 0 ? reasons : rejections).slice(0, 3);
    return `No deployment can serve this: ${shown.map(r => `${r.deploymentId} (${r.detail})`).join('; ') || 'none is configured'}.`;
  }
  const why =
    query.preferLocal && first.local ? 'local, as preferred' : `lowest score under ${query.strategy}`;
  const next = second ? `; ${second.deploymentId} is next` : '; there is no other candidate';
  return `${first.deploymentId} first: ${why}${next}.`;
}
