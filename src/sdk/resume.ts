// Follows a numbered stream through lost connections: whatever cuts it, the next connection continues behind the
// last event the consumer was given. The server's log decides what follows; nothing is counted or compared here.

import { isMcplaneError, McplaneError } from './errors.ts';

export interface ResumeOptions<Event> {
  /** Opens the stream behind a cursor; undefined: from the start. Must end promptly when the signal aborts. */
  readonly open: (after: string | undefined, signal: AbortSignal) => AsyncIterable<Event>;
  readonly isLast: (event: Event) => boolean;
  /** Continue behind this event. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Tries in a row that bring nothing, before the failure is the caller's. */
  readonly maxRetries?: number | undefined;
}

const DEFAULT_MAX_RETRIES = 8;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** The events up to the last one. Leaving the iteration closes the stream at once. */
export function resumable<Event extends { readonly cursor: string }>(
  options: ResumeOptions<Event>,
): AsyncIterableIterator<Event> {
  const controller = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, controller.signal]) : controller.signal;
  const source = follow(options, signal);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return await source.next();
      } catch (error) {
        // Whoever left is not told that it was aborted.
        if (controller.signal.aborted) return { done: true, value: undefined };
        throw error;
      }
    },
    async return() {
      // Ends a pending next() first: a generator answers return() only when it is not waiting.
      controller.abort();
      await source.return(undefined).catch(() => {});
      return { done: true, value: undefined };
    },
  };
}

async function* follow<Event extends { readonly cursor: string }>(
  { open, isLast, after, maxRetries = DEFAULT_MAX_RETRIES }: ResumeOptions<Event>,
  signal: AbortSignal,
): AsyncGenerator<Event, undefined> {
  let cursor = after;
  let failures = 0;
  for (;;) {
    try {
      for await (const event of open(cursor, signal)) {
        cursor = event.cursor;
        failures = 0;
        yield event;
        if (isLast(event)) return;
      }
      throw new McplaneError('The stream ended before its last event', { code: 'NETWORK', retryable: true });
    } catch (error) {
      if (signal.aborted || !isMcplaneError(error) || !error.retryable || ++failures > maxRetries)
        throw error;
      if (error.code !== 'SLOW_CONSUMER') await pause(error.retryAfterMs ?? pauseMs(failures), signal);
    }
  }
}

/** Doubles from try to try, half of it random, so that clients cut together do not return together. */
function pauseMs(failures: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return longest * (0.5 + Math.random() / 2);
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(
        new McplaneError('The call was aborted by its caller', { code: 'ABORTED', cause: signal.reason }),
      );
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
