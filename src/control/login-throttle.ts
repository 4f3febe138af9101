// Slows down guessing: failed logins are counted per account and address, and per address over all accounts.
// Never locks an account for everybody, which would hand its owner's access to whoever types wrong passwords.

import { LRUCache } from 'lru-cache';
import { DomainError } from '../domain/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { networkOf } from '../lib/network.ts';

const WINDOW_MS = 15 * 60_000;
const MAX_PER_ACCOUNT_AND_ADDRESS = 10;
/** Offices share an address. */
const MAX_PER_ADDRESS = 100;
/** An address holds at most 100 numbers; an attacker needs this many networks to make us forget one. */
const MAX_REMEMBERED = 20_000;

/** One login in progress. It counts as failed until it is known to be good, so that many at once are no way around. */
export interface LoginAttempt {
  succeed(): void;
}

export interface LoginThrottle {
  /** RATE_LIMITED, with the time to wait, when too many failed from here. */
  begin(account: string, address: string): LoginAttempt;
}

export function createLoginThrottle(clock: Clock): LoginThrottle {
  /** Times of failures, oldest first. */
  const failures = new LRUCache<string, number[]>({ max: MAX_REMEMBERED });

  function recent(key: string, nowMs: number): number[] {
    const times = (failures.get(key) ?? []).filter(time => time > nowMs - WINDOW_MS);
    failures.set(key, times);
    return times;
  }

  return {
    begin(account, address) {
      const nowMs = clock.monotonic();
      const network = networkOf(address);
      const pairKey = `${network} ${account}`;
      const ofAddress = recent(network, nowMs);
      refuseFrom(ofAddress, MAX_PER_ADDRESS, nowMs);
      const ofPair = recent(pairKey, nowMs);
      refuseFrom(ofPair, MAX_PER_ACCOUNT_AND_ADDRESS, nowMs);
      ofAddress.push(nowMs);
      ofPair.push(nowMs);
      return {
        succeed() {
          // The address keeps its other failures: one account of one's own must not wash off guesses at others.
          const times = failures.get(network);
          const index = times?.indexOf(nowMs) ?? -1;
          if (index >= 0) times!.splice(index, 1);
          failures.delete(pairKey);
        },
      };
    },
  };
}

function refuseFrom(times: readonly number[], limit: number, nowMs: number): void {
  if (times.length < limit) return;
  const retryAfterMs = Math.ceil(times[times.length - limit]! + WINDOW_MS - nowMs);
  throw new DomainError('RATE_LIMITED', 'Too many failed logins. Wait before the next one.', {
    retryAfterMs,
  });
}
