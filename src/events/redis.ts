// The event log that instances share. Writers and followers of this instance use the log in its memory and never
// wait for Redis; a mirror copies it to Redis, and what other instances write is followed from there.

import type { LoggedEvent, Position } from '../domain/stream.ts';
import { isLast } from '../domain/stream.ts';
import type { Clock } from '../lib/clock.ts';
import type { EventLog } from './event-log.ts';
import type { MemoryEventLog } from './memory.ts';
import type { RedisConnection } from './redis-connection.ts';
import { createRedisMirror, type RedisMirrorOptions } from './redis-mirror.ts';
import { createRedisReplicas, type RedisReplicasOptions } from './redis-replicas.ts';

export interface RedisEventLogDeps {
  /** Closed with this log. */
  readonly local: MemoryEventLog;
  /** Stays open: whoever opened it closes it, after this log. */
  readonly redis: RedisConnection;
  readonly clock: Clock;
  /**
   * Redis refused this instance's events of the request, because an instance with a later epoch writes them now.
   * They are not copied any more; the execution has to stop.
   */
  readonly onFenced: (requestId: string) => void;
}

export interface RedisEventLog extends EventLog {
  /** Resolves when all that was appended is in Redis, or given up for now because Redis fails. */
  flushed(): Promise<void>;
  /** Requests whose events are being copied to Redis, and requests of others that are followed here. */
  readonly size: { readonly mirrored: number; readonly followed: number };
}

/** `follow` is never undefined: what Redis holds is known only after asking, so it ends without an event instead. */
export function createRedisEventLog(
  { local, redis, clock, onFenced }: RedisEventLogDeps,
  options: Partial<RedisMirrorOptions & RedisReplicasOptions> = {},
): RedisEventLog {
  const mirror = createRedisMirror({ local, redis, clock, onFenced }, options);
  const replicas = createRedisReplicas(redis, clock, options);

  /** A request that was taken from this instance goes on at its new owner, hence in Redis. */
  async function* localThenRemote(
    requestId: string,
    after: Position | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<LoggedEvent> {
    let last = after;
    for await (const logged of local.follow(requestId, after, signal) ?? []) {
      yield logged;
      if (isLast(logged.event)) return;
      last = logged.position;
    }
    if (!signal.aborted) yield* replicas.follow(requestId, last, signal);
  }

  return {
    open(requestId, epoch) {
      const writer = local.open(requestId, epoch);
      mirror.open(requestId, epoch);
      return {
        append(event) {
          const logged = writer.append(event);
          mirror.appended(requestId, logged);
          return logged;
        },
        sequence: writer.sequence,
      };
    },
    follow: localThenRemote,
    // What a replica holds is not counted: it lives only as long as somebody follows.
    holdsRest: local.holdsRest,
    release(requestId) {
      local.release(requestId);
      mirror.released(requestId);
    },
    flushed: mirror.flushed,
    get size() {
      return { mirrored: mirror.size, followed: replicas.size };
    },
    async close() {
      replicas.close();
      await mirror.close();
      await local.close();
    },
  };
}
