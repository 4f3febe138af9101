// The limits as all instances judge them together, through Redis.

import { type Command, calling } from '../events/redis-connection.ts';
import type { Claim, Refusal } from './claims.ts';
import type { LocalUse } from './local.ts';
import { LIMIT_SCRIPTS, type LimitScripts } from './scripts.ts';
import type { Sharing } from './sharing.ts';

export interface SharedLimits {
  /** Takes all claims, or says why not; undefined when Redis does not say in time. Then they may be taken all the same. */
  admit(
    requestId: string,
    claims: readonly Claim[],
    leaseMs: number,
  ): Promise<{ refusal?: Refusal } | undefined>;
  /** The request counts no more; with the tokens that it took, the difference to what was taken is settled. */
  end(requestId: string, usedTokens: number | undefined): void;
  /**
   * Lets it count for so long from now on. Resolves with whose requests it is counted among; undefined when nothing is
   * known of it.
   */
  extend(requestId: string, leaseMs: number): Promise<readonly string[] | undefined>;
  use(claims: readonly Claim[]): Promise<readonly LocalUse[] | undefined>;
  /** Lets requests, by whose they are, count for so long from now on. */
  renew(running: ReadonlyMap<string, readonly string[]>, leaseMs: number): void;
}

/** How long a record of what a request took is kept, should nobody end the request. */
const RECORD_SECONDS = 86_400;
/** Ends that could not be told while Redis was away; more are left to their leases. */
const MAX_UNTOLD = 1_000;

const PREFIX = 'mcplane:{limits}:';
const keyOf = ({ subject, kind }: Pick<Claim, 'subject' | 'kind'>) => `${PREFIX}${subject}:${kind}`;
const recordKey = (requestId: string) => `${PREFIX}request:${requestId}`;
const setKey = (subject: string) => keyOf({ subject, kind: 'CONCURRENT_REQUESTS' });
const subjectOf = (key: string) => key.slice(PREFIX.length, key.lastIndexOf(':'));

export function createSharedLimits(sharing: Sharing, scripts: LimitScripts = LIMIT_SCRIPTS): SharedLimits {
  let untold: Command[] = [];
  sharing.onUp(() => {
    for (const command of untold) void sharing.send(command);
    untold = [];
  });

  return {
    async admit(requestId, claims, leaseMs) {
      const each = claims.flatMap(({ kind, max, amount }) => [kind, max, amount]);
      const keys = [recordKey(requestId), ...claims.map(keyOf)];
      const args = [requestId, leaseMs, RECORD_SECONDS, ...each];
      const reply = await sharing.send(calling(scripts.admit, keys, args));
      if (!Array.isArray(reply)) return undefined;
      const [number, waitMs] = reply as [number, number];
      return number === 0 ? {} : { refusal: { claim: claims[number - 1]!, waitMs } };
    },
    end(requestId, usedTokens) {
      const command = calling(scripts.end, [recordKey(requestId)], [requestId, usedTokens ?? '']);
      if (sharing.isUp()) void sharing.send(command);
      else if (untold.length < MAX_UNTOLD) untold.push(command);
    },
    async extend(requestId, leaseMs) {
      if (!sharing.isUp()) return undefined;
      const command = calling(scripts.extend, [recordKey(requestId)], [requestId, leaseMs]);
      const reply = await sharing.send(command);
      return Array.isArray(reply) ? reply.map(key => subjectOf(String(key))) : undefined;
    },
    async use(claims) {
      if (!sharing.isUp()) return undefined;
      const kinds = claims.map(({ kind }) => kind);
      const reply = await sharing.send(calling(scripts.look, claims.map(keyOf), kinds));
      if (!Array.isArray(reply)) return undefined;
      return (reply as [number, number][]).map(([used, resetInMs]) => ({
        used,
        resetInMs: resetInMs < 0 ? undefined : resetInMs,
      }));
    },
    renew(running, leaseMs) {
      if (!sharing.isUp()) return;
      for (const [subject, ids] of running)
        void sharing.send(calling(scripts.renew, [setKey(subject)], [leaseMs, ...ids]));
    },
  };
}
