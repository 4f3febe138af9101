// What an attempt leaves behind: its row in the ledger, and what routing, breakers and catalog learn from it.

import { newId } from '../domain/ids.ts';
import type { Deployment } from '../domain/model.ts';
import { type Attempt, type RequestError, requestError } from '../domain/request.ts';
import { costOf, estimateTokens, type Usage } from '../domain/usage.ts';
import type { AttemptFailed, AttemptResult } from './attempt.ts';
import type { FailoverDeps, Journey } from './journey.ts';
import { estimated } from './planning.ts';

/** The longest a caller is told to wait: by then the deployment is asked again, whatever its provider said. */
const MAX_HINT_MS = 300_000;

/** What the attempt taught: figures for routing, a cooldown, a fault of the whole provider. */
export function learn(
  deployment: Deployment,
  outcome: AttemptResult,
  text: string,
  deps: FailoverDeps,
): void {
  const { health, catalog, breakers, log } = deps;
  if (outcome.outcome === 'cancelled') return;
  if (outcome.outcome === 'succeeded') {
    const { timeToFirstTokenMs, durationMs } = outcome;
    const tokens = outcome.usage?.outputTokens ?? estimateTokens(text);
    if (timeToFirstTokenMs !== undefined)
      health.record(deployment.id, {
        timeToFirstTokenMs,
        msPerOutputToken: (durationMs - timeToFirstTokenMs) / Math.max(1, tokens),
      });
    catalog.reportSuccess(deployment.providerId);
    return;
  }
  log.warn(
    { deployment: deployment.id, code: outcome.code, fault: outcome.fault, error: outcome.cause },
    `attempt failed: ${outcome.message}`,
  );
  if (outcome.fault === 'rate-limit') health.cooldown(deployment.id, outcome.retryAfterMs);
  if (outcome.counted) health.record(deployment.id, 'failure');
  if (outcome.providerWide) {
    const siblings = catalog.deployments().filter(other => other.providerId === deployment.providerId);
    breakers.openProvider(
      siblings.map(sibling => sibling.id),
      outcome.message,
    );
  }
  if (outcome.fault) catalog.reportFault(deployment.providerId, outcome.fault);
}

/** What losing a race teaches: a deployment that is slow would otherwise look as good as one that nobody has called. */
export function learnFromDefeat(
  { id }: Deployment,
  { timeToFirstTokenMs, durationMs }: AttemptResult,
  { health, hedging }: FailoverDeps,
): void {
  if (timeToFirstTokenMs !== undefined || !hedging) return;
  // Who began late had no time to show anything, and nothing known of it must not become a good figure.
  const isUnknown = health.read(id).timeToFirstTokenMs === undefined;
  if (!isUnknown || durationMs >= hedging.afterMs) health.recordAtLeast(id, durationMs);
}

/** A provider's hint may be a fraction or a century; the caller is told whole milliseconds that can be waited for. */
function callersWaitMs(hintMs: number | undefined): number | undefined {
  return hintMs !== undefined && hintMs >= 0 ? Math.min(MAX_HINT_MS, Math.ceil(hintMs)) : undefined;
}

function errorOf({ code, message, retryable, retryAfterMs }: AttemptFailed): RequestError {
  return requestError(code, message, { retryable, retryAfterMs: callersWaitMs(retryAfterMs) });
}

export interface Tried {
  readonly journey: Journey;
  readonly deployment: Deployment;
  readonly number: number;
  readonly startedAt: Date;
  readonly text: string;
  readonly prefill: string | undefined;
  /** Cancelled by us although nothing was wrong: whether its provider bills it, nobody can say. */
  readonly hasLost: boolean;
}

/**
 * What the provider reported, else an estimate of what it will bill; undefined: nothing. A call that is broken off, by
 * whomever, is billed for its prompt and for what it wrote until then, and nobody reports that any more, but some
 * providers count the prompt before they answer. What was refused, or never began to be answered, is not billed.
 */
function usageOf({ journey, text, prefill, hasLost }: Tried, outcome: AttemptResult): Usage | undefined {
  const reported = outcome.outcome === 'cancelled' ? undefined : outcome.usage;
  if (reported) return reported;
  const declined = outcome.outcome === 'failed' && outcome.declined;
  if (text === '' && !hasLost && (declined || !outcome.accepted)) return undefined;
  const inputTokens = journey.decision.estimatedInputTokens + estimateTokens(prefill ?? '');
  return { ...estimated(inputTokens, estimateTokens(text)), ...outcome.inputUsage };
}

export function toAttempt(tried: Tried, outcome: AttemptResult): Attempt {
  const { deployment, number, startedAt } = tried;
  const usage = usageOf(tried, outcome);
  return {
    id: newId(),
    number,
    deploymentId: deployment.id,
    providerId: deployment.providerId,
    model: deployment.model,
    outcome:
      outcome.outcome === 'succeeded' ? 'SUCCEEDED' : outcome.outcome === 'failed' ? 'FAILED' : 'CANCELLED',
    error: outcome.outcome === 'failed' ? errorOf(outcome) : undefined,
    fault: outcome.outcome === 'failed' ? (outcome.fault ?? outcome.deadline ?? 'unexpected') : undefined,
    providerResponseId: outcome.responseId,
    servedModel: outcome.servedModel,
    finishReason: outcome.outcome === 'succeeded' ? outcome.finishReason : undefined,
    usage,
    costNanoUsd: usage ? costOf(usage, deployment.price) : 0n,
    priceSource: deployment.price?.source,
    startedAt,
    timeToFirstTokenMs: outcome.timeToFirstTokenMs,
    durationMs: outcome.durationMs,
  };
}
