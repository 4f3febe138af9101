// When a request was where, for the figures of our own overhead. Only noted on the way, each moment once; told when
// the request is over and nobody waits any more.

import type { OverheadMeter, Stage } from '../telemetry/overhead.ts';

/** Monotonic milliseconds; undefined: it has not come so far. */
export interface Moments {
  readonly receivedAtMs: number;
  /** Undefined also for a request that had to wait in the queue: what lies between is no work of ours. */
  readonly committedAtMs: number | undefined;
  /** The first call is handed to the provider's adapter. */
  calledAtMs: number | undefined;
  /** The first token comes out of it. */
  tokenAtMs: number | undefined;
  /** The first token is in the log. */
  appendedAtMs: number | undefined;
  /** The last attempt is over. */
  endedAtMs: number | undefined;
  /** Its result is in the store. */
  storedAtMs: number | undefined;
}

export function createMoments(receivedAtMs: number, committedAtMs?: number): Moments {
  return {
    receivedAtMs,
    committedAtMs,
    calledAtMs: undefined,
    tokenAtMs: undefined,
    appendedAtMs: undefined,
    endedAtMs: undefined,
    storedAtMs: undefined,
  };
}

/** What lies between them. A request that waited for room at a deployment says nothing of its dispatch. */
export function tellOverhead(moments: Moments, hasWaited: boolean, meter: OverheadMeter | undefined): void {
  if (!meter) return;
  const tell = (stage: Stage, fromMs: number | undefined, untilMs: number | undefined) => {
    if (fromMs !== undefined && untilMs !== undefined) meter.spent(stage, Math.max(0, untilMs - fromMs));
  };
  const { receivedAtMs, committedAtMs, calledAtMs, tokenAtMs, appendedAtMs } = moments;
  if (committedAtMs !== undefined) tell('accept', receivedAtMs, committedAtMs);
  if (!hasWaited) tell('dispatch', committedAtMs, calledAtMs);
  tell('first_token', tokenAtMs, appendedAtMs);
  tell('finish', moments.endedAtMs, moments.storedAtMs);
}
