// Time as a value that tests can hold. Durations come from the monotonic clock, dates from the wall clock.

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds that only grow; for durations. */
  monotonic(): number;
  /** Calls back after the delay; the function returned takes it back. Never keeps the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Resolves when `work` is settled, or when the time is over. */
export async function atMost(clock: Clock, delayMs: number, work: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const end = () => over.resolve();
  const cancelTimer = clock.after(delayMs, end);
  work.then(end, end);
  await over.promise;
  cancelTimer();
}

/** Resolves after the delay, or when the signal aborts. */
export async function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const cancelTimer = clock.after(delayMs, end);
  signal?.addEventListener('abort', end, { once: true });
  await promise;
  cancelTimer();
  signal?.removeEventListener('abort', end);
}

/** setTimeout fires at once beyond this, so longer delays are taken in steps. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    let timer: NodeJS.Timeout;
    const arm = (restMs: number) => {
      const stepMs = Math.min(Math.max(0, restMs), MAX_TIMEOUT_MS);
      timer = setTimeout(() => (restMs > stepMs ? arm(restMs - stepMs) : callback()), stepMs);
      timer.unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
