// What the caller is told when nobody can be asked: why, and when it makes sense to come back.

import { type RequestError, requestError } from '../domain/request.ts';
import type { RoutingDecision } from '../domain/routing.ts';
import type { FailoverDeps, Journey } from './journey.ts';

/** The deployment that the decision asks although its breaker is open; undefined: others can serve, or nobody at all. */
export function lastResortOf({ candidates: [first] }: RoutingDecision): string | undefined {
  return first?.selected === 'LAST_RESORT' ? first.deploymentId : undefined;
}

/** How far the request has come when it ends. */
interface Ended {
  readonly transcript: { readonly sent: string };
  /** Of the last attempt; undefined: there was none. */
  readonly error: RequestError | undefined;
  readonly isRefused: boolean;
}

/**
 * What a request that failed is told: its last error. To the caller a last resort that failed is no other news than the
 * refusal without it would have been: NO_ROUTE, and for how long.
 */
export function errorToTell(
  { transcript, error, isRefused }: Ended,
  { decision, endsAtMs }: Pick<Journey, 'decision' | 'endsAtMs'>,
  deps: Pick<FailoverDeps, 'breakers' | 'health' | 'clock'>,
): RequestError {
  if (!error) return noRoute(decision, deps);
  const isOver = transcript.sent !== '' || isRefused || deps.clock.monotonic() >= endsAtMs;
  const isNoNews = lastResortOf(decision) !== undefined && error.retryable && !isOver;
  return isNoNews ? noRoute(decision, deps, error) : error;
}

/** `failure`: how the last resort ended; absent: it was not asked. */
export function noRoute(
  decision: RoutingDecision,
  deps: Pick<FailoverDeps, 'breakers' | 'health'>,
  failure?: RequestError,
): RequestError {
  const { candidates, explanation, retryAfterMs } = decision;
  if (candidates.length === 0) return requestError('NO_ROUTE', explanation, { retryAfterMs });
  const ids = candidates.map(({ deploymentId }) => deploymentId);
  const message = failure
    ? `No deployment can serve this: ${ids[0]} was asked before its breaker let calls through again, and failed: ${failure.message}`
    : `No deployment can serve this any more: none of ${ids.join(', ')} takes calls now.`;
  const waitsMs = ids.map(id => waitOf(id, deps)).filter(waitMs => waitMs !== undefined);
  const waitMs = waitsMs.length > 0 ? Math.min(...waitsMs) : failure?.retryAfterMs;
  return requestError('NO_ROUTE', message, { retryAfterMs: waitMs });
}

/** Until calls are let through again; undefined: they are now, or time alone does not change it. */
function waitOf(
  deploymentId: string,
  { breakers, health }: Pick<FailoverDeps, 'breakers' | 'health'>,
): number | undefined {
  const { admits, retryAfterMs } = breakers.outlook(deploymentId);
  const cooldownMs = Math.ceil(health.cooldownLeftMs(deploymentId));
  if (admits) return cooldownMs || undefined;
  return retryAfterMs === undefined ? undefined : Math.max(retryAfterMs, cooldownMs);
}
