// Token buckets by key, in memory. Bounded: the least recently seen keys are forgotten, which only favours them.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../lib/clock.ts';

export interface TokenBucket {
  /** Takes `count` tokens: 0, or the milliseconds until they are there; then nothing was taken. */
  take(count?: number): number;
  /** Takes them although they are not there: what was done already has to be waited for afterwards. */
  charge(count: number): void;
}

export interface RateLimiter {
  take(key: string, count?: number): number;
  charge(key: string, count: number): void;
}

interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** For many of one rate: each keeps no more than its tokens. */
export function createTokenBuckets(rate: Rate, clock: Clock): () => TokenBucket {
  return () => new Bucket(rate, clock);
}

class Bucket implements TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #filledAtMs: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#filledAtMs = clock.monotonic();
  }

  take(count = 1): number {
    const { perSecond } = this.#rate;
    this.#fill();
    if (this.#tokens < count) return Math.max(1, Math.ceil(((count - this.#tokens) / perSecond) * 1_000));
    this.#tokens -= count;
    return 0;
  }

  charge(count: number): void {
    this.#fill();
    // Nobody has to wait for longer than it takes to fill an empty bucket.
    this.#tokens = Math.max(-this.#rate.burst, this.#tokens - count);
  }

  #fill(): void {
    const { perSecond, burst } = this.#rate;
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * perSecond);
    this.#filledAtMs = nowMs;
  }
}

export function createRateLimiter(rate: Rate & { readonly maxKeys?: number }, clock: Clock): RateLimiter {
  const createBucket = createTokenBuckets(rate, clock);
  const buckets = new LRUCache<string, TokenBucket>({ max: rate.maxKeys ?? 10_000 });
  const bucketOf = (key: string) => {
    let bucket = buckets.get(key);
    if (!bucket) {
      bucket = createBucket();
      buckets.set(key, bucket);
    }
    return bucket;
  };
  return {
    take: (key, count) => bucketOf(key).take(count),
    charge: (key, count) => bucketOf(key).charge(count),
  };
}

export interface Ledger {
  /** Holds so much more until the function returned is called; undefined when the key holds the maximum already. */
  acquire(key: string, amount?: number): (() => void) | undefined;
}

/** Counts what is held by key. Whoever is below the maximum gets all it asks for, however much. */
export function createLedger(max: number): Ledger {
  const held = new Map<string, number>();
  return {
    acquire(key, amount = 1) {
      const before = held.get(key) ?? 0;
      if (before >= max) return undefined;
      held.set(key, before + amount);
      let released = false;
      return () => {
        if (released) return;
        released = true;
        const rest = held.get(key)! - amount;
        if (rest > 0) held.set(key, rest);
        else held.delete(key);
      };
    },
  };
}
