// What a request comes to: its terminal row, made from what happened on the way.

import { redactAnswer } from '../domain/redacted.ts';
import { type ModelRequest, requestError, servingAttempt } from '../domain/request.ts';
import type { RoutingDecision } from '../domain/routing.ts';
import type { FinishedRequest } from '../store/store.ts';
import type { Active, ExecutionDeps } from './execution.ts';
import type { Arrival } from './failover.ts';
import { totalCost, totalUsage } from './totals.ts';

/** What is written of a request at its end. */
export function toFinished(
  active: Active,
  arrival: Arrival,
  { output, deps }: { output: string; deps: Pick<ExecutionDeps, 'clock' | 'redact'> },
): FinishedRequest {
  const { request } = active;
  const { status } = arrival;
  const cancelled = requestError('CANCELLED', 'The request was cancelled.');
  const nowMs = deps.clock.monotonic();
  const providerMs = arrival.attempts.reduce((sum, attempt) => sum + attempt.durationMs, -arrival.overlapMs);
  const last = servingAttempt(arrival.attempts);
  const all = [...active.earlier, ...arrival.attempts];
  const stored = deps.redact ? redactAnswer(output, active.spec, deps.redact) : output;
  const lastSequence = active.writer.sequence() + 1;
  return {
    id: request.id,
    epoch: request.epoch,
    status,
    output: stored === '' && status !== 'SUCCEEDED' ? undefined : stored,
    routing: active.spec.workflow ? undefined : withUncovered(active.decision, arrival),
    attempts: arrival.attempts,
    deploymentId: last?.deploymentId,
    providerId: last?.providerId,
    servedModel: last?.servedModel ?? last?.model,
    finishReason: arrival.finishReason,
    // Of a workflow the reason may be a person's no.
    error: status === 'CANCELLED' && !(active.spec.workflow && arrival.error) ? cancelled : arrival.error,
    usage: totalUsage(all),
    costNanoUsd: totalCost(all),
    failedAttemptsCostNanoUsd: totalCost(all.filter(each => each.outcome !== 'SUCCEEDED')),
    startedAt: request.startedAt,
    firstTokenAt: request.firstTokenAt,
    finishedAt: new Date(deps.clock.now()),
    overheadMs: Math.max(0, nowMs - active.moments.receivedAtMs - arrival.waitedMs - providerMs),
    lastSequence,
    // What was streamed is not what is stored: whoever comes back is told so.
    restartSequence: stored === output ? request.restartSequence : lastSequence,
    holdsReservation: request.reservedNanoUsd !== undefined,
  };
}

/** The decision, and what kept its candidates from being asked later on. */
function withUncovered(decision: RoutingDecision, { uncovered = [] }: Arrival): RoutingDecision {
  if (uncovered.length === 0) return decision;
  return { ...decision, rejections: [...decision.rejections, ...uncovered] };
}

/** The request as it is when that is written. */
export function afterFinish({ request, earlier }: Active, finished: FinishedRequest): ModelRequest {
  const { output: _output, routing: _routing, holdsReservation: _holds, attempts, ...columns } = finished;
  return { ...request, ...columns, attemptCount: earlier.length + attempts.length };
}
