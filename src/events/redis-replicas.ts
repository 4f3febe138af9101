// Requests that run on other instances and are followed here. Each has one replica, however many follow it: a buffer
// filled from Redis, by messages while they come without a gap, else by reading the stream. The stream is the truth:
// it is read at the start, when a message shows a gap, when the connection is back, and after a second of silence.

import { comparePositions, isLast, type LoggedEvent, type Position } from '../domain/stream.ts';
import type { Clock } from '../lib/clock.ts';
import { createEventBuffer, type EventBuffer } from './buffer.ts';
import { cutBefore } from './joining.ts';
import { MEMORY_EVENT_LOG_DEFAULTS } from './memory.ts';
import type { RedisConnection } from './redis-connection.ts';
import { decode, type Entry, type Page, reading, streamKey, toPage } from './redis-entries.ts';

export interface RedisReplicasOptions {
  /** Silence after which the stream is read again. */
  readonly rereadMs: number;
  /** Silence after which followers are sent to the store: the request may have ended without a last event. */
  readonly silenceMs: number;
}

export const REDIS_REPLICAS_DEFAULTS: RedisReplicasOptions = { rereadMs: 1_000, silenceMs: 10_000 };

/** Messages kept while the stream is being read; with more it is read once more. */
const MAX_PENDING = 1_000;

export interface RedisReplicas {
  /**
   * What is behind `after`, then what comes, until the last event. Ends without one when Redis fails, holds nothing
   * of the request, no longer reaches back to `after`, or has been silent for long.
   */
  follow(
    requestId: string,
    after: Position | undefined,
    signal: AbortSignal,
  ): AsyncIterableIterator<LoggedEvent>;
  /** Requests that are followed here. */
  readonly size: number;
  close(): void;
}

interface Replica {
  readonly buffer: EventBuffer;
  followers: number;
  /** False when there is nothing to follow. */
  ready: Promise<boolean>;
  /** Looks at the stream again when nothing was heard for long. */
  check(): void;
  end(): void;
}

export function createRedisReplicas(
  redis: RedisConnection,
  clock: Clock,
  options: Partial<RedisReplicasOptions> = {},
): RedisReplicas {
  const settings = { ...REDIS_REPLICAS_DEFAULTS, ...options };
  const replicas = new Map<string, Replica>();
  let cancelTimer: (() => void) | undefined;

  /** One timer for all. */
  function watch(): void {
    if (replicas.size === 0) return;
    cancelTimer ??= clock.after(settings.rereadMs / 4, () => {
      cancelTimer = undefined;
      for (const replica of [...replicas.values()]) replica.check();
      watch();
    });
  }

  function join(requestId: string): Replica {
    const existing = replicas.get(requestId);
    if (existing) return existing;
    const replica = createReplica(requestId, { redis, clock, ...settings }, () => {
      if (replicas.get(requestId) === replica) replicas.delete(requestId);
    });
    replicas.set(requestId, replica);
    watch();
    return replica;
  }

  return {
    async *follow(requestId, after, signal) {
      const replica = join(requestId);
      replica.followers += 1;
      try {
        if ((await replica.ready) && replica.buffer.reaches(after))
          yield* replica.buffer.follow(after, signal);
      } finally {
        replica.followers -= 1;
        if (replica.followers === 0) replica.end();
      }
    },
    get size() {
      return replicas.size;
    },
    close() {
      cancelTimer?.();
      for (const replica of [...replicas.values()]) replica.end();
    },
  };
}

interface ReplicaDeps extends RedisReplicasOptions {
  readonly redis: RedisConnection;
  readonly clock: Clock;
}

function createReplica(
  requestId: string,
  { redis, clock, rereadMs, silenceMs }: ReplicaDeps,
  onEnd: () => void,
): Replica {
  const copy = createCopy();
  const pending: Entry[] = [];
  let busy: Promise<boolean> | undefined;
  let readAgain = false;
  let ended = false;
  let heardMs = clock.monotonic();
  let readMs = heardMs;

  function end(): void {
    if (ended) return;
    ended = true;
    channel.leave();
    copy.buffer.end();
    onEnd();
  }

  /** Reads what is behind the last event; one reading at a time. Without success the replica ends. */
  function read(): Promise<boolean> {
    readAgain = busy !== undefined;
    busy ??= readToEnd().then(isRead => {
      busy = undefined;
      readMs = clock.monotonic();
      if (!isRead) end();
      else if (readAgain || !pending.splice(0).every(entry => copy.receive(entry))) void read();
      return isRead;
    });
    return busy;
  }

  async function readToEnd(): Promise<boolean> {
    for (;;) {
      const page = await readPage(redis, requestId, copy.last());
      if (!page?.found || !copy.apply(page)) return false;
      if (page.entries.length > 0 || page.head) heardMs = clock.monotonic();
      if (!page.more || ended) return !ended;
    }
  }

  const channel = redis.channels.join(streamKey(requestId), {
    message(text) {
      const entry = decode(text);
      if (!entry) return;
      heardMs = clock.monotonic();
      if (busy !== undefined) {
        if (pending.push(entry) > MAX_PENDING) {
          pending.length = 0;
          readAgain = true;
        }
      } else if (!copy.receive(entry)) void read();
    },
    resumed: () => void read(),
  });
  // Only behind the acknowledgement: what is written between a reading and a subscription would be missed.
  const ready = channel.ready.then(isSubscribed => {
    if (isSubscribed) return read();
    end();
    return false;
  });

  return {
    buffer: copy.buffer,
    followers: 0,
    ready,
    check() {
      if (copy.isOver()) return;
      const nowMs = clock.monotonic();
      if (nowMs - heardMs >= silenceMs) end();
      else if (nowMs - Math.max(heardMs, readMs) >= rereadMs) void read();
    },
    end,
  };
}

async function readPage(
  redis: RedisConnection,
  requestId: string,
  after: Position | undefined,
): Promise<Page | undefined> {
  const [reply] = await redis.run('read', [reading(requestId, after)]);
  return reply instanceof Error ? undefined : toPage(reply);
}

/** What is known of a stream, and the rules by which more is added without a gap or a double. */
function createCopy() {
  const buffer = createEventBuffer(MEMORY_EVENT_LOG_DEFAULTS.maxEvents);
  let last: Position | undefined;
  let over = false;

  function add(logged: LoggedEvent): void {
    if (last && comparePositions(logged.position, last) <= 0) return;
    buffer.push(cutBefore(logged, last));
    last = logged.position;
    over = isLast(logged.event);
  }

  function addEntry({ position, event }: Entry): void {
    if (event) add({ position, event });
    else if (!last || comparePositions(position, last) > 0) last = position;
  }

  return {
    buffer,
    last: () => last,
    isOver: () => over,
    /** Takes a message; false when something is missing before it, or it says that the stream was rewritten. */
    receive(entry: Entry): boolean {
      if (last && comparePositions(entry.position, last) <= 0) return true;
      if (last?.epoch !== entry.position.epoch || entry.first > last.sequence + 1 || !entry.event)
        return false;
      addEntry(entry);
      return true;
    },
    /** Takes what was read; false when the stream has a hole, because Redis has dropped a part of it. */
    apply({ head, entries }: Page): boolean {
      for (const logged of head ?? []) add(logged);
      for (const entry of entries) {
        const expected = last?.epoch === entry.position.epoch ? last.sequence + 1 : 1;
        if (entry.first > expected) return false;
        addEntry(entry);
      }
      return true;
    },
  };
}
