// Generators that end the moment their consumer leaves. A bare async generator queues `return()` behind its pending
// `next()`, so that a departed subscriber would be noticed only at the next value, perhaps never.

import { OVER } from './reader.ts';

/** Made once: an error for each iteration that ends would cost more than the iteration. */
const SOURCE_ENDED = new DOMException('The source ended', 'AbortError');
const CONSUMER_LEFT = new DOMException('The consumer left', 'AbortError');

/** Runs `start` with a signal; leaving the iteration aborts it at once and never waits for the source. */
export function cancellable<T>(
  start: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncIterableIterator<T, undefined> {
  return new Cancellable(start);
}

type Next<T> = IteratorResult<T, undefined>;

class Cancellable<T> implements AsyncIterableIterator<T, undefined> {
  readonly #controller = new AbortController();
  readonly #source: AsyncIterator<T>;
  // A pending pull is resolved by hand: racing it against one long-lived promise would keep every race alive.
  #pull: PromiseWithResolvers<Next<T>> | undefined;
  #isOver = false;

  constructor(start: (signal: AbortSignal) => AsyncIterable<T>) {
    this.#source = start(this.#controller.signal)[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next<T>> {
    if (this.#isOver) return Promise.resolve(OVER);
    if (this.#pull) {
      const again = () => this.next();
      return this.#pull.promise.then(again, again);
    }
    const pull = Promise.withResolvers<Next<T>>();
    this.#pull = pull;
    this.#source.next().then(this.#take, this.#fail);
    return pull.promise;
  }

  async return(): Promise<Next<T>> {
    this.#end(CONSUMER_LEFT);
    return OVER;
  }

  async throw(error: unknown): Promise<Next<T>> {
    this.#end(error);
    throw error;
  }

  readonly #take = (next: IteratorResult<T>): void => {
    if (this.#isOver) return;
    const pull = this.#pull;
    if (next.done) this.#end(SOURCE_ENDED);
    this.#pull = undefined;
    pull?.resolve(next);
  };

  readonly #fail = (error: unknown): void => {
    const pull = this.#pull;
    this.#pull = undefined;
    pull?.reject(error);
    this.#end(error);
  };

  #end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller.abort(reason);
    this.#pull?.resolve(OVER);
    this.#pull = undefined;
    this.#source.return?.().catch(() => {});
  }
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
