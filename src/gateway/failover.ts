// The candidates in turn, until one answers: invisible to the client, since it happens before the first token.
// Once a token was sent, a failure ends the request with what is known; nothing is ever spliced silently.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalog } from '../control/catalog.ts';
import { newId } from '../domain/ids.ts';
import type { Deployment } from '../domain/model.ts';
import {
  type Attempt,
  type FinishReason,
  type RequestError,
  type RequestSpec,
  requestError,
} from '../domain/request.ts';
import { outputLimit, type RoutingDecision } from '../domain/routing.ts';
import type { StreamEvent } from '../domain/stream.ts';
import { costOf, estimateTokens, type Usage } from '../domain/usage.ts';
import type { Clock } from '../lib/clock.ts';
import type { ProviderCall } from '../providers/provider.ts';
import { type AttemptResult, runAttempt } from './attempt.ts';
import type { Breakers, Permit } from './breakers.ts';
import type { Health } from './health.ts';
import { estimated } from './planning.ts';

/** Over all candidates of one request; a limit on what a single request can cost. */
const MAX_ATTEMPTS = 6;
/** The only candidate is tried again after this, plus up to as much by chance. */
const RETRY_BASE_MS = 250;
/** The longest a provider's Retry-After is waited for when there is nobody else to ask. */
const MAX_RETRY_AFTER_MS = 30_000;

/** The longest a caller is told to wait: by then the deployment is asked again, whatever its provider said. */
const MAX_HINT_MS = 300_000;

export interface FailoverDeps {
  readonly catalog: Catalog;
  readonly breakers: Breakers;
  readonly health: Health;
  readonly clock: Clock;
  readonly maxOutputBytes: number;
  readonly log: { warn(fields: object, message: string): void };
}

export interface Journey {
  readonly requestId: string;
  readonly spec: RequestSpec;
  readonly decision: RoutingDecision;
  /** Aborted by a cancel, a shutdown or the loss of ownership. */
  readonly signal: AbortSignal;
  /** Monotonic instant of the total deadline. */
  readonly endsAtMs: number;
  /** Appends to the request's log; never waits. */
  readonly emit: (event: StreamEvent) => void;
}

export interface Arrival {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly error: RequestError | undefined;
  readonly finishReason: FinishReason | undefined;
  readonly attempts: readonly Attempt[];
  /** Monotonic milliseconds spent waiting before a retry. */
  readonly waitedMs: number;
}

export async function failover(journey: Journey, deps: FailoverDeps): Promise<Arrival> {
  const attempts: Attempt[] = [];
  const targets = journey.decision.candidates.map(candidate => candidate.deploymentId);
  let error = requestError('NO_ROUTE', journey.decision.explanation);
  let waitedMs = 0;
  let retried = false;
  const arrive = (status: Arrival['status'], finishReason?: FinishReason): Arrival => ({
    status,
    error: status === 'SUCCEEDED' ? undefined : error,
    finishReason,
    attempts,
    waitedMs,
  });

  for (let index = 0; index < targets.length && attempts.length < MAX_ATTEMPTS; index += 1) {
    if (journey.signal.aborted) return arrive('CANCELLED');
    const deployment = deps.catalog.deployment(targets[index]!);
    const permit = deployment && admit(deployment, deps);
    if (!permit) continue;
    const result = await attempt(journey, { deployment, permit, number: attempts.length + 1 }, deps);
    attempts.push(result.attempt);
    if (result.outcome.outcome === 'succeeded') return arrive('SUCCEEDED', result.attempt.finishReason);
    if (result.outcome.outcome === 'cancelled') return arrive('CANCELLED');
    error = result.attempt.error ?? error;
    if (isFinal(result.outcome) || deps.clock.monotonic() >= journey.endsAtMs) return arrive('FAILED');
    const delayMs = retryDelay(result.outcome);
    const isLastTarget = index === targets.length - 1;
    if (
      isLastTarget &&
      !retried &&
      delayMs !== undefined &&
      deps.clock.monotonic() + delayMs < journey.endsAtMs
    ) {
      retried = true;
      const waitsSinceMs = deps.clock.monotonic();
      await sleep(delayMs, undefined, { signal: journey.signal }).catch(() => {});
      waitedMs += deps.clock.monotonic() - waitsSinceMs;
      targets.push(deployment.id);
    }
  }
  return arrive(journey.signal.aborted ? 'CANCELLED' : 'FAILED');
}

type Failure = Extract<AttemptResult, { outcome: 'failed' }>;

/** Asking somebody else would not help, or would be a second answer glued to the first. */
function isFinal(failure: Failure): boolean {
  return failure.tokensSent || failure.fault === 'bad-request' || failure.fault === 'content-policy';
}

/** How long to wait before the only candidate is asked again; undefined: asking again is pointless. */
function retryDelay(failure: Failure): number | undefined {
  if (failure.fault === 'rate-limit') {
    const hintMs = failure.retryAfterMs ?? RETRY_BASE_MS;
    return hintMs >= 0 && hintMs <= MAX_RETRY_AFTER_MS ? hintMs : undefined;
  }
  return failure.retrySameTarget ? RETRY_BASE_MS * (1 + Math.random()) : undefined;
}

function admit(deployment: Deployment, { breakers }: FailoverDeps): Permit | undefined {
  return breakers.admits(deployment.id) ? breakers.acquire(deployment.id) : undefined;
}

interface Target {
  readonly deployment: Deployment;
  readonly permit: Permit;
  readonly number: number;
}

async function attempt(
  journey: Journey,
  { deployment, permit, number }: Target,
  deps: FailoverDeps,
): Promise<{ outcome: AttemptResult; attempt: Attempt }> {
  const { spec, emit } = journey;
  const startedAt = new Date(deps.clock.now());
  let text = '';
  const endFlight = deps.health.begin(deployment.id);
  try {
    emit({ type: 'attempt-started', attempt: number, deploymentId: deployment.id });
    const outcome = await runAttempt({
      adapter: deps.catalog.adapterOf(deployment),
      call: callFor(journey, deployment),
      permit,
      deadlines: { ...deployment.deadlines, ...spec.deadlines },
      deploymentDeadlines: deployment.deadlines,
      endsAtMs: journey.endsAtMs,
      signal: journey.signal,
      clock: deps.clock,
      maxOutputBytes: deps.maxOutputBytes,
      onToken(token) {
        text += token;
        emit({ type: 'token', text: token });
      },
    });
    learn(deployment, outcome, text, deps);
    return { outcome, attempt: toAttempt({ journey, deployment, number, startedAt, text }, outcome) };
  } finally {
    // Settled already, unless something of ours threw: then nobody else would give the probe's place back.
    permit.ignore();
    endFlight();
  }
}

function callFor({ requestId, spec, decision }: Journey, { model, capabilities }: Deployment): ProviderCall {
  return {
    model,
    system: spec.system,
    messages: spec.messages,
    maxOutputTokens: outputLimit(capabilities, spec.maxOutputTokens, decision.estimatedInputTokens),
    temperature: capabilities.customTemperature ? spec.temperature : undefined,
    stop: spec.stop,
    requestId,
  };
}

/** What the attempt taught: figures for routing, a cooldown, a fault of the whole provider. */
function learn(deployment: Deployment, outcome: AttemptResult, text: string, deps: FailoverDeps): void {
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

/** A provider's hint may be a fraction or a century; the caller is told whole milliseconds that can be waited for. */
function callersWaitMs(hintMs: number | undefined): number | undefined {
  return hintMs !== undefined && hintMs >= 0 ? Math.min(MAX_HINT_MS, Math.ceil(hintMs)) : undefined;
}

interface Tried {
  readonly journey: Journey;
  readonly deployment: Deployment;
  readonly number: number;
  readonly startedAt: Date;
  readonly text: string;
}

function toAttempt({ journey, deployment, number, startedAt, text }: Tried, outcome: AttemptResult): Attempt {
  const reported = outcome.outcome === 'cancelled' ? undefined : outcome.usage;
  // A call that brought nothing is not billed by any provider we know; one that brought text is, whatever came after.
  const billed = outcome.outcome === 'succeeded' || text !== '';
  const guess = (): Usage => estimated(journey.decision.estimatedInputTokens, estimateTokens(text));
  const usage = reported ?? (billed ? guess() : undefined);
  return {
    id: newId(),
    number,
    deploymentId: deployment.id,
    providerId: deployment.providerId,
    model: deployment.model,
    outcome:
      outcome.outcome === 'succeeded' ? 'SUCCEEDED' : outcome.outcome === 'failed' ? 'FAILED' : 'CANCELLED',
    error:
      outcome.outcome === 'failed'
        ? requestError(outcome.code, outcome.message, callersWaitMs(outcome.retryAfterMs))
        : undefined,
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
