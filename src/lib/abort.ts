// Iterators that end the moment their consumer leaves. A bare async generator queues `return()` behind its pending
// `next()`, so that a departed subscriber would be noticed only at the next value, perhaps never.

/** Runs `start` with a signal; leaving the iteration aborts it at once and never waits for the source. */
export function cancellable<T>(start: (signal: AbortSignal) => AsyncIterable<T>): AsyncIterableIterator<T> {
  const controller = new AbortController();
  const source = start(controller.signal)[Symbol.asyncIterator]();
  const ended = Promise.withResolvers<IteratorResult<T>>();
  let done = false;

  function end(reason: unknown): void {
    if (done) return;
    done = true;
    controller.abort(reason);
    ended.resolve({ done: true, value: undefined });
    source.return?.().catch(() => {});
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (done) return { done: true, value: undefined };
      const pulled = source.next();
      pulled.catch(() => {});
      const result = await Promise.race([pulled, ended.promise]);
      if (result.done) end(new DOMException('ended', 'AbortError'));
      return result;
    },
    async return() {
      end(new DOMException('The consumer left', 'AbortError'));
      return { done: true, value: undefined };
    },
    async throw(error) {
      end(error);
      throw error;
    },
  };
}

/** Resolves when the signal aborts; `dispose` takes the listener away again. */
export function onAbort(signal: AbortSignal): { readonly aborted: Promise<void>; dispose(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const listener = () => resolve();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', listener, { once: true });
  return { aborted: promise, dispose: () => signal.removeEventListener('abort', listener) };
}
