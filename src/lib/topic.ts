// Broadcast of "this is how it is now" by key. A subscriber that is slow sees only the newest value of each key,
// so what it holds is bounded by the number of keys, and beyond `maxPending` keys the oldest are dropped.

import { createBell } from './abort.ts';

export interface Topic<T> {
  publish(key: string, value: T): void;
  /** Values published from now on, until the signal aborts. */
  subscribe(signal: AbortSignal): AsyncIterable<T>;
  readonly subscriberCount: number;
}

interface Subscriber<T> {
  readonly pending: Map<string, T>;
  readonly ring: () => void;
}

export function createTopic<T>(maxPending = 1_000): Topic<T> {
  const subscribers = new Set<Subscriber<T>>();
  return {
    publish(key, value) {
      for (const { pending, ring } of subscribers) {
        pending.delete(key);
        pending.set(key, value);
        if (pending.size > maxPending) pending.delete(pending.keys().next().value!);
        ring();
      }
    },
    subscribe(signal) {
      // Subscribed at the call, not at the first pull: nothing published in between is missed.
      const bell = createBell(signal);
      const subscriber: Subscriber<T> = { pending: new Map(), ring: bell.ring };
      if (!signal.aborted) subscribers.add(subscriber);
      signal.addEventListener('abort', () => subscribers.delete(subscriber), { once: true });
      return values();

      async function* values(): AsyncIterable<T> {
        try {
          while (!signal.aborted) {
            const [oldest] = subscriber.pending;
            if (oldest) {
              subscriber.pending.delete(oldest[0]);
              yield oldest[1];
            } else await bell.wait();
          }
        } finally {
          bell.dispose();
          subscribers.delete(subscriber);
        }
      }
    },
    get subscriberCount() {
      return subscribers.size;
    },
  };
}
