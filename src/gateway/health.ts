// What routing knows of each deployment from traffic: how fast it answers, how often it fails, how busy it is with
// our calls, and until when it asked us to stay away. In memory and of this process only; it is learnt again soon.

import type { CandidateState } from '../domain/routing.ts';
import { RAMP_MS } from '../domain/routing-choice.ts';
import type { Clock } from '../lib/clock.ts';

/** The measured part of a candidate's state. */
export type HealthFigures = Required<
  Pick<
    CandidateState,
    | 'timeToFirstTokenMs'
    | 'msPerOutputToken'
    | 'timesConfidence'
    | 'successRate'
    | 'successConfidence'
    | 'inFlight'
    | 'cooldownUntilMs'
    | 'rampStartedAtMs'
  >
>;

/** How an attempt went. A failure carries no times: a quick refusal must not look like a quick answer. */
export type HealthSample =
  | { readonly timeToFirstTokenMs: number | undefined; readonly msPerOutputToken: number | undefined }
  | 'failure';

export interface Health {
  /** Counts a call as under way until the function returned is called; calling it again does nothing. */
  begin(deploymentId: string): () => void;
  /** Calls under way. */
  inFlight(deploymentId: string): number;
  record(deploymentId: string, sample: HealthSample): void;
  /**
   * A call was broken off by us after so long without a token: it would have taken longer still. Routing sees it like a
   * first token that came then, unless it is known to take longer anyway.
   */
  recordAtLeast(deploymentId: string, timeToFirstTokenMs: number): void;
  /** Time to first token of those calls that were answered; undefined: unknown. */
  answersAfterMs(deploymentId: string): number | undefined;
  /**
   * After a 429: no calls for the provider's hint, or for a time that doubles while it repeats. It lowers the success
   * rate like any call that brought nothing.
   */
  cooldown(deploymentId: string, retryAfterMs: number | undefined): void;
  /** What is left of the cooldown; 0 without one. */
  cooldownLeftMs(deploymentId: string): number;
  /** Its breaker closed: it gets calls again, few at first. */
  startRamp(deploymentId: string): void;
  read(deploymentId: string): HealthFigures;
  /** The deployments of which something is known. */
  known(): readonly string[];
  /** Lets go of all that is known of it. False, and nothing is done, while calls are under way. */
  forget(deploymentId: string): boolean;
}

/** Smoothing of times: a sample's weight falls to 1/e in 10 s (peak-EWMA as in Finagle and Linkerd). */
const TIME_CONSTANT_MS = 10_000;
/** Times of a deployment that nobody called for so long say nothing any more; routing then assumes the mean of the others. */
const STALE_AFTER_MS = 300_000;
/** Until then, what is known of the times of an idle deployment gives way to that mean, by half in this time. */
const TIMES_HALF_LIFE_MS = 60_000;
/** Old successes and failures count half after this. */
const OUTCOME_HALF_LIFE_MS = 60_000;
/** The success rate starts as if so many calls had succeeded: unseen and long idle are 1, without a jump at the first call. */
const PRIOR_SUCCESSES = 2;
/** A provider's hint is obeyed within these bounds. */
const MIN_COOLDOWN_MS = 1_000;
const MAX_COOLDOWN_MS = 300_000;
/** Without a hint: the first pause, doubled up to the last while it repeats. */
const FIRST_UNHINTED_MS = 5_000;
const LAST_UNHINTED_MS = 60_000;

interface Smoothed {
  value: number;
  atMs: number;
}

interface DeploymentHealth {
  /** Of answers, and of what was broken off without one. */
  timeToFirstToken: Smoothed | undefined;
  /** Of answers alone. */
  answeredAfter: Smoothed | undefined;
  perToken: Smoothed | undefined;
  successes: number;
  failures: number;
  outcomesAtMs: number;
  inFlight: number;
  /** Monotonic instant of the last call; never: -Infinity. */
  calledAtMs: number;
  /** Monotonic instant since which it comes up to speed; never: -Infinity. */
  rampStartedAtMs: number;
  /** Monotonic; in the past when there is none. */
  cooldownEndsAtMs: number;
  /** Length of the last pause without a hint; 0 after a success. */
  unhintedMs: number;
}

export function createHealth({ clock }: { clock: Clock }): Health {
  const deployments = new Map<string, DeploymentHealth>();

  function healthOf(deploymentId: string): DeploymentHealth {
    const known = deployments.get(deploymentId);
    if (known) return known;
    const made = unseen();
    deployments.set(deploymentId, made);
    return made;
  }

  return {
    begin(deploymentId) {
      const health = healthOf(deploymentId);
      const nowMs = clock.monotonic();
      if (nowMs - health.calledAtMs >= STALE_AFTER_MS) health.rampStartedAtMs = nowMs;
      health.calledAtMs = nowMs;
      health.inFlight += 1;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        health.inFlight -= 1;
      };
    },
    inFlight: deploymentId => deployments.get(deploymentId)?.inFlight ?? 0,
    record(deploymentId, sample) {
      const health = healthOf(deploymentId);
      const nowMs = clock.monotonic();
      decayOutcomes(health, nowMs);
      if (sample === 'failure') {
        health.failures += 1;
        return;
      }
      health.successes += 1;
      health.unhintedMs = 0;
      health.timeToFirstToken = peak(health.timeToFirstToken, sample.timeToFirstTokenMs, nowMs);
      health.answeredAfter = peak(health.answeredAfter, sample.timeToFirstTokenMs, nowMs);
      health.perToken = average(health.perToken, sample.msPerOutputToken, nowMs);
    },
    recordAtLeast(deploymentId, timeToFirstTokenMs) {
      const health = healthOf(deploymentId);
      const nowMs = clock.monotonic();
      const known = fresh(health.timeToFirstToken, nowMs);
      if (known === undefined || timeToFirstTokenMs > known)
        health.timeToFirstToken = { value: timeToFirstTokenMs, atMs: nowMs };
    },
    answersAfterMs: deploymentId => fresh(deployments.get(deploymentId)?.answeredAfter, clock.monotonic()),
    cooldown(deploymentId, retryAfterMs) {
      const health = healthOf(deploymentId);
      const nowMs = clock.monotonic();
      decayOutcomes(health, nowMs);
      health.failures += 1;
      extendCooldown(health, retryAfterMs, nowMs);
      health.rampStartedAtMs = health.cooldownEndsAtMs;
    },
    cooldownLeftMs(deploymentId) {
      const endsAtMs = deployments.get(deploymentId)?.cooldownEndsAtMs ?? Number.NEGATIVE_INFINITY;
      return Math.max(0, endsAtMs - clock.monotonic());
    },
    startRamp(deploymentId) {
      healthOf(deploymentId).rampStartedAtMs = clock.monotonic();
    },
    read: deploymentId => figuresOf(deployments.get(deploymentId) ?? unseen(), clock),
    known: () => [...deployments.keys()],
    forget(deploymentId) {
      const isIdle = !deployments.get(deploymentId)?.inFlight;
      if (isIdle) deployments.delete(deploymentId);
      return isIdle;
    },
  };
}

function figuresOf(health: DeploymentHealth, clock: Clock): HealthFigures {
  const nowMs = clock.monotonic();
  decayOutcomes(health, nowMs);
  const seen = health.successes + health.failures;
  const restMs = health.cooldownEndsAtMs - nowMs;
  const rampedMs = nowMs - health.rampStartedAtMs;
  return {
    timeToFirstTokenMs: fresh(health.timeToFirstToken, nowMs),
    msPerOutputToken: fresh(health.perToken, nowMs),
    timesConfidence: confidence(health.timeToFirstToken ?? health.perToken, nowMs),
    successRate:
      (PRIOR_SUCCESSES + health.successes) / (PRIOR_SUCCESSES + health.successes + health.failures),
    successConfidence: seen / (PRIOR_SUCCESSES + seen),
    inFlight: health.inFlight,
    cooldownUntilMs: restMs > 0 ? Math.ceil(clock.now() + restMs) : undefined,
    rampStartedAtMs: rampedMs < RAMP_MS ? clock.now() - rampedMs : undefined,
  };
}

function unseen(): DeploymentHealth {
  return {
    timeToFirstToken: undefined,
    answeredAfter: undefined,
    perToken: undefined,
    successes: 0,
    failures: 0,
    outcomesAtMs: 0,
    inFlight: 0,
    calledAtMs: Number.NEGATIVE_INFINITY,
    rampStartedAtMs: Number.NEGATIVE_INFINITY,
    cooldownEndsAtMs: Number.NEGATIVE_INFINITY,
    unhintedMs: 0,
  };
}

function decayOutcomes(health: DeploymentHealth, nowMs: number): void {
  const factor = 0.5 ** (Math.max(0, nowMs - health.outcomesAtMs) / OUTCOME_HALF_LIFE_MS);
  health.successes *= factor;
  health.failures *= factor;
  health.outcomesAtMs = nowMs;
}

/** A slower answer counts in full at once, a quicker one little by little: trouble is seen before it is averaged away. */
function peak(before: Smoothed | undefined, sample: number | undefined, nowMs: number): Smoothed | undefined {
  if (!isTime(sample)) return before;
  if (before && sample > before.value) return { value: sample, atMs: nowMs };
  return average(before, sample, nowMs);
}

function average(
  before: Smoothed | undefined,
  sample: number | undefined,
  nowMs: number,
): Smoothed | undefined {
  if (!isTime(sample)) return before;
  if (!before) return { value: sample, atMs: nowMs };
  const keep = Math.exp(-Math.max(0, nowMs - before.atMs) / TIME_CONSTANT_MS);
  return { value: sample + (before.value - sample) * keep, atMs: nowMs };
}

function isTime(sample: number | undefined): sample is number {
  return sample !== undefined && Number.isFinite(sample) && sample >= 0;
}

function fresh(smoothed: Smoothed | undefined, nowMs: number): number | undefined {
  return smoothed && nowMs - smoothed.atMs < STALE_AFTER_MS ? smoothed.value : undefined;
}

/** 1 just after a sample, then less by age; 0 without one. */
function confidence(smoothed: Smoothed | undefined, nowMs: number): number {
  return smoothed ? 0.5 ** (Math.max(0, nowMs - smoothed.atMs) / TIMES_HALF_LIFE_MS) : 0;
}

function extendCooldown(health: DeploymentHealth, retryAfterMs: number | undefined, nowMs: number): void {
  const hinted = retryAfterMs !== undefined && !Number.isNaN(retryAfterMs);
  const cooling = nowMs < health.cooldownEndsAtMs;
  // Calls that were under way together are refused together: that is one refusal, not a repetition.
  if (!hinted && !(cooling && health.unhintedMs > 0))
    health.unhintedMs = Math.min(LAST_UNHINTED_MS, health.unhintedMs * 2 || FIRST_UNHINTED_MS);
  const lengthMs = hinted
    ? Math.min(MAX_COOLDOWN_MS, Math.max(MIN_COOLDOWN_MS, retryAfterMs))
    : health.unhintedMs;
  health.cooldownEndsAtMs = Math.max(health.cooldownEndsAtMs, nowMs + lengthMs);
}
