// A clock that stands still until the test moves it.

import type { Clock } from '../../src/lib/clock.ts';

export interface TestClock extends Clock {
  /** Moves time on and runs, in order, every callback that falls due on the way. */
  advance(ms: number): void;
  /** Moves time on to the next callback that is due, and runs it; false: there is none. */
  advanceToNext(): boolean;
  /** When the next callback is due, on the monotonic clock; undefined: there is none. */
  nextMs(): number | undefined;
}

const NEVER = { dueMs: Number.POSITIVE_INFINITY, callback: () => {} };

export function createTestClock(startMs = Date.parse('2026-11-01T00:00:00Z')): TestClock {
  let nowMs = startMs;
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  const earliest = () =>
    [...timers].reduce((first, timer) => (timer.dueMs < first.dueMs ? timer : first), NEVER);

  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    after(delayMs, callback) {
      const timer = { dueMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        const [next] = [...timers].filter(timer => timer.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
        if (!next) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.dueMs);
        next.callback();
      }
      nowMs = untilMs;
    },
    advanceToNext() {
      const next = earliest();
      if (!timers.delete(next)) return false;
      nowMs = Math.max(nowMs, next.dueMs);
      next.callback();
      return true;
    },
    nextMs() {
      const { dueMs } = earliest();
      return dueMs === Number.POSITIVE_INFINITY ? undefined : dueMs - startMs;
    },
  };
}
