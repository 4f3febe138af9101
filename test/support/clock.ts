// A clock that stands still until the test moves it.

import type { Clock } from '../../src/lib/clock.ts';

export interface TestClock extends Clock {
  /** Moves time on and runs, in order, every callback that falls due on the way. */
  advance(ms: number): void;
}

export function createTestClock(startMs = Date.parse('2026-11-01T00:00:00Z')): TestClock {
  let nowMs = startMs;
  const timers = new Set<{ dueMs: number; callback: () => void }>();
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
  };
}
