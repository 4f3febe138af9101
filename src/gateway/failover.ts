// The candidates in turn, until one answers. Before the first token the client sees nothing of it; after it the next
// candidate continues the answer or begins it again (recovery.ts), and nothing is ever spliced silently.

import { once } from 'node:events';
import type { Deployment } from '../domain/model.ts';
import { type Attempt, type FinishReason, type RequestError, requestError } from '../domain/request.ts';
import { outputLimit } from '../domain/routing.ts';
import { estimateTokens } from '../domain/usage.ts';
import { atMost } from '../lib/clock.ts';
import type { ProviderCall } from '../providers/provider.ts';
import { type AttemptResult, runAttempt } from './attempt.ts';
import { learn, toAttempt } from './attempt-record.ts';
import type { Permit } from './breakers.ts';
import type { FailoverDeps, Journey } from './journey.ts';
import { FAULT_RULES } from './outcome.ts';
import { createScreen, prefillFor, type Transcript } from './screen.ts';

/** Over all candidates of one request; a limit on what a single request can cost. */
export const MAX_ATTEMPTS = 6;
/** The only candidate is tried again after this, plus up to as much by chance. */
const RETRY_BASE_MS = 250;
/** The longest a provider's Retry-After is waited for when there is nobody else to ask. */
export const MAX_RETRY_AFTER_MS = 30_000;

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
  const transcript: Transcript = { sent: '', prefillRefused: false };
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
    const target = { deployment, permit, number: attempts.length + 1, transcript };
    const result = await attempt(journey, target, deps);
    attempts.push(result.attempt);
    if (result.outcome.outcome === 'succeeded') return arrive('SUCCEEDED', result.attempt.finishReason);
    if (result.outcome.outcome === 'cancelled') return arrive('CANCELLED');
    if (result.prefilled && result.outcome.fault === 'bad-request') {
      // Not the caller's mistake but ours: this model takes no prefill. It is asked again without.
      transcript.prefillRefused = true;
      targets.splice(index + 1, 0, deployment.id);
      continue;
    }
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
      await atMost(deps.clock, delayMs, once(journey.signal, 'abort'));
      waitedMs += deps.clock.monotonic() - waitsSinceMs;
      targets.push(deployment.id);
    }
  }
  return arrive(journey.signal.aborted ? 'CANCELLED' : 'FAILED');
}

type Failure = Extract<AttemptResult, { outcome: 'failed' }>;

function isFinal({ fault }: Failure): boolean {
  return fault !== undefined && FAULT_RULES[fault].final;
}

/** How long to wait before the only candidate is asked again; undefined: asking again is pointless. */
function retryDelay(failure: Failure): number | undefined {
  if (failure.fault === 'rate-limit') {
    const hintMs = failure.retryAfterMs ?? RETRY_BASE_MS;
    return hintMs >= 0 && hintMs <= MAX_RETRY_AFTER_MS ? hintMs : undefined;
  }
  const maySucceed = failure.fault !== undefined && FAULT_RULES[failure.fault].retrySameTarget;
  return maySucceed ? RETRY_BASE_MS * (1 + Math.random()) : undefined;
}

/** The decision may be older than what keeps calls away now. */
function admit(deployment: Deployment, { breakers, drains }: FailoverDeps): Permit | undefined {
  if (drains.of(deployment.id)) return undefined;
  return breakers.admits(deployment.id) ? breakers.acquire(deployment.id) : undefined;
}

interface Target {
  readonly deployment: Deployment;
  readonly permit: Permit;
  readonly number: number;
  readonly transcript: Transcript;
}

async function attempt(
  journey: Journey,
  { deployment, permit, number, transcript }: Target,
  deps: FailoverDeps,
): Promise<{ outcome: AttemptResult; attempt: Attempt; prefilled: boolean }> {
  const { spec, emit } = journey;
  const prefill = prefillFor(deployment, journey, transcript);
  const show = createScreen({ journey, transcript, number, prefill });
  const startedAt = new Date(deps.clock.now());
  let text = '';
  const endFlight = deps.health.begin(deployment.id);
  try {
    emit({ type: 'attempt-started', attempt: number, deploymentId: deployment.id });
    const outcome = await runAttempt({
      adapter: deps.catalog.adapterOf(deployment),
      call: callFor(journey, deployment, prefill),
      permit,
      deadlines: { ...deployment.deadlines, ...spec.deadlines },
      deploymentDeadlines: deployment.deadlines,
      endsAtMs: journey.endsAtMs,
      signal: journey.signal,
      clock: deps.clock,
      maxOutputBytes: deps.maxOutputBytes,
      onToken(token) {
        text += token;
        show.push(token);
      },
    });
    if (outcome.outcome === 'succeeded') show.end();
    learn(deployment, outcome, text, deps);
    const tried = { journey, deployment, number, startedAt, text, prefill };
    return { outcome, attempt: toAttempt(tried, outcome), prefilled: prefill !== undefined };
  } finally {
    // Settled already, unless something of ours threw: then nobody else would give the probe's place back.
    permit.ignore();
    endFlight();
  }
}

function callFor(
  { requestId, spec, decision }: Journey,
  { model, capabilities }: Deployment,
  prefill: string | undefined,
): ProviderCall {
  const written = prefill === undefined ? 0 : estimateTokens(prefill);
  const limit = spec.maxOutputTokens && Math.max(1, spec.maxOutputTokens - written);
  return {
    model,
    system: spec.system,
    messages:
      prefill === undefined ? spec.messages : [...spec.messages, { role: 'ASSISTANT', content: prefill }],
    maxOutputTokens: outputLimit(capabilities, limit, decision.estimatedInputTokens + written),
    temperature: capabilities.customTemperature ? spec.temperature : undefined,
    stop: spec.stop,
    requestId,
  };
}
