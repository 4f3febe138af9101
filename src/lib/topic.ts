// Broadcast of "this is how it is now" by key. A subscriber that is slow sees only the newest value of each key,
// so what it holds is bounded by the number of keys, and beyond `maxPending` keys the oldest are dropped.

import { onAbort } from './abort.ts';

export interface Topic<T> {
  publish(key: string, value: T): void;
  /** Values published from now on, until the signal aborts. */
  subscribe(signal: AbortSignal): AsyncIterable<T>;
  readonly subscriberCount: number;
}

export function createTopic<T>(maxPending = 1_000): Topic<T> {
  const subscribers = new Set<{ pending: Map<string, T>; wake: () => void }>();
  return {
    publish(key, value) {
      for (const { pending, wake } of subscribers) {
        pending.delete(key);
        pending.set(key, value);
        if (pending.size > maxPending) pending.delete(pending.keys().next().value!);
        wake();
      }
    },
    subscribe(signal) {
      // Subscribed at the call, not at the first pull: nothing published in between is missed.
      const subscriber = { pending: new Map<string, T>(), wake: () => {} };
      subscribers.add(subscriber);
      signal.addEventListener('abort', () => subscribers.delete(subscriber), { once: true });
      return values(subscriber, signal, () => subscribers.delete(subscriber));
    },
    get subscriberCount() {
      return subscribers.size;
    },
  };
}

async function* values<T>(
  subscriber: { pending: Map<string, T>; wake: () => void },
  signal: AbortSignal,
  unsubscribe: () => void,
): AsyncIterable<T> {
  const abort = onAbort(signal);
  try {
    while (!signal.aborted) {
      const next = subscriber.pending.entries().next();
      if (next.done) {
        const { promise, resolve } = Promise.withResolvers<void>();
        subscriber.wake = resolve;
        await Promise.race([promise, abort.aborted]);
      } else {
        subscriber.pending.delete(next.value[0]);
        yield next.value[1];
      }
    }
  } finally {
    abort.dispose();
    unsubscribe();
  }
}
