// The limits as one process can judge them: by what it admitted itself in the last minute, and by the requests that it
// knows to be under way. Everything in memory and at once. It is kept up also while the instances judge together
// through Redis, so that it knows what went before when it has to take over.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../lib/clock.ts';
import { type Claim, CONCURRENCY_WAIT_MS, type Refusal } from './claims.ts';
import { MinuteWindow } from './window.ts';

/** Windows of those not seen for longest are forgotten, which only favours them. */
const MAX_WINDOWS = 20_000;

/** What one request holds. */
interface Held {
  /** Where its tokens were taken, how many, and when. */
  readonly tokens: readonly { readonly window: MinuteWindow; readonly amount: number }[];
  readonly second: number;
  /** Subjects whose concurrency it counts in. */
  readonly subjects: readonly string[];
  /** Monotonic; a request that runs here has no end of its own. */
  endsAtMs: number;
}

export interface LocalUse {
  readonly used: number;
  readonly resetInMs: number | undefined;
}

export class LocalLimits {
  readonly #clock: Clock;
  readonly #windows = new LRUCache<string, MinuteWindow>({ max: MAX_WINDOWS });
  readonly #held = new Map<string, Held>();
  readonly #bySubject = new Map<string, Set<string>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why the claims do not all fit, the one that takes longest; undefined when they do. `shares`: among how many. */
  refusal(claims: readonly Claim[], shares: number): Refusal | undefined {
    let longest: Refusal | undefined;
    for (const claim of claims) {
      const waitMs = this.#waitMs(claim, shares);
      if (waitMs > (longest?.waitMs ?? 0)) longest = { claim, waitMs };
    }
    return longest;
  }

  /** Takes them, whether they fit or not. The request counts as under way until its end, or for `leaseMs`. */
  charge(requestId: string, claims: readonly Claim[], leaseMs: number): void {
    const nowMs = this.#clock.monotonic();
    const tokens: { window: MinuteWindow; amount: number }[] = [];
    const subjects: string[] = [];
    let second = 0;
    for (const claim of claims) {
      if (claim.kind === 'CONCURRENT_REQUESTS') {
        subjects.push(claim.subject);
        continue;
      }
      const window = this.#windowOf(claim);
      second = window.add(claim.amount, nowMs);
      if (claim.kind === 'TOKENS_PER_MINUTE') tokens.push({ window, amount: claim.amount });
    }
    if (tokens.length + subjects.length > 0)
      this.#hold(requestId, { tokens, second, subjects, endsAtMs: nowMs + leaseMs });
  }

  /** Counts a request that another process admitted. */
  adopt(requestId: string, subjects: readonly string[]): void {
    this.#hold(requestId, { tokens: [], second: 0, subjects, endsAtMs: Number.POSITIVE_INFINITY });
  }

  holds(requestId: string): boolean {
    return this.#held.has(requestId);
  }

  /** For how long it goes on counting from now on. */
  extend(requestId: string, leaseMs: number): void {
    const held = this.#held.get(requestId);
    if (held) held.endsAtMs = this.#clock.monotonic() + leaseMs;
  }

  /** Counts it no more. With what it took in truth, the difference is given back, or taken besides. */
  release(requestId: string, usedTokens?: number): void {
    const held = this.#held.get(requestId);
    if (!held) return;
    this.#held.delete(requestId);
    for (const subject of held.subjects) {
      const ids = this.#bySubject.get(subject)!;
      ids.delete(requestId);
      if (ids.size === 0) this.#bySubject.delete(subject);
    }
    if (usedTokens === undefined) return;
    const nowMs = this.#clock.monotonic();
    for (const { window, amount } of held.tokens)
      if (usedTokens > amount) window.add(usedTokens - amount, nowMs);
      else window.giveBack(amount - usedTokens, held.second, nowMs);
  }

  use(claim: Claim): LocalUse {
    const nowMs = this.#clock.monotonic();
    if (claim.kind === 'CONCURRENT_REQUESTS')
      return { used: this.#countOf(claim.subject, nowMs), resetInMs: undefined };
    const window = this.#windowOf(claim);
    const emptyAtMs = window.emptyAtMs(nowMs);
    return { used: window.sum(nowMs), resetInMs: emptyAtMs && emptyAtMs - nowMs };
  }

  /** The requests that run here, by whose they are. */
  running(): Map<string, string[]> {
    const running = new Map<string, string[]>();
    for (const [subject, ids] of this.#bySubject) {
      const here = [...ids].filter(id => this.#held.get(id)!.endsAtMs === Number.POSITIVE_INFINITY);
      if (here.length > 0) running.set(subject, here);
    }
    return running;
  }

  /** Those whose time is over. */
  forgetLost(): void {
    const nowMs = this.#clock.monotonic();
    for (const [id, { endsAtMs }] of this.#held) if (endsAtMs <= nowMs) this.release(id);
  }

  get size(): { readonly held: number; readonly windows: number } {
    return { held: this.#held.size, windows: this.#windows.size };
  }

  #hold(requestId: string, held: Held): void {
    this.#held.set(requestId, held);
    for (const subject of held.subjects) {
      const ids = this.#bySubject.get(subject);
      if (ids) ids.add(requestId);
      else this.#bySubject.set(subject, new Set([requestId]));
    }
  }

  #waitMs(claim: Claim, shares: number): number {
    const nowMs = this.#clock.monotonic();
    const share = Math.ceil(claim.max / shares);
    if (claim.kind === 'CONCURRENT_REQUESTS') {
      const ids = this.#bySubject.get(claim.subject);
      // Those whose time is over are looked for only where they matter.
      if (!ids || ids.size < share || this.#countOf(claim.subject, nowMs) < share) return 0;
      return CONCURRENCY_WAIT_MS;
    }
    // One that fits the limit, but not the share, has the share to itself.
    return this.#windowOf(claim).waitMs(claim.amount, Math.max(share, claim.amount), nowMs);
  }

  #countOf(subject: string, nowMs: number): number {
    let count = 0;
    for (const id of this.#bySubject.get(subject) ?? []) if (this.#held.get(id)!.endsAtMs > nowMs) count += 1;
    return count;
  }

  #windowOf({ subject, kind }: Claim): MinuteWindow {
    const key = `${subject} ${kind}`;
    let window = this.#windows.get(key);
    if (!window) {
      window = new MinuteWindow();
      this.#windows.set(key, window);
    }
    return window;
  }
}
