// The candidates in turn, until one answers. Before the first token the client sees nothing of it; after it the next
// candidate continues the answer or begins it again (recovery.ts), and nothing is ever spliced silently.

import { once } from 'node:events';
import type { Deployment } from '../domain/model.ts';
import { type Attempt, type FinishReason, type RequestError, requestError } from '../domain/request.ts';
import { atMost } from '../lib/clock.ts';
import type { AttemptFailed } from './attempt.ts';
import type { Permit } from './breakers.ts';
import type { FailoverDeps, Journey } from './journey.ts';
import { FAULT_RULES } from './outcome.ts';
import { PASSING_REJECTIONS } from './planning.ts';
import type { Transcript } from './screen.ts';
import { callTarget, type Target } from './target.ts';

/** Over all candidates of one request; a limit on what a single request can cost. */
export const MAX_ATTEMPTS = 6;
/** The same deployment is asked again after this, plus up to as much by chance. */
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

/** How far a request has come. */
interface Course {
  readonly attempts: Attempt[];
  readonly transcript: Transcript;
  /** Deployment ids still to be asked, in order. */
  readonly rest: string[];
  /** Asked a second time after a fault that may pass; nobody is asked a third time. */
  readonly retried: Set<string>;
  error: RequestError;
  /** The call itself is wrong. */
  isRefused: boolean;
  /** Some candidate was passed over that may be asked later. */
  heldBack: boolean;
  waitedMs: number;
}

export async function failover(journey: Journey, deps: FailoverDeps): Promise<Arrival> {
  const course: Course = {
    attempts: [],
    transcript: { sent: '', prefillRefused: false },
    rest: journey.decision.candidates.map(candidate => candidate.deploymentId),
    retried: new Set(),
    error: requestError('NO_ROUTE', journey.decision.explanation),
    isRefused: false,
    heldBack: false,
    waitedMs: 0,
  };
  const { status, finishReason } = await run(course, journey, deps);
  const { attempts, waitedMs } = course;
  const error = status === 'SUCCEEDED' ? undefined : { ...course.error, retryable: mayPass(course, journey) };
  return { status, error, finishReason, attempts, waitedMs };
}

type End = Pick<Arrival, 'status'> & Partial<Pick<Arrival, 'finishReason'>>;

/** Asks one after the other until the request has an end. */
async function run(course: Course, journey: Journey, deps: FailoverDeps): Promise<End> {
  const { attempts, transcript, rest } = course;
  while (attempts.length < MAX_ATTEMPTS && !journey.signal.aborted) {
    const target = nextTarget(course, deps);
    if (!target) break;
    const called = await callTarget(journey, target, deps);
    const { outcome, attempt, deployment } = called;
    attempts.push(attempt);
    if (outcome.outcome === 'succeeded') return { status: 'SUCCEEDED', finishReason: attempt.finishReason };
    if (outcome.outcome === 'cancelled') return { status: 'CANCELLED' };
    if (called.prefilled && outcome.fault === 'bad-request') {
      // Not the caller's mistake but ours: this model takes no prefill. It is asked again without.
      transcript.prefillRefused = true;
      rest.unshift(deployment.id);
      continue;
    }
    course.error = attempt.error ?? course.error;
    course.isRefused = isFinal(outcome);
    if (course.isRefused || deps.clock.monotonic() >= journey.endsAtMs) return { status: 'FAILED' };
    await retryLater(outcome, deployment, { course, journey, deps });
  }
  return { status: journey.signal.aborted ? 'CANCELLED' : 'FAILED' };
}

/** The first of the rest that lets a call through now. */
function nextTarget(course: Course, deps: FailoverDeps): Target | undefined {
  const { rest, attempts, transcript } = course;
  for (let id = rest.shift(); id !== undefined; id = rest.shift()) {
    const deployment = deps.catalog.deployment(id);
    const permit = deployment && admit(deployment, deps);
    if (permit) return { deployment, permit, number: attempts.length + 1, transcript };
    course.heldBack ||= deployment !== undefined && !deps.drains.of(id);
  }
  return undefined;
}

/** When nobody else is left to ask, and the fault may pass: waits, and puts the deployment in front once more. */
async function retryLater(
  failure: AttemptFailed,
  { id }: Deployment,
  { course, journey, deps }: { course: Course; journey: Journey; deps: FailoverDeps },
): Promise<void> {
  const { clock } = deps;
  const delayMs = retryDelay(failure);
  const isPointless = course.retried.has(id) || !isUsable(id, deps);
  if (delayMs === undefined || isPointless || course.rest.some(other => isUsable(other, deps))) return;
  const waitsSinceMs = clock.monotonic();
  if (waitsSinceMs + delayMs >= journey.endsAtMs) return;
  course.retried.add(id);
  await atMost(clock, delayMs, once(journey.signal, 'abort'));
  course.waitedMs += clock.monotonic() - waitsSinceMs;
  course.rest.unshift(id);
}

function isFinal({ fault }: AttemptFailed): boolean {
  return fault !== undefined && FAULT_RULES[fault].final;
}

/** Whoever may answer later, not only the last that was asked, makes it worth submitting the request again. */
function mayPass({ attempts, isRefused, heldBack }: Course, { decision }: Journey): boolean {
  if (isRefused) return false;
  return (
    heldBack ||
    attempts.length === 0 ||
    attempts.some(attempt => attempt.error?.retryable) ||
    decision.rejections.some(({ reason }) => PASSING_REJECTIONS.has(reason))
  );
}

/** How long to wait before the same deployment is asked again; undefined: asking again is pointless. */
function retryDelay(failure: AttemptFailed): number | undefined {
  if (failure.fault === 'rate-limit') {
    const hintMs = failure.retryAfterMs ?? RETRY_BASE_MS;
    return hintMs >= 0 && hintMs <= MAX_RETRY_AFTER_MS ? hintMs : undefined;
  }
  const maySucceed = failure.fault !== undefined && FAULT_RULES[failure.fault].retrySameTarget;
  return maySucceed ? RETRY_BASE_MS * (1 + Math.random()) : undefined;
}

/** Would a call be let through now? The decision may be older than what keeps calls away. */
function isUsable(deploymentId: string, { catalog, breakers, drains }: FailoverDeps): boolean {
  return (
    catalog.deployment(deploymentId) !== undefined &&
    !drains.of(deploymentId) &&
    breakers.admits(deploymentId)
  );
}

/** The right to call it now; undefined: something keeps calls away. */
function admit({ id }: Deployment, deps: FailoverDeps): Permit | undefined {
  return isUsable(id, deps) ? deps.breakers.acquire(id) : undefined;
}
