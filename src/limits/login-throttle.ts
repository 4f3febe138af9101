// Slows down guessing: failed logins are counted per account and address, and per address over all accounts.
// Never locks an account for everybody, which would hand its owner's access to whoever types wrong passwords. With Redis
// all instances count together. Without it, and while it does not answer in time, each one counts alone and bears its
// share of the failures: the door is never open because nobody counts.

import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import { calling } from '../events/redis-connection.ts';
import type { Clock } from '../lib/clock.ts';
import { networkOf } from '../lib/network.ts';
import { LOGIN_SCRIPTS } from './login-scripts.ts';
import type { Sharing } from './sharing.ts';

export interface LoginThrottleSettings {
  readonly windowMs: number;
  /** Of one account from one address. */
  readonly maxFailures: number;
  /** Of one address over all accounts; offices share one. */
  readonly maxFailuresPerAddress: number;
}

export const LOGIN_THROTTLE_DEFAULTS: LoginThrottleSettings = {
  windowMs: 15 * 60_000,
  maxFailures: 10,
  maxFailuresPerAddress: 100,
};

/** One login in progress. It counts as failed until it is known to be good, so that many at once are no way around. */
export interface LoginAttempt {
  succeed(): void;
  /** Nobody looked whether it was good: it counts neither as failed nor as good. */
  withdraw(): void;
}

export interface LoginThrottle {
  /** RATE_LIMITED, with the time to wait, when too many failed from here. */
  begin(account: string, address: string): Promise<LoginAttempt>;
}

interface LoginThrottleDeps {
  readonly clock: Clock;
  readonly settings?: LoginThrottleSettings | undefined;
  /** Among how many instances the failures are shared out while each counts alone. */
  readonly instances?: (() => number) | undefined;
  /** Absent: each instance counts alone. */
  readonly sharing?: Sharing | undefined;
  /** The same on all instances: neither names nor addresses are to be read in Redis. */
  readonly secret?: string | undefined;
  readonly meter?: { refused(limit: LoginLimit): void } | undefined;
}

export type LoginLimit = 'loginMaxFailures' | 'loginMaxFailuresPerAddress';

/** One thing that is counted. */
interface Count {
  readonly limit: LoginLimit;
  readonly key: string;
  readonly max: number;
}

export function createLoginThrottle(deps: LoginThrottleDeps): LoginThrottle {
  const { clock, sharing, settings = LOGIN_THROTTLE_DEFAULTS, instances = () => 1, meter } = deps;
  const local = new Failures(clock, settings.windowMs);
  const shared = sharing && createSharedFailures(sharing, settings.windowMs, deps.secret ?? '');

  function countsOf(account: string, address: string): [Count, Count] {
    const network = networkOf(address);
    return [
      { limit: 'loginMaxFailuresPerAddress', key: network, max: settings.maxFailuresPerAddress },
      { limit: 'loginMaxFailures', key: `${network} ${account}`, max: settings.maxFailures },
    ];
  }

  function refuse({ limit }: Count, waitMs: number): never {
    meter?.refused(limit);
    throw new DomainError('RATE_LIMITED', 'Too many failed logins. Wait before the next one.', {
      retryAfterMs: Math.ceil(waitMs),
      details: { limit },
    });
  }

  function judgeAlone(counts: readonly Count[]): void {
    sharing?.judgedAlone();
    for (const count of counts) {
      const waitMs = local.waitMs(count.key, shareOf(count.max, instances()));
      if (waitMs > 0) refuse(count, waitMs);
    }
  }

  return {
    async begin(account, address) {
      const counts = countsOf(account, address);
      const attemptId = newId();
      const verdict = sharing?.isUp() ? await shared!.begin(attemptId, counts) : undefined;
      if (!verdict) judgeAlone(counts);
      else if (verdict.waitMs > 0) refuse(verdict.count, verdict.waitMs);
      const [ofAddress, ofPair] = counts;
      const atMs = local.add(ofAddress.key);
      local.add(ofPair.key, atMs);
      return {
        succeed() {
          // The address keeps its other failures: one account of one's own must not wash off guesses at others.
          local.remove(ofAddress.key, atMs);
          local.clear(ofPair.key);
          shared?.succeed(attemptId, counts);
        },
        withdraw() {
          local.remove(ofAddress.key, atMs);
          local.remove(ofPair.key, atMs);
          shared?.withdraw(attemptId, counts);
        },
      };
    },
  };
}

/** One slip of the finger shall lock nobody out, however many instances there are. */
const LEAST_SHARE = 3;

function shareOf(max: number, instances: number): number {
  return Math.max(Math.min(max, LEAST_SHARE), Math.ceil(max / instances));
}

/** An address holds at most as many numbers as it may fail; an attacker needs this many networks to make us forget one. */
const MAX_REMEMBERED = 20_000;

/** Of this process. */
class Failures {
  readonly #clock: Clock;
  readonly #windowMs: number;
  /** Times, oldest first. */
  readonly #times = new LRUCache<string, number[]>({ max: MAX_REMEMBERED });

  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  waitMs(key: string, max: number): number {
    const times = this.#recent(key);
    return times.length < max ? 0 : times[times.length - max]! + this.#windowMs - this.#clock.monotonic();
  }

  add(key: string, atMs = this.#clock.monotonic()): number {
    this.#recent(key).push(atMs);
    return atMs;
  }

  remove(key: string, atMs: number): void {
    const times = this.#times.get(key);
    const index = times?.indexOf(atMs) ?? -1;
    if (index >= 0) times!.splice(index, 1);
  }

  clear(key: string): void {
    this.#times.delete(key);
  }

  #recent(key: string): number[] {
    const fromMs = this.#clock.monotonic() - this.#windowMs;
    const times = (this.#times.get(key) ?? []).filter(time => time > fromMs);
    this.#times.set(key, times);
    return times;
  }
}

/** Of all instances. */
function createSharedFailures(sharing: Sharing, windowMs: number, secret: string) {
  const keysOf = (counts: readonly Count[]) =>
    counts.map(
      ({ key }) => `mcplane:{limits}:login:${createHmac('sha256', secret).update(key).digest('base64url')}`,
    );
  return {
    /** Undefined when Redis does not say in time. */
    async begin(attemptId: string, counts: readonly [Count, Count]) {
      const args = [attemptId, windowMs, ...counts.map(({ max }) => max)];
      const reply = await sharing.send(calling(LOGIN_SCRIPTS.begin, keysOf(counts), args));
      if (!Array.isArray(reply)) return undefined;
      const [number, waitMs] = reply as [number, number];
      return { count: counts[number === 2 ? 1 : 0], waitMs };
    },
    /** Should Redis be away, the failure stays until it is old. */
    succeed(attemptId: string, counts: readonly Count[]): void {
      void sharing.send(calling(LOGIN_SCRIPTS.succeed, keysOf(counts), [attemptId]));
    },
    withdraw(attemptId: string, counts: readonly Count[]): void {
      void sharing.send(calling(LOGIN_SCRIPTS.withdraw, keysOf(counts), [attemptId]));
    },
  };
}
