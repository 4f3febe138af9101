// Work that is tried again after pauses that grow, until somebody says that it is enough.

import { type Clock, pause } from './clock.ts';

interface Trying {
  readonly clock: Clock;
  /** Doubled after each failure, 100 ms at first. */
  readonly longestPauseMs?: number;
  /** Ends a pause, and with it the trying: its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Throws when it is not to be tried again. What it returns is how long is waited at least. */
  readonly onFailure: (error: unknown, tries: number) => number | undefined;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Throws what `onFailure` throws, or the reason of the signal. */
export async function keepTrying<Result>(
  work: () => Promise<Result>,
  { clock, longestPauseMs = LONGEST_PAUSE_MS, signal, onFailure }: Trying,
): Promise<Result> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let tries = 1; ; tries += 1) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const leastMs = onFailure(error, tries) ?? 0;
      await pause(clock, Math.max(pauseMs, leastMs), signal);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }
}
