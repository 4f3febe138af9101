// The event log that instances share. Writers and followers of this instance use the log in its memory and never
// wait for Redis; a mirror copies it to Redis, and what other instances write is followed from there.

import type { LoggedEvent, Position } from '../domain/stream.ts';
import { isLast } from '../domain/stream.ts';
import { cancellable } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { InTurn } from '../lib/reader.ts';
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
    follow(requestId, after, signal) {
      const remote = (last: Position | undefined) =>
        signal
          ? replicas.follow(requestId, last, signal)
          : cancellable(left => replicas.follow(requestId, last, left));
      const here = local.follow(requestId, after, signal);
      return here ? new LocalThenRemote(here, after, remote) : remote(after);
    },
    // What a replica holds is not counted: it lives only as long as somebody follows.
    holdsRest: local.holdsRest,
    release(requestId) {
      local.release(requestId);
      mirror.released(requestId);
    },
    forget(requestIds) {
      local.forget(requestIds);
      mirror.forget(requestIds);
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

/** A request that was taken from this instance goes on at its new owner, hence in Redis. */
class LocalThenRemote extends InTurn<LoggedEvent> {
  readonly #remote: (last: Position | undefined) => AsyncIterator<LoggedEvent>;
  #last: Position | undefined;
  #isComplete = false;

  constructor(
    local: AsyncIterator<LoggedEvent>,
    after: Position | undefined,
    remote: (last: Position | undefined) => AsyncIterator<LoggedEvent>,
  ) {
    super(local);
    this.#last = after;
    this.#remote = remote;
  }

  protected given(logged: LoggedEvent): LoggedEvent {
    this.#last = logged.position;
    this.#isComplete = isLast(logged.event);
    return logged;
  }

  protected rest(): AsyncIterator<LoggedEvent> | undefined {
    return this.#isComplete ? undefined : this.#remote(this.#last);
  }
}
