// When to write, for many things at once: what is urgent at the end of this turn of the event loop, the rest together
// after a while; one write at a time; and after a failure one thing at a time, less and less often, until it works.
// Two sets and one timer, however many things there are.

import type { Clock } from '../lib/clock.ts';

const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;

export interface Pump<T> {
  /** To be written: at once when urgent, else within the interval. */
  mark(item: T, urgent: boolean): void;
  /** Tries again now, not after the pause that follows a failure. */
  retry(): void;
  /** Resolves when nothing is left to write, or writing fails. */
  flushed(): Promise<void>;
  close(): void;
}

export interface PumpDeps<T> {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Takes what it will write, one by one; `retrying`: one will do. Never rejects. */
  write(take: () => T | undefined, retrying: boolean): Promise<Written<T>>;
}

export interface Written<T> {
  /** Nothing could be written: wait a little. */
  readonly failed: boolean;
  /** To be written once more. */
  readonly again: readonly T[];
}

export function createPump<T>({ clock, intervalMs, write }: PumpDeps<T>): Pump<T> {
  const marked = new Set<T>();
  const urgent = new Set<T>();
  let busy: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let soon = false;
  let pauseMs = 0;
  let closed = false;

  function schedule(): void {
    if (busy !== undefined || closed || marked.size === 0) return;
    if (urgent.size > 0 && pauseMs === 0 && !soon) {
      soon = true;
      setImmediate(() => {
        soon = false;
        void run(urgent);
      });
    }
    cancelTimer ??= clock.after(Math.max(intervalMs, pauseMs), () => {
      cancelTimer = undefined;
      void run(marked);
    });
  }

  function run(from: Set<T>): Promise<void> {
    if (busy !== undefined || from.size === 0 || closed) return busy ?? Promise.resolve();
    const take = () => {
      const [item] = from;
      marked.delete(item!);
      urgent.delete(item!);
      return item;
    };
    busy = write(take, pauseMs > 0).then(({ failed, again }) => {
      busy = undefined;
      pauseMs = failed ? Math.min(Math.max(pauseMs * 2, MIN_RETRY_MS), MAX_RETRY_MS) : 0;
      for (const item of again) marked.add(item);
      schedule();
    });
    return busy;
  }

  return {
    mark(item, isUrgent) {
      marked.add(item);
      if (isUrgent) urgent.add(item);
      schedule();
    },
    retry() {
      pauseMs = 0;
      cancelTimer?.();
      cancelTimer = undefined;
      schedule();
    },
    async flushed() {
      do await run(marked);
      while (marked.size > 0 && pauseMs === 0 && !closed);
    },
    close() {
      closed = true;
      cancelTimer?.();
      marked.clear();
      urgent.clear();
    },
  };
}
