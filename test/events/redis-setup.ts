// Instances for tests of the shared event log: each with a log in memory and connections to Redis of its own.

import type { TestContext } from 'node:test';
import { isLast, type LoggedEvent, type Position, type StreamEvent } from '../../src/domain/stream.ts';
import type { EventLog } from '../../src/events/event-log.ts';
import { createMemoryEventLog, type MemoryEventLogOptions } from '../../src/events/memory.ts';
import { createRedisEventLog, type RedisEventLog } from '../../src/events/redis.ts';
import type { RedisMirrorOptions } from '../../src/events/redis-mirror.ts';
import type { RedisReplicasOptions } from '../../src/events/redis-replicas.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { connectTo, type TestConnection } from '../support/redis.ts';

export const token = (text: string): StreamEvent => ({ type: 'token', text });
export const COMPLETED: StreamEvent = { type: 'completed' };
export const RESTARTED: StreamEvent = { type: 'restarted', attempt: 2, reason: 'taken over' };

export interface Instance extends TestConnection {
  readonly events: RedisEventLog;
  /** Requests that Redis told this instance it has lost. */
  readonly fenced: string[];
  /** Resolves when the request is among them. */
  untilFenced(requestId: string): Promise<void>;
}

export interface InstanceOptions extends RedisMirrorOptions, RedisReplicasOptions, MemoryEventLogOptions {
  readonly clock: Clock;
  /** False: the server may be down. */
  readonly wait: boolean;
}

export async function openInstance(
  t: Pick<TestContext, 'after'>,
  url: string,
  { clock = systemClock, wait = true, ...options }: Partial<InstanceOptions> = {},
): Promise<Instance> {
  const connection = await connectTo(t, url, { wait });
  const fenced: string[] = [];
  let ring = () => {};
  const events = createRedisEventLog(
    {
      local: createMemoryEventLog(clock, options),
      redis: connection.redis,
      clock,
      onFenced: requestId => {
        fenced.push(requestId);
        ring();
      },
    },
    options,
  );
  t.after(() => events.close());
  return {
    ...connection,
    events,
    fenced,
    async untilFenced(requestId) {
      while (!fenced.includes(requestId))
        await new Promise<void>(resolve => {
          ring = resolve;
        });
    },
  };
}

/** One pass of `follow`: until it ends, whether there was a last event or not. */
export async function readOnce(log: EventLog, requestId: string, after?: Position): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for await (const event of log.follow(requestId, after, new AbortController().signal) ?? [])
    events.push(event);
  return events;
}

/** Follows as the gateway does: asks again after a pause when the log ended without a last event. */
export async function readToEnd(
  log: EventLog,
  requestId: string,
  { after, pauseMs = 20 }: { after?: Position | undefined; pauseMs?: number } = {},
): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  while (!events.some(({ event }) => isLast(event))) {
    events.push(...(await readOnce(log, requestId, events.at(-1)?.position ?? after)));
    await new Promise(resolve => setTimeout(resolve, pauseMs));
  }
  return events;
}

/** The text a client has in the end: restarts void what they do not keep. */
export function textOf(events: readonly LoggedEvent[], before = ''): string {
  return events.reduce((text, { event }) => {
    if (event.type === 'restarted') return text.slice(0, event.keepThrough?.offset ?? 0);
    return event.type === 'token' ? text + event.text : text;
  }, before);
}

/** Throws when events are out of order or their offsets do not add up: something is missing or double. */
export function assertWhole(events: readonly LoggedEvent[], after?: Position): void {
  let last = after;
  for (const { position, event } of events) {
    if (last && (position.epoch - last.epoch || position.sequence - last.sequence) <= 0)
      throw new Error(`${JSON.stringify(position)} does not follow ${JSON.stringify(last)}`);
    const before = last?.epoch === position.epoch ? last.offset : 0;
    const length = event.type === 'token' ? event.text.length : 0;
    if (event.type !== 'restarted' && position.offset !== before + length)
      throw new Error(`${length} at ${JSON.stringify(position)} does not join ${JSON.stringify(last)}`);
    last = position;
  }
}
