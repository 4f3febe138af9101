// Broadcast of "this is how it is now" by key. A subscriber that is slow sees only the newest value of each key,
// so what it holds is bounded by the number of keys, and beyond `maxPending` keys the oldest are dropped.

import { Reader } from './reader.ts';

export interface Topic<T> {
  publish(key: string, value: T): void;
  /**
   * Values published from now on, until the iteration is left; of those that are not `wanted`, nothing is seen.
   * Subscribed at the call, not at the first pull: nothing published in between is missed.
   */
  subscribe(isWanted?: (value: T) => boolean): AsyncIterableIterator<T, undefined>;
  readonly subscriberCount: number;
}

export function createTopic<T>(maxPending = 1_000): Topic<T> {
  const subscribers = new Set<Subscriber<T>>();
  return {
    publish(key, value) {
      for (const subscriber of subscribers) subscriber.offer(key, value, maxPending);
    },
    subscribe: isWanted => new Subscriber(subscribers, isWanted),
    get subscriberCount() {
      return subscribers.size;
    },
  };
}

class Subscriber<T> extends Reader<T> {
  readonly #all: Set<Subscriber<T>>;
  readonly #isWanted: ((value: T) => boolean) | undefined;
  /** Absent while nothing is: most wait, and an empty map is as large as all the rest of them. */
  #pending: Map<string, T> | undefined;

  constructor(all: Set<Subscriber<T>>, isWanted: ((value: T) => boolean) | undefined) {
    super();
    this.#all = all.add(this);
    this.#isWanted = isWanted;
  }

  offer(key: string, value: T, maxPending: number): void {
    // An older value that was wanted is not how it is now.
    this.#pending?.delete(key);
    if (this.#isWanted && !this.#isWanted(value)) return;
    this.#pending ??= new Map();
    this.#pending.set(key, value);
    if (this.#pending.size > maxPending) this.#pending.delete(this.#pending.keys().next().value!);
    this.ring();
  }

  protected read(): IteratorResult<T, undefined> | undefined {
    const [oldest] = this.#pending ?? [];
    if (!oldest) return undefined;
    if (this.#pending!.size === 1) this.#pending = undefined;
    else this.#pending!.delete(oldest[0]);
    return { done: false, value: oldest[1] };
  }

  protected leave(): void {
    this.#all.delete(this);
    this.#pending = undefined;
  }
}
