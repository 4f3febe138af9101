// The limits as all instances judge them together, through Redis, which is waited for no longer than a bound. The
// first answer that does not come in time, and every failure, ends that for now: nobody else waits, and each instance
// judges by itself, until Redis is seen to answer again. What is sent in one turn of the event loop goes as one.

import { type Command, calling, type RedisConnection } from '../events/redis-connection.ts';
import type { Clock } from '../lib/clock.ts';
import { afterListening } from '../lib/listening.ts';
import type { Claim, Refusal } from './claims.ts';
import type { LocalUse } from './local.ts';
import { LIMIT_SCRIPTS, type LimitScripts } from './scripts.ts';

export interface SharedLimits {
  /** Whether Redis is asked at all at the moment. */
  isUp(): boolean;
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
  /** Lets requests, by whose they are, count for so long from now on, and looks whether Redis answers. */
  renew(running: ReadonlyMap<string, readonly string[]>, leaseMs: number): Promise<void>;
  /** Calls back when Redis answers again, for the first time too. */
  onUp(listener: () => void): void;
}

interface SharedLimitsDeps {
  readonly redis: Pick<RedisConnection, 'run'>;
  readonly clock: Clock;
  /** The longest that an answer is waited for. */
  readonly timeoutMs: number;
  readonly onChange: (isUp: boolean) => void;
  readonly scripts?: LimitScripts;
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

export function createSharedLimits(deps: SharedLimitsDeps): SharedLimits {
  const { onChange, scripts = LIMIT_SCRIPTS } = deps;
  const listeners: (() => void)[] = [];
  const send = createSending(deps, () => changed(false));
  const untold: Command[] = [];
  let up = false;

  function changed(isUp: boolean): void {
    if (up === isUp) return;
    up = isUp;
    onChange(isUp);
    if (!isUp) return;
    for (const command of untold.splice(0)) void send(command);
    for (const listener of listeners) listener();
  }

  return {
    isUp: () => up,
    async admit(requestId, claims, leaseMs) {
      const each = claims.flatMap(({ kind, max, amount }) => [kind, max, amount]);
      const keys = [recordKey(requestId), ...claims.map(keyOf)];
      const reply = await send(calling(scripts.admit, keys, [requestId, leaseMs, RECORD_SECONDS, ...each]));
      if (!Array.isArray(reply)) return undefined;
      const [number, waitMs] = reply as [number, number];
      return number === 0 ? {} : { refusal: { claim: claims[number - 1]!, waitMs } };
    },
    end(requestId, usedTokens) {
      const command = calling(scripts.end, [recordKey(requestId)], [requestId, usedTokens ?? '']);
      if (up) void send(command);
      else if (untold.length < MAX_UNTOLD) untold.push(command);
    },
    async extend(requestId, leaseMs) {
      if (!up) return undefined;
      const reply = await send(calling(scripts.extend, [recordKey(requestId)], [requestId, leaseMs]));
      return Array.isArray(reply) ? reply.map(key => subjectOf(String(key))) : undefined;
    },
    async use(claims) {
      if (!up) return undefined;
      const kinds = claims.map(({ kind }) => kind);
      const reply = await send(calling(scripts.look, claims.map(keyOf), kinds));
      if (!Array.isArray(reply)) return undefined;
      return (reply as [number, number][]).map(([used, resetInMs]) => ({
        used,
        resetInMs: resetInMs < 0 ? undefined : resetInMs,
      }));
    },
    async renew(running, leaseMs) {
      const commands = [...running].map(([subject, ids]) =>
        calling(scripts.renew, [setKey(subject)], [leaseMs, ...ids]),
      );
      const replies = await Promise.all([send(['ping']), ...commands.map(send)]);
      if (replies.every(reply => reply !== undefined)) changed(true);
    },
    onUp: listener => void listeners.push(listener),
  };
}

interface Sent {
  readonly command: Command;
  readonly resolve: (reply: unknown) => void;
}

/** Resolves with the reply, or undefined when none came in time or it is an error, which `onFailure` hears first. */
function createSending(
  { redis, clock, timeoutMs }: SharedLimitsDeps,
  onFailure: () => void,
): (command: Command) => Promise<unknown> {
  let batch: Sent[] = [];

  function flush(): void {
    const sent = batch;
    batch = [];
    let over = false;
    const settle = (replies: readonly unknown[]) => {
      if (over) return;
      over = true;
      cancelTimer();
      if (replies.length === 0 || replies.some(reply => reply instanceof Error)) onFailure();
      for (const [index, { resolve }] of sent.entries()) {
        const reply = replies[index];
        resolve(reply instanceof Error ? undefined : reply);
      }
    };
    const cancelTimer = afterListening(clock, timeoutMs, () => settle([]));
    void redis
      .run(
        'limits',
        sent.map(({ command }) => command),
      )
      .then(settle);
  }

  return command => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    batch.push({ command, resolve });
    if (batch.length === 1) setImmediate(flush);
    return promise;
  };
}
