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

export function createTokenBucket(perSecond: number, burst: number, clock: Clock): TokenBucket {
  let tokens = burst;
  let filledAtMs = clock.monotonic();
  return {
    take(count = 1) {
      const nowMs = clock.monotonic();
      tokens = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1_000) * perSecond);
      filledAtMs = nowMs;
      if (tokens < count) return Math.max(1, Math.ceil(((count - tokens) / perSecond) * 1_000));
      tokens -= count;
      return 0;
    },
  };
}

export function createRateLimiter(
  rate: { perSecond: number; burst: number; maxKeys?: number },
  clock: Clock,
): RateLimiter {
  const buckets = new LRUCache<string, TokenBucket>({ max: rate.maxKeys ?? 10_000 });
  return {
    take(key, count) {
      let bucket = buckets.get(key);
      if (!bucket) {
        bucket = createTokenBucket(rate.perSecond, rate.burst, clock);
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
