// Iterators that end the moment their consumer leaves. A bare async generator queues `return()` behind its pending
// `next()`, so that a departed subscriber would be noticed only at the next value, perhaps never.

/** Made once: an error for each iteration that ends would cost more than the iteration. */
const SOURCE_ENDED = new DOMException('The source ended', 'AbortError');
const CONSUMER_LEFT = new DOMException('The consumer left', 'AbortError');

/** Runs `start` with a signal; leaving the iteration aborts it at once and never waits for the source. */
export function cancellable<T>(start: (signal: AbortSignal) => AsyncIterable<T>): AsyncIterableIterator<T> {
  const controller = new AbortController();
  const source = start(controller.signal)[Symbol.asyncIterator]();
  // Pending pulls are resolved by hand: racing them against one long-lived promise would keep every race alive.
  const pulls = new Set<(end: IteratorResult<T>) => void>();
  let ended = false;

  function end(reason: unknown): void {
    if (ended) return;
    ended = true;
    controller.abort(reason);
    for (const resolve of pulls) resolve({ done: true, value: undefined });
    pulls.clear();
    source.return?.().catch(() => {});
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (ended) return Promise.resolve({ done: true, value: undefined });
      return new Promise((resolve, reject) => {
        pulls.add(resolve);
        source.next().then(
          result => {
            pulls.delete(resolve);
            resolve(result);
            if (result.done) end(SOURCE_ENDED);
          },
          error => {
            pulls.delete(resolve);
            reject(error);
            end(error);
          },
        );
      });
    },
    async return() {
      end(CONSUMER_LEFT);
      return { done: true, value: undefined };
    },
    async throw(error) {
      end(error);
      throw error;
    },
  };
}

/** A doorbell: whoever waits is woken by the next `ring`, or at once when it rang since the last wait, or by the abort. */
export function createBell(signal: AbortSignal): { ring(): void; wait(): Promise<void>; dispose(): void } {
  let rang = false;
  let wake: (() => void) | undefined;
  function ring(): void {
    rang = true;
    wake?.();
  }
  signal.addEventListener('abort', ring, { once: true });
  return {
    ring,
    async wait() {
      if (!rang && !signal.aborted) {
        await new Promise<void>(resolve => {
          wake = resolve;
        });
        wake = undefined;
      }
      rang = false;
    },
    dispose: () => signal.removeEventListener('abort', ring),
  };
}
