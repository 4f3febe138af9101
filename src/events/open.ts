// Opens the event log and the signals that the configuration names: shared through Redis, or of this process alone.

import type { Clock } from '../lib/clock.ts';
import type { EventLog } from './event-log.ts';
import { createMemoryEventLog } from './memory.ts';
import { createRedisEventLog } from './redis.ts';
import {
  openRedis,
  type RedisConnection,
  type RedisLog,
  type RedisMeter,
  type Script,
} from './redis-connection.ts';
import { SCRIPTS } from './redis-entries.ts';
import { createRedisSignals } from './redis-signals.ts';
import { createNoSignals, type Signals } from './signals.ts';

export interface OpenEventsOptions {
  readonly clock: Clock;
  /** Absent: requests are followed on the instance that runs them. */
  readonly redis?:
    | {
        readonly url: string;
        readonly log: RedisLog;
        readonly meter: RedisMeter;
        /** Of others that use the connection. */
        readonly scripts: readonly Script[];
        /** Another instance owns the request now: its execution here must stop. */
        readonly onFenced: (requestId: string) => void;
      }
    | undefined;
}

export interface OpenedEvents {
  readonly events: EventLog;
  readonly signals: Signals;
  /** For whoever else shares something; absent when there is none. */
  readonly redis: RedisConnection | undefined;
  /** Rejects within a quarter of a second when Redis does not answer; absent when there is none. */
  readonly ping: (() => Promise<void>) | undefined;
  /** Writes the last events to Redis, for half a second at most, and closes everything. */
  close(): Promise<void>;
}

/** Never fails and never waits: a Redis that is down is used as soon as it is up. */
export function openEventLog({ clock, redis: shared }: OpenEventsOptions): OpenedEvents {
  const local = createMemoryEventLog(clock);
  if (!shared)
    return {
      events: local,
      signals: createNoSignals(),
      redis: undefined,
      ping: undefined,
      close: local.close,
    };
  const { url, log, meter, scripts, onFenced } = shared;
  const redis = openRedis({ url, log, meter, scripts: [...SCRIPTS, ...scripts] });
  const events = createRedisEventLog({ local, redis, clock, onFenced });
  const signals = createRedisSignals(redis, clock);
  return {
    events,
    signals,
    redis,
    ping: redis.ping,
    async close() {
      await signals.close();
      await events.close();
      await redis.close();
    },
  };
}
