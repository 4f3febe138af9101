// Waiting for others without blaming them for what this process does itself. While it computes, or stands still, an
// answer may lie there unread; a timer that fires before it is read would call it late.

import type { Clock } from './clock.ts';

/** Between two of them the process has read what had arrived, so one that stands still loses a step at most. */
const STEPS = 5;

/** Calls back after so many milliseconds in which this process listened; the function returned takes that back. */
export function afterListening(clock: Clock, delayMs: number, callback: () => void): () => void {
  let isOver = false;
  let cancelTimer = () => {};
  function wait(steps: number): void {
    cancelTimer = clock.after(delayMs / STEPS, () => {
      // What has arrived is read between a timer and this.
      setImmediate(() => {
        if (isOver) return;
        if (steps > 1) wait(steps - 1);
        else callback();
      });
    });
  }
  wait(STEPS);
  return () => {
    isOver = true;
    cancelTimer();
  };
}
