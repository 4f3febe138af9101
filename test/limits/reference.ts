// The limits of callers in the plainest way there is: everything that was ever taken is kept in one list and counted
// anew each time. What the two real ways are compared with.

import type { Claim } from '../../src/limits/claims.ts';

interface Taken {
  readonly requestId: string;
  readonly subject: string;
  readonly kind: Claim['kind'];
  readonly second: number;
  amount: number;
}

interface Lease {
  readonly requestId: string;
  readonly subject: string;
  endsAtMs: number;
}

export interface ReferenceVerdict {
  /** Of all claims that do not fit; empty: all were taken. */
  readonly refused: readonly { readonly claim: Claim; readonly waitMs: number }[];
}

const secondOf = (atMs: number) => Math.floor(atMs / 1_000);

export class ReferenceLimits {
  nowMs: number;
  #taken: Taken[] = [];
  #leases: Lease[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  admit(requestId: string, claims: readonly Claim[], leaseMs: number): ReferenceVerdict {
    const refused = claims
      .map(claim => ({ claim, waitMs: this.#waitMs(claim) }))
      .filter(({ waitMs }) => waitMs > 0);
    if (refused.length > 0) return { refused };
    for (const { subject, kind, amount } of claims)
      if (kind === 'CONCURRENT_REQUESTS')
        this.#leases.push({ requestId, subject, endsAtMs: this.nowMs + leaseMs });
      else this.#taken.push({ requestId, subject, kind, amount, second: secondOf(this.nowMs) });
    return { refused };
  }

  end(requestId: string, usedTokens: number): void {
    this.#leases = this.#leases.filter(lease => lease.requestId !== requestId);
    for (const taken of this.#taken.filter(each => each.requestId === requestId)) {
      if (taken.kind !== 'TOKENS_PER_MINUTE') continue;
      // What is more counts from now; what is less is taken off where it was taken, which may be past.
      const more = { ...taken, second: secondOf(this.nowMs), amount: Math.max(0, usedTokens - taken.amount) };
      taken.amount = Math.min(taken.amount, usedTokens);
      this.#taken.push({ ...more, requestId: '' });
    }
  }

  extend(requestId: string, leaseMs: number): void {
    for (const lease of this.#leases)
      if (lease.requestId === requestId) lease.endsAtMs = this.nowMs + leaseMs;
  }

  used({ subject, kind }: Claim): number {
    return kind === 'CONCURRENT_REQUESTS'
      ? this.#leases.filter(lease => lease.subject === subject && lease.endsAtMs > this.nowMs).length
      : this.#sumAt(subject, kind, this.nowMs);
  }

  emptyInMs({ subject, kind }: Claim): number | undefined {
    if (kind === 'CONCURRENT_REQUESTS' || this.#sumAt(subject, kind, this.nowMs) === 0) return undefined;
    for (let atMs = (secondOf(this.nowMs) + 1) * 1_000; ; atMs += 1_000)
      if (this.#sumAt(subject, kind, atMs) === 0) return atMs - this.nowMs;
  }

  #sumAt(subject: string, kind: Claim['kind'], atMs: number): number {
    return this.#taken
      .filter(each => each.subject === subject && each.kind === kind && each.second >= secondOf(atMs) - 60)
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  #waitMs(claim: Claim): number {
    const { subject, kind, max, amount } = claim;
    if (kind === 'CONCURRENT_REQUESTS') return this.used(claim) < max ? 0 : 1_000;
    if (this.used(claim) + amount <= max) return 0;
    // Time only takes off: the first full second at which it fits.
    for (let atMs = (secondOf(this.nowMs) + 1) * 1_000; ; atMs += 1_000)
      if (this.#sumAt(subject, kind, atMs) + amount <= max) return atMs - this.nowMs;
  }
}
