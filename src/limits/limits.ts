// The limits of callers: how many requests and tokens a user, an API key or an address may have accepted in a minute,
// and how many requests may be under way at once. With Redis all instances judge together and exactly; without it, and
// while it does not answer in time, each one judges alone, and lets in its share of every limit.

import {
  RATE_LIMIT_FIELDS,
  RATE_LIMIT_KINDS,
  type RateLimitName,
  type RateLimitState,
} from '../domain/rate-limit.ts';
import type { Clock } from '../lib/clock.ts';
import {
  type Claim,
  claimsAbout,
  claimsOf,
  type Demand,
  type RateLimitHolder,
  type RateLimitSettings,
  type Refusal,
  toError,
} from './claims.ts';
import { LocalLimits } from './local.ts';
import { createSharedLimits, type SharedLimits } from './shared.ts';
import type { Sharing } from './sharing.ts';

export type { Demand, RateLimitHolder, RateLimitSettings } from './claims.ts';

export interface CallerLimits {
  /**
   * Takes what the submission needs of every limit, or throws RATE_LIMITED and takes nothing; BAD_USER_INPUT for one
   * that is over a limit all by itself. Undefined: taken at once, with nobody to wait for. From then on the request is
   * under way, until `end`, or for the lease.
   */
  admit(demand: Demand): Promise<void> | undefined;
  /** This instance runs the request, whoever admitted it: it counts until it ends or leaves. */
  hold(requestId: string): void;
  /** It waits, for any instance to take it: it goes on counting. */
  wait(requestId: string): void;
  /** Another instance has it, and sees to it. */
  leave(requestId: string): void;
  /** It has ended here, or came to nothing: it counts no more, and the tokens are settled with those it took. */
  end(requestId: string, usedTokens: number): void;
  /** The same for one that ended while it waited, wherever it was admitted. */
  endWaiting(requestId: string): void;
  /** Requests of instances that died: some wait again, others have failed. */
  recovered(requests: { readonly requeued: readonly string[]; readonly failed: readonly string[] }): void;
  /** How much of each limit is used. */
  look(holder: RateLimitHolder): Promise<RateLimitState[]>;
  close(): void;
}

interface CallerLimitsDeps {
  readonly settings: RateLimitSettings;
  readonly clock: Clock;
  /** Absent: every instance judges alone. */
  readonly sharing?: Sharing | undefined;
  /** How long a request counts after the instance that runs it was last heard of. */
  readonly leaseMs: number;
  /** Among how many instances a limit is shared out while each judges alone. */
  readonly instances: () => number;
  readonly meter: { refused(name: RateLimitName): void };
}

/** A request that waits is in nobody's hands, so nobody renews it. */
const WAITING_MS = 15 * 60_000;
export function createCallerLimits(deps: CallerLimitsDeps): CallerLimits {
  const { settings, clock, leaseMs, instances, meter, sharing } = deps;
  const local = new LocalLimits(clock);
  const shared = sharing && createSharedLimits(sharing);
  /** Taken from the queue, and Redis has not said yet whose they are. */
  const adopting = new Set<string>();

  function refuse(refusal: Refusal): never {
    meter.refused(refusal.claim.name);
    throw toError(refusal);
  }

  async function judgeTogether(requestId: string, claims: readonly Claim[]): Promise<void> {
    const verdict = await shared!.admit(requestId, claims, leaseMs);
    if (!verdict) return judgeAlone(requestId, claims);
    if (verdict.refusal) refuse(verdict.refusal);
    local.charge(requestId, claims, leaseMs);
  }

  function judgeAlone(requestId: string, claims: readonly Claim[]): void {
    sharing?.judgedAlone();
    const refusal = local.refusal(claims, instances());
    if (refusal) {
      // Redis may have taken it all the same, only too late.
      shared?.end(requestId, 0);
      refuse(refusal);
    }
    local.charge(requestId, claims, leaseMs);
  }

  async function adopt(requestId: string): Promise<void> {
    const subjects = await shared!.extend(requestId, leaseMs);
    // While Redis does not answer it stays among those to be adopted, and it may have ended before the answer came.
    if (sharing!.isUp() && adopting.delete(requestId) && subjects) local.adopt(requestId, subjects);
  }
  sharing?.onUp(() => {
    for (const requestId of adopting) void adopt(requestId);
  });
  const stopRenewing = renewAgainAndAgain(deps, local, shared);

  return {
    admit(demand) {
      const claims = claimsOf(demand, settings);
      if (claims.length === 0) return undefined;
      if (sharing?.isUp()) return judgeTogether(demand.requestId, claims);
      judgeAlone(demand.requestId, claims);
      return undefined;
    },
    hold(requestId) {
      if (local.holds(requestId)) return local.extend(requestId, Number.POSITIVE_INFINITY);
      if (!shared) return;
      adopting.add(requestId);
      void adopt(requestId);
    },
    wait(requestId) {
      if (!adopting.delete(requestId) && !local.holds(requestId)) return;
      // Of several instances any may run it then, and without Redis none can tell the others.
      local.extend(requestId, instances() === 1 ? WAITING_MS : leaseMs);
      void shared?.extend(requestId, WAITING_MS);
    },
    leave(requestId) {
      adopting.delete(requestId);
      local.release(requestId);
    },
    end(requestId, usedTokens) {
      if (!adopting.delete(requestId) && !local.holds(requestId)) return;
      local.release(requestId, usedTokens);
      shared?.end(requestId, usedTokens);
    },
    recovered({ requeued, failed }) {
      for (const requestId of requeued) void shared?.extend(requestId, WAITING_MS);
      for (const requestId of failed) shared?.end(requestId, undefined);
    },
    endWaiting(requestId) {
      local.release(requestId, 0);
      shared?.end(requestId, 0);
    },
    look: holder => look(holder, deps, { local, shared }),
    close: stopRenewing,
  };
}

/** Keeps what runs here counted, and forgets those that nobody keeps. */
function renewAgainAndAgain(
  { clock, leaseMs, sharing }: CallerLimitsDeps,
  local: LocalLimits,
  shared: SharedLimits | undefined,
): () => void {
  let cancelTimer = () => {};
  const renew = () => shared?.renew(local.running(), leaseMs);
  function again(): void {
    local.forgetLost();
    renew();
    cancelTimer = clock.after(leaseMs / 3, again);
  }
  // What Redis knew may be gone.
  sharing?.onUp(renew);
  again();
  return () => cancelTimer();
}

async function look(
  holder: RateLimitHolder,
  { settings, instances, clock }: CallerLimitsDeps,
  { local, shared }: { readonly local: LocalLimits; readonly shared: SharedLimits | undefined },
): Promise<RateLimitState[]> {
  const claims = claimsAbout(holder, settings);
  const known = claims.filter(claim => claim !== undefined);
  const together = await shared?.use(known);
  const uses = together ?? known.map(claim => local.use(claim));
  return claims.map((claim, index) => {
    const kind = RATE_LIMIT_KINDS[index]!;
    const overridden = holder.overrides?.[RATE_LIMIT_FIELDS[kind]] !== undefined;
    if (!claim) return { kind, overridden, limit: undefined, remaining: undefined, resetAt: undefined };
    const { used, resetInMs } = uses[known.indexOf(claim)]!;
    const admitted = together ? claim.max : Math.ceil(claim.max / instances());
    return {
      kind,
      overridden,
      limit: claim.max,
      remaining: Math.max(0, admitted - used),
      resetAt: resetInMs === undefined ? undefined : new Date(clock.now() + resetInMs),
    };
  });
}
