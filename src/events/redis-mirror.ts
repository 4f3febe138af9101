// Copies the log in this process's memory to Redis, behind the writers' backs. Per request it holds a cursor into the
// local log and nothing else, so a Redis that is slow, down or full costs no memory: what was missed is read from the
// local log once Redis is back. One round trip at a time, for all requests together.

import type { LoggedEvent } from '../domain/stream.ts';
import { atMost, type Clock } from '../lib/clock.ts';
import type { MemoryEventLog } from './memory.ts';
import { createPump } from './pump.ts';
import type { RedisConnection } from './redis-connection.ts';
import { type Copy, createCopy, settle, type Update, type UpdateResult, updateOf } from './redis-copy.ts';
import { dropping } from './redis-entries.ts';

export interface RedisMirrorOptions {
  /** Tokens that come within this time are one entry; the first token and all other events are written at once. */
  readonly joinMs: number;
  /** Entries kept apart in Redis per request; then they are joined. */
  readonly maxEntries: number;
  /** Characters written in one round trip, about; the rest follows in the next. A request is never divided. */
  readonly maxBatch: number;
  /** How long `close` waits for the last events to be written. */
  readonly closeMs: number;
}

export const REDIS_MIRROR_DEFAULTS: RedisMirrorOptions = {
  joinMs: 25,
  maxEntries: 1_000,
  maxBatch: 1_000_000,
  closeMs: 500,
};

export interface RedisMirror {
  /** The request is written here from now on. */
  open(requestId: string, epoch: number): void;
  /** Something was appended to the local log. */
  appended(requestId: string, logged: LoggedEvent): void;
  /** Nothing more will be appended. */
  released(requestId: string): void;
  /** Drops the copies, whatever of them is not written yet. */
  forget(requestIds: readonly string[]): void;
  /** Requests that are being copied. */
  readonly size: number;
  /** Resolves when all that was appended is written, or given up for now because Redis fails. */
  flushed(): Promise<void>;
  /** Writes what is left, for a moment at most. */
  close(): Promise<void>;
}

export interface RedisMirrorDeps {
  readonly local: MemoryEventLog;
  readonly redis: RedisConnection;
  readonly clock: Clock;
  /** Another instance owns the request: its writer here has to stop. */
  readonly onFenced: (requestId: string) => void;
}

export function createRedisMirror(
  deps: RedisMirrorDeps,
  options: Partial<RedisMirrorOptions> = {},
): RedisMirror {
  const settings = { ...REDIS_MIRROR_DEFAULTS, ...options };
  const { redis, clock } = deps;
  const copies = new Map<string, Copy>();
  const pump = createPump<Copy>({
    clock,
    intervalMs: settings.joinMs,
    async write(take, retrying) {
      const limits = { ...settings, maxBatch: retrying ? 1 : settings.maxBatch };
      const updates = collect(take, { copies, limits, deps });
      if (updates.length === 0) return { failed: false, again: [] };
      const commands = updates.flatMap(update => update.commands);
      const replies = await redis.run('mirror', commands);
      const results = updates.map(update =>
        conclude(update, replies.splice(0, update.commands.length), { copies, deps }),
      );
      const again = updates.filter(({ copy }, index) => isUnfinished(copy, results[index]!));
      return { failed: results.every(result => result === 'failed'), again: again.map(({ copy }) => copy) };
    },
  });
  redis.onReady(pump.retry);

  return {
    open(requestId, epoch) {
      const copy = createCopy(requestId, epoch, copies.has(requestId));
      copies.set(requestId, copy);
      pump.mark(copy, true);
    },
    appended(requestId, { event, position }) {
      const copy = copies.get(requestId);
      if (copy?.epoch !== position.epoch) return;
      pump.mark(copy, event.type !== 'token' || position.offset === event.text.length);
    },
    released(requestId) {
      const copy = copies.get(requestId);
      if (!copy) return;
      copy.released = true;
      pump.mark(copy, false);
    },
    forget(requestIds) {
      for (const requestId of requestIds) copies.delete(requestId);
      // Behind what is on its way: commands are carried out in their order.
      if (requestIds.length > 0) void redis.run('mirror', requestIds.map(dropping));
    },
    get size() {
      return copies.size;
    },
    flushed: pump.flushed,
    async close() {
      await atMost(clock, settings.closeMs, pump.flushed());
      pump.close();
      copies.clear();
    },
  };
}

function isUnfinished({ released }: Copy, result: UpdateResult): boolean {
  return result === 'failed' || result === 'broken' || (result === 'written' && released);
}

interface Mirroring {
  readonly copies: Map<string, Copy>;
  readonly deps: RedisMirrorDeps;
}

/** What Redis lacks of the copies that are taken, until it is enough for one round trip. */
function collect(
  take: () => Copy | undefined,
  { copies, limits, deps }: Mirroring & { readonly limits: RedisMirrorOptions },
): Update[] {
  const updates: Update[] = [];
  for (let size = 0; size < limits.maxBatch; ) {
    const copy = take();
    if (!copy) break;
    // Forgotten, or opened anew: the later epoch has a copy of its own.
    if (copies.get(copy.requestId) !== copy) continue;
    const update = updateOf(copy, limits.maxEntries, after => deps.local.read(copy.requestId, after) ?? []);
    if (update) {
      updates.push(update);
      for (const command of update.commands) for (const part of command) size += part.length;
    } else if (copy.released) copies.delete(copy.requestId);
  }
  return updates;
}

function conclude(update: Update, replies: unknown[], { copies, deps }: Mirroring): UpdateResult {
  const { copy, commands } = update;
  const { meter } = deps.redis;
  const wasBroken = copy.state === 'broken';
  const result = settle(update, replies);
  if (copies.get(copy.requestId) !== copy) return result;
  if (result === 'ended' || result === 'fenced') copies.delete(copy.requestId);
  if (result === 'fenced') {
    meter.fenced();
    deps.onFenced(copy.requestId);
  }
  if (result === 'written' || result === 'ended') {
    meter.mirrored(commands.length);
    if (wasBroken) meter.resynced();
  }
  return result;
}
