// When a breaker opens, for how long, and what closes it again. Numbers only; every one is a setting.

export interface BreakerRules {
  /** Opens after so many failures in a row. */
  readonly consecutiveFailures: number;
  /** Opens when at least `failureRate` (0 to 1) of the last `windowSize` calls failed, once there are `minimumCalls`. */
  readonly failureRate: number;
  readonly minimumCalls: number;
  readonly windowSize: number;
  /** Time open before the first probe; doubles each time it opens again, up to `maxOpenForMs`. */
  readonly openForMs: number;
  readonly maxOpenForMs: number;
  /** Share of the open time that chance may take off (0 to 1), so that instances do not probe in step. */
  readonly openJitter: number;
  /** Closed for this long, it is sound: the next opening starts with `openForMs` again. */
  readonly soundAfterMs: number;
  /** Probes run one at a time; so many successes close it, the first failure opens it. */
  readonly successesToClose: number;
  /** A probe without a sign of life for this long has failed. */
  readonly probeMaxMs: number;
}

/** Five in a row tells a dead target soon; 30 s at most open, so that traffic is back within 30 s of a recovery. */
export const DEFAULT_BREAKER_RULES: BreakerRules = {
  consecutiveFailures: 5,
  failureRate: 0.5,
  minimumCalls: 10,
  windowSize: 20,
  openForMs: 5_000,
  maxOpenForMs: 30_000,
  openJitter: 0.2,
  soundAfterMs: 60_000,
  successesToClose: 2,
  probeMaxMs: 60_000,
};

/** How long the breaker stays open the n-th time in a row (0 = the first). */
export function openTimeMs(rules: BreakerRules, openings: number, random: () => number): number {
  const fullMs = Math.min(rules.maxOpenForMs, rules.openForMs * 2 ** openings);
  return Math.round(fullMs * (1 - rules.openJitter * random()));
}
