// Circuit breakers as everybody but their implementation sees them. As electricians mean it: a CLOSED circuit
// lets calls through, an OPEN one does not, a HALF_OPEN one lets single probes through.

export const BREAKER_STATES = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export interface BreakerSnapshot {
  readonly deploymentId: string;
  readonly state: BreakerState;
  /** 0 to 1 over the calls in the window. */
  readonly failureRate: number;
  /** Calls and failures in the window. */
  readonly calls: number;
  readonly failures: number;
  readonly since: Date;
  /** When it will let a probe through; only while OPEN. */
  readonly retryAt: Date | undefined;
  readonly lastError: string | undefined;
}

/** What routing wants to know of a breaker at this moment. */
export interface BreakerOutlook {
  /** Would a call be let through? */
  readonly admits: boolean;
  /** It is half-open, and the next call is its probe. */
  readonly halfOpen: boolean;
  /** Milliseconds until a probe may be let through; undefined while it admits calls, and while it is held open. */
  readonly retryAfterMs: number | undefined;
  /** It is open for a time, and has not yet let a call through before the end of it. */
  readonly lastResort: boolean;
}

/** A change of state of one breaker, or an act of an administrator, which may leave the state as it was. */
export interface BreakerTransition {
  readonly id: string;
  readonly deploymentId: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly at: Date;
  readonly cause: 'automatic' | 'manual';
  /** When it will let a probe through; absent unless it became OPEN, and while it is held. */
  readonly retryAt?: Date | undefined;
  /** The last error, or the administrator's reason. */
  readonly detail: string | undefined;
}
