// What a deployment scores for a request; smaller is better. `wl·(L·q·F)/L̄ + wc·price/p̄ + wq·(1 − quality)` with
// L the expected time, q its load, F = 1/P(success), and L̄ and p̄ the means over all that can serve.

import type { Deployment } from './model.ts';
import type { CandidateState, RouteQuery, RoutingCandidate, RoutingStrategy } from './routing.ts';
import { costOf } from './usage.ts';

export interface Scored {
  readonly state: CandidateState;
  readonly candidate: RoutingCandidate;
}

/** Weights of latency, cost and missing quality by strategy; starting values, checked by `bench/routing.ts`. */
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
/**
 * Calls that a deployment without a configured limit is assumed to serve at once. A hundred at a provider: the
 * simulation was dearer and slower with 20 and 50, since what crowds a provider shows in its times anyway.
 */
const REMOTE_CAPACITY = 100;
const LOCAL_CAPACITY = 2;
/** A deployment that always fails is bad enough with this; its breaker does the rest. */
const LEAST_SUCCESS_RATE = 0.01;

export function capacityOf({ maxConcurrency, local }: Deployment): number {
  return maxConcurrency ?? (local ? LOCAL_CAPACITY : REMOTE_CAPACITY);
}

/** Calls under way as a share of what it can serve at once. */
export function loadOf({ deployment, inFlight }: CandidateState): number {
  return inFlight / capacityOf(deployment);
}

/** All its places are taken: it can serve only after one of its calls has ended. */
export function isFull({ deployment: { maxConcurrency }, inFlight }: CandidateState): boolean {
  return maxConcurrency !== undefined && inFlight >= maxConcurrency;
}

export function isDemanding({ taskType }: RouteQuery): boolean {
  return taskType === 'CODE' || taskType === 'WORKFLOW';
}

export function score(query: RouteQuery, states: readonly CandidateState[], outputTokens: number): Scored[] {
  const { inputTokens, strategy } = query;
  const usage = { inputTokens, outputTokens, cachedInputTokens: 0, cacheWriteTokens: 0, estimated: true };
  const weights = weightsOf(query);
  const durationOf = expectedDurations(states, outputTokens);
  const successOf = successRates(states);
  const rows = states.map(state => {
    const durationMs = durationOf(state);
    // Not (inFlight + 1)/capacity: an idle deployment is not slower for having a small capacity.
    const loadedMs = durationMs * (1 + loadOf(state));
    return { state, durationMs, loadedMs, cost: costOf(usage, state.deployment.price) };
  });
  const meanLoadedMs = mean(rows.map(row => row.loadedMs)) || 1;
  const meanCost = mean(rows.map(({ cost }) => (cost === undefined ? undefined : Number(cost)))) || 0;
  return rows.map(({ state, durationMs, loadedMs, cost }): Scored => {
    const failurePenalty = (1 / successOf(state)) ** (strategy === 'RELIABILITY' ? 2 : 1);
    const terms = {
      latency: weights.latency * (loadedMs / meanLoadedMs) * failurePenalty,
      // An unknown price is judged as the mean: neither a bargain nor a reason to stay away.
      cost: meanCost === 0 ? 0 : weights.cost * (cost === undefined ? 1 : Number(cost) / meanCost),
      quality: weights.quality * (1 - state.deployment.quality),
    };
    const candidate = {
      deploymentId: state.deployment.id,
      score: terms.latency + terms.cost + terms.quality,
      terms,
      local: state.deployment.local,
      estimatedCostNanoUsd: cost,
      estimatedDurationMs: Math.round(durationMs),
    };
    return { state, candidate };
  });
}

/** Urgent requests pay for time, patient ones wait for a better price. */
function weightsOf(query: RouteQuery): { latency: number; cost: number; quality: number } {
  const { latency, cost, quality } = WEIGHTS[query.strategy];
  const urgency = (query.priority ?? 50) / 100 - 0.5;
  return {
    latency: latency * (1 + urgency),
    cost: cost * (1 - urgency),
    quality: quality * (isDemanding(query) ? DEMANDING_QUALITY_FACTOR : 1),
  };
}

/**
 * Bad news of a deployment fades with its age into the mean of all, lest it stays idle for ever. Good news stays until
 * it is forgotten: fading would turn the best one away after an outage, and one call corrects it when it is wrong.
 */
function expectedDurations(states: readonly CandidateState[], outputTokens: number) {
  const peersTtftMs = mean(states.map(state => state.timeToFirstTokenMs)) ?? COLD_TTFT_MS;
  const peersMsPerToken = mean(states.map(state => state.msPerOutputToken)) ?? COLD_MS_PER_TOKEN;
  return ({ timeToFirstTokenMs, msPerOutputToken, timesConfidence = 1 }: CandidateState): number => {
    const mix = (own: number | undefined, peers: number) =>
      own === undefined ? peers : Math.min(own, timesConfidence * own + (1 - timesConfidence) * peers);
    return mix(timeToFirstTokenMs, peersTtftMs) + outputTokens * mix(msPerOutputToken, peersMsPerToken);
  };
}

/** The unseen part of each rate is the mean of what was seen of all, not perfection: an idle one is no refuge. */
function successRates(states: readonly CandidateState[]): (state: CandidateState) => number {
  const unseen = ({ successConfidence = 1 }: CandidateState) => 1 - successConfidence;
  const seen = states.reduce((sum, state) => sum + 1 - unseen(state), 0);
  const succeeded = states.reduce((sum, state) => sum + state.successRate - unseen(state), 0);
  const peers = seen > 0 ? succeeded / seen : 1;
  return state => Math.max(LEAST_SUCCESS_RATE, state.successRate - unseen(state) * (1 - peers));
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter(value => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
