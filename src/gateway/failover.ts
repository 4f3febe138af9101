// The candidates in turn, until one answers. Before the first token the client sees nothing of it; after it the next
// candidate continues the answer or begins it again (recovery.ts), and nothing is ever spliced silently.

import { once } from 'node:events';
import type { Deployment } from '../domain/model.ts';
import { type Attempt, type FinishReason, type RequestError, requestError } from '../domain/request.ts';
import type { RoutingDecision, RoutingRejection } from '../domain/routing.ts';
import { atMost } from '../lib/clock.ts';
import type { AttemptFailed } from './attempt.ts';
import type { Permit } from './breakers.ts';
import { coversBoth, keepCovered, withUncovered } from './coverage.ts';
import { callHedged, failureOf, type Hedging } from './hedging.ts';
import type { FailoverDeps, Journey } from './journey.ts';
import { errorToTell, lastResortOf } from './no-route.ts';
import { FAULT_RULES } from './outcome.ts';
import { createPassage, type Entry, type Passage } from './passage.ts';
import { PASSING_REJECTIONS } from './planning.ts';
import { retryDelay } from './retry-delay.ts';
import type { Transcript } from './screen.ts';
import { type Called, callTarget, OWN_FAULT, type Target } from './target.ts';

export interface Arrival {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly error: RequestError | undefined;
  readonly finishReason: FinishReason | undefined;
  readonly attempts: readonly Attempt[];
  /** Monotonic milliseconds spent waiting before a retry, or for room at a deployment. */
  readonly waitedMs: number;
  /** Monotonic milliseconds in which two attempts ran beside each other: both attempts count them. */
  readonly overlapMs: number;
  /** Candidates that were not asked, because budgets did not cover the call. */
  readonly uncovered?: readonly RoutingRejection[];
}

/** How far a request has come. */
interface Course {
  /** The number of the first attempt here. */
  readonly firstNumber: number;
  readonly attempts: Attempt[];
  readonly transcript: Transcript;
  readonly passage: Passage;
  /** Deployment ids still to be asked, in order. */
  readonly rest: string[];
  readonly asked: Set<string>;
  /** Asked a second time after a fault that may pass; nobody is asked a third time. */
  readonly retried: Set<string>;
  /** Of the last attempt that failed, or the end of the waiting for one. */
  error: RequestError | undefined;
  /** The call itself is wrong. */
  isRefused: boolean;
  /** Some candidate was passed over that may be asked later. */
  heldBack: boolean;
  /** The retry budget has no room. */
  gaveUp: boolean;
  waitedMs: number;
  overlapMs: number;
  readonly uncovered: RoutingRejection[];
}

/** Never throws: after a fault of ours the attempts that were made are paid for all the same. */
export async function failover(journey: Journey, deps: FailoverDeps): Promise<Arrival> {
  const course: Course = {
    firstNumber: journey.lastNumberBefore + 1,
    attempts: [],
    transcript: { sent: '', prefillRefused: false },
    passage: createPassage(journey, deps, deployment => admit(deployment, journey.decision, deps)),
    rest: journey.decision.candidates.map(candidate => candidate.deploymentId),
    asked: new Set(),
    retried: new Set(),
    error: undefined,
    isRefused: false,
    heldBack: false,
    gaveUp: false,
    waitedMs: 0,
    overlapMs: 0,
    uncovered: [],
  };
  deps.retryBudget.firstAttempt();
  deps.hedging?.share.deposit();
  const end = await run(course, journey, deps).catch((error): End => {
    deps.log.warn({ error, requestId: journey.requestId }, 'a request ended by a fault of ours');
    return { status: 'FAILED', error: OWN_FAULT };
  });
  const { attempts, passage, overlapMs, uncovered } = course;
  const waitedMs = course.waitedMs + passage.waitedMs();
  const { status, finishReason } = end;
  const error = status === 'SUCCEEDED' ? undefined : (end.error ?? errorOf(course, journey, deps));
  return { status, error, finishReason, attempts, waitedMs, overlapMs, uncovered };
}

/** Why the candidates did not answer. */
function errorOf(course: Course, journey: Journey, deps: FailoverDeps): RequestError {
  const expired = course.passage.expired() ? course.error : undefined;
  const told = expired ?? errorToTell(course, journey, deps);
  return withUncovered({ ...told, retryable: mayPass(course, journey) }, course);
}

interface Going {
  readonly course: Course;
  readonly journey: Journey;
  readonly deps: FailoverDeps;
}

type End = Pick<Arrival, 'status'> & Partial<Pick<Arrival, 'finishReason' | 'error'>>;

/** Asks one after the other until the request has an end. */
async function run(course: Course, journey: Journey, deps: FailoverDeps): Promise<End> {
  const { attempts, transcript, rest } = course;
  while (attempts.length < deps.retryLimits.maxAttempts && !journey.signal.aborted) {
    const target = nextTarget(course, deps) ?? (await waitForTarget(course, journey, deps));
    if (!target) break;
    if (journey.allowance && !(await keepCovered(target, course, journey))) continue;
    journey.book(attempts, target.deployment.id);
    const calls = await callAll(target, { course, journey, deps });
    for (const { defect } of calls) if (defect) throw defect.cause;
    const answered = calls.find(({ attempt }) => attempt.outcome === 'SUCCEEDED');
    if (answered) return { status: 'SUCCEEDED', finishReason: answered.attempt.finishReason };
    const called = failureOf(calls);
    if (called?.outcome.outcome !== 'failed' || journey.signal.aborted) return { status: 'CANCELLED' };
    const { outcome, attempt, deployment } = called;
    if (called.prefilled && outcome.fault === 'bad-request') {
      // Not the caller's mistake but ours: this model takes no prefill. It is asked again without.
      transcript.prefillRefused = true;
      rest.unshift(deployment.id);
      continue;
    }
    course.error = attempt.error ?? course.error;
    course.isRefused = isFinal(outcome);
    if (course.isRefused || deps.clock.monotonic() >= journey.endsAtMs) return { status: 'FAILED' };
    if (outcome.fault === 'context-length') largerFirst(rest, deployment, deps);
    if (attempts.length < deps.retryLimits.maxAttempts)
      await retrySame(outcome, deployment, { course, journey, deps });
  }
  return { status: journey.signal.aborted ? 'CANCELLED' : 'FAILED' };
}

/** Whoever has more room goes first. The others stay: how a provider counts is not known to a token. */
function largerFirst(rest: string[], refused: Deployment, { catalog }: FailoverDeps): void {
  const window = (id: string) => catalog.deployment(id)?.capabilities.contextWindow ?? 0;
  const isLarger = (id: string) => window(id) > refused.capabilities.contextWindow;
  rest.sort((a, b) => Number(isLarger(b)) - Number(isLarger(a)));
}

/** One attempt, or a hedged pair of them: only the first one of a request gets company. */
async function callAll(target: Target, going: Going): Promise<readonly Called[]> {
  const { course, journey, deps } = going;
  const { clock, hedging } = deps;
  const startedAtMs = clock.monotonic();
  const calls =
    hedging && course.attempts.length === 0
      ? await callHedged(target, () => takeSecond(target, hedging, going), { journey, deps, hedging })
      : [await callTarget(journey, target, deps)];
  course.attempts.push(...calls.map(({ attempt }) => attempt));
  const spentMs = calls.reduce((sum, { attempt }) => sum + attempt.durationMs, 0);
  if (calls.length > 1) course.overlapMs += Math.max(0, spentMs - (clock.monotonic() - startedAtMs));
  return calls;
}

/** The next candidate, to be asked beside the first one. What is made up by us never stands in for a real answer. */
function takeSecond(first: Target, { share }: Hedging, { course, journey, deps }: Going): Target | undefined {
  const { rest, asked, transcript, passage } = course;
  const id = rest.find(next => next !== first.deployment.id && isUsable(next, deps));
  const deployment = id === undefined ? undefined : deps.catalog.deployment(id);
  if (!deployment || deployment.simulated !== first.deployment.simulated) return undefined;
  if (deps.retryLimits.maxAttempts < 2) return undefined;
  if (journey.allowance && !coversBoth(first.deployment, deployment, journey)) return undefined;
  rest.splice(rest.indexOf(deployment.id), 1);
  const entry = passage.admit(deployment);
  if (!entry) return undefined;
  if (share.take() && deps.retryBudget.admits('hedge')) {
    asked.add(deployment.id);
    return { ...entry, number: first.number + 1, transcript };
  }
  entry.permit.ignore();
  entry.release();
  rest.unshift(deployment.id);
  return undefined;
}

/** The first of the rest that lets a call through now, if the retry budget has room for it. */
function nextTarget(course: Course, deps: FailoverDeps): Target | undefined {
  const { rest, passage } = course;
  for (let id = rest.shift(); id !== undefined; id = rest.shift()) {
    const deployment = deps.catalog.deployment(id);
    const entry = deployment && passage.admit(deployment);
    if (entry) return toTarget(entry, course, deps);
    course.heldBack ||= deployment !== undefined && !deps.drains.of(id);
  }
  return undefined;
}

/** The first that has room again of those that were merely full. */
async function waitForTarget(
  course: Course,
  journey: Journey,
  deps: FailoverDeps,
): Promise<Target | undefined> {
  if (course.gaveUp) return undefined;
  if (course.passage.someFull() && course.attempts.length > 0) journey.book(course.attempts, undefined);
  const entry = await course.passage.wait();
  const expired = course.passage.expired();
  if (expired) course.error = requestError('TIMEOUT', expired);
  return entry && toTarget(entry, course, deps);
}

function toTarget(entry: Entry, course: Course, deps: FailoverDeps): Target | undefined {
  const { firstNumber, asked, attempts, transcript } = course;
  const { id } = entry.deployment;
  // Asking somebody again was paid for when it was decided; a refused prefill is our mistake, and costs nothing.
  const isFailover = asked.size > 0 && !asked.has(id);
  const kind = asked.size === 1 ? 'first-failover' : 'further-failover';
  if (isFailover && !deps.retryBudget.admits(kind)) {
    entry.permit.ignore();
    entry.release();
    giveUp(course, deps);
    return undefined;
  }
  asked.add(id);
  return { ...entry, number: firstNumber + attempts.length, transcript };
}

/**
 * When the fault may pass: waits, and puts the deployment in front once more. Otherwise, and when the retry budget has
 * no room, leaves the rest as it is.
 */
async function retrySame(
  failure: AttemptFailed,
  { id }: Deployment,
  { course, journey, deps }: Going,
): Promise<void> {
  const { clock, retryLimits, retryBudget } = deps;
  if (course.retried.has(id) || !isUsable(id, deps)) return;
  const isAlone = !course.passage.someFull() && !course.rest.some(other => isUsable(other, deps));
  const delayMs = retryDelay(failure, isAlone ? retryLimits.maxRetryAfterMs : undefined);
  const waitsSinceMs = clock.monotonic();
  if (delayMs === undefined || waitsSinceMs + delayMs >= journey.endsAtMs) return;
  if (!retryBudget.admits('same-deployment')) {
    if (isAlone) giveUp(course, deps);
    return;
  }
  course.retried.add(id);
  // Named ahead: who dies in the pause leaves a call too many in the ledger, which is better than one too few.
  journey.book(course.attempts, id);
  await atMost(clock, delayMs, once(journey.signal, 'abort'));
  course.waitedMs += clock.monotonic() - waitsSinceMs;
  course.rest.unshift(id);
}

/** The last error stands, and says why nobody else was asked. */
function giveUp(course: Course, { log }: FailoverDeps): void {
  const { error } = course;
  const why = 'It was not tried again, because too many requests are being retried at the moment.';
  course.error = error && { ...error, message: `${error.message} ${why}` };
  course.heldBack = true;
  course.gaveUp = true;
  log.warn({ code: error?.code }, 'the retry budget is used up: a request ends with its last error');
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

/** Would a call be let through now? The decision may be older than what keeps calls away. */
function isUsable(deploymentId: string, { catalog, breakers, drains }: FailoverDeps): boolean {
  return (
    catalog.deployment(deploymentId) !== undefined &&
    !drains.of(deploymentId) &&
    breakers.admits(deploymentId)
  );
}

/** The right to call it now; undefined: something keeps calls away. */
function admit({ id }: Deployment, decision: RoutingDecision, deps: FailoverDeps): Permit | undefined {
  if (isUsable(id, deps)) return deps.breakers.acquire(id);
  const isLastResort = lastResortOf(decision) === id && !deps.drains.of(id);
  return isLastResort ? deps.breakers.acquireLastResort(id) : undefined;
}
