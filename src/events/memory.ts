// The event log in this process's memory: one buffer per request, kept for a grace time after its end.

import type { LoggedEvent, Position } from '../domain/stream.ts';
import type { Clock } from '../lib/clock.ts';
import { createEventBuffer, type EventBuffer } from './buffer.ts';
import type { EventLog, LogWriter } from './event-log.ts';

export interface MemoryEventLog extends EventLog {
  /** What is behind `after` now, neighbouring tokens joined; undefined when the log holds nothing of the request. */
  read(requestId: string, after: Position | undefined): LoggedEvent[] | undefined;
}

export interface MemoryEventLogOptions {
  /** How long an ended request stays readable here before readers are sent to the store. */
  readonly graceMs: number;
  /** Ended requests kept at most, whatever their age. */
  readonly maxReleased: number;
  /** Events kept apart per request; beyond it the older half is joined. */
  readonly maxEvents: number;
}

export const MEMORY_EVENT_LOG_DEFAULTS: MemoryEventLogOptions = {
  graceMs: 30_000,
  maxReleased: 5_000,
  maxEvents: 2_048,
};

interface Log {
  epoch: number;
  sequence: number;
  offset: number;
  readonly buffer: EventBuffer;
}

export function createMemoryEventLog(
  clock: Clock,
  options: Partial<MemoryEventLogOptions> = {},
): MemoryEventLog {
  const { graceMs, maxReleased, maxEvents } = { ...MEMORY_EVENT_LOG_DEFAULTS, ...options };
  const logs = new Map<string, Log>();
  // Insertion order is release order, so the oldest is always first.
  const released = new Map<string, number>();
  let cancelSweep: (() => void) | undefined;

  /** Of more than `kept` the oldest go, and of all those whose time is over. */
  function sweep(kept = maxReleased): void {
    cancelSweep?.();
    cancelSweep = undefined;
    const due = clock.monotonic() - graceMs;
    for (const [requestId, releasedAt] of released) {
      if (releasedAt > due && released.size <= kept) break;
      released.delete(requestId);
      logs.delete(requestId);
    }
    const [next] = released.values();
    if (next !== undefined) cancelSweep = clock.after(Math.max(1, next - due), sweep);
  }

  return {
    open(requestId, epoch) {
      const existing = logs.get(requestId);
      if (existing && existing.epoch >= epoch)
        throw new Error(`The log of ${requestId} has a writer of epoch ${existing.epoch}`);
      const buffer = existing?.buffer ?? createEventBuffer(maxEvents);
      buffer.reopen();
      const log: Log = Object.assign(existing ?? { offset: 0, buffer }, { epoch, sequence: 0 });
      logs.set(requestId, log);
      released.delete(requestId);
      return writerOf(log, epoch);
    },
    follow(requestId, after, signal) {
      const log = logs.get(requestId);
      return log?.buffer.reaches(after) ? log.buffer.follow(after, signal) : undefined;
    },
    holdsRest(requestId, after) {
      const buffer = logs.get(requestId)?.buffer;
      return buffer?.isComplete() === true && buffer.reaches(after);
    },
    read: (requestId, after) => logs.get(requestId)?.buffer.read(after),
    release(requestId) {
      const log = logs.get(requestId);
      if (!log) return;
      log.buffer.end();
      released.set(requestId, clock.monotonic());
      // Several at once: to find the oldest takes a walk over all the places that others have left.
      if (released.size > maxReleased) sweep(maxReleased - (maxReleased >> 6));
      else cancelSweep ??= clock.after(graceMs, sweep);
    },
    forget(requestIds) {
      for (const requestId of requestIds) {
        logs.get(requestId)?.buffer.end();
        logs.delete(requestId);
        released.delete(requestId);
      }
    },
    async close() {
      cancelSweep?.();
      for (const log of logs.values()) log.buffer.end();
      logs.clear();
      released.clear();
    },
  };
}

function writerOf(log: Log, epoch: number): LogWriter {
  return {
    append(event) {
      if (log.epoch !== epoch) throw new Error(`Epoch ${epoch} has lost the log to epoch ${log.epoch}`);
      log.sequence += 1;
      if (event.type === 'token') log.offset += event.text.length;
      if (event.type === 'restarted') log.offset = event.keepThrough?.offset ?? 0;
      const logged: LoggedEvent = { position: { epoch, sequence: log.sequence, offset: log.offset }, event };
      log.buffer.push(logged);
      return logged;
    },
    sequence: () => log.sequence,
  };
}
