// Token buckets by key, in memory. Bounded: the least recently seen keys are forgotten, which only favours them.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../lib/clock.ts';

export interface TokenBucket {
  /** Takes `count` tokens: 0, or the milliseconds until they are there; then nothing was taken. */
  take(count?: number): number;
}

export interface RateLimiter {
  take(key: string, count?: number): number;
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
    const { perSecond, burst } = this.#rate;
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * perSecond);
    this.#filledAtMs = nowMs;
    if (this.#tokens < count) return Math.max(1, Math.ceil(((count - this.#tokens) / perSecond) * 1_000));
    this.#tokens -= count;
    return 0;
  }
}

export function createRateLimiter(rate: Rate & { readonly maxKeys?: number }, clock: Clock): RateLimiter {
  const createBucket = createTokenBuckets(rate, clock);
  const buckets = new LRUCache<string, TokenBucket>({ max: rate.maxKeys ?? 10_000 });
  return {
    take(key, count) {
      let bucket = buckets.get(key);
      if (!bucket) {
        bucket = createBucket();
        buckets.set(key, bucket);
      }
      return bucket.take(count);
    },
  };
}

/** Counts what is held by key; `acquire` gives the release, or undefined when the key holds `max` already. */
export function createLedger(max: number): { acquire(key: string): (() => void) | undefined } {
  const held = new Map<string, number>();
  return {
    acquire(key) {
      const count = held.get(key) ?? 0;
      if (count >= max) return undefined;
      held.set(key, count + 1);
      let released = false;
      return () => {
        if (released) return;
        released = true;
        const rest = held.get(key)! - 1;
        if (rest > 0) held.set(key, rest);
        else held.delete(key);
      };
    },
  };
}
