// The event log in this process's memory: one array per request, shared by all its followers. A follower is a
// position and a doorbell, so a slow one costs nothing but its place. Long answers are compacted by joining old
// neighbouring tokens; positions carry text offsets, so a cursor into joined text still finds its place.

import {
  comparePositions,
  isLast,
  type LoggedEvent,
  type Position,
  type StreamEvent,
} from '../domain/stream.ts';
import { createBell } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { EventLog, LogWriter } from './event-log.ts';

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
  events: LoggedEvent[];
  /** Grows when events are joined, so that followers look up their place anew. */
  compactions: number;
  /** Nothing more will come. */
  ended: boolean;
  readonly bells: Set<() => void>;
}

export function createMemoryEventLog(clock: Clock, options: Partial<MemoryEventLogOptions> = {}): EventLog {
  const { graceMs, maxReleased, maxEvents } = { ...MEMORY_EVENT_LOG_DEFAULTS, ...options };
  const logs = new Map<string, Log>();
  // Insertion order is release order, so the oldest is always first.
  const released = new Map<string, number>();
  let cancelSweep: (() => void) | undefined;

  function sweep(): void {
    cancelSweep?.();
    cancelSweep = undefined;
    const due = clock.monotonic() - graceMs;
    for (const [requestId, releasedAt] of released) {
      if (releasedAt > due && released.size <= maxReleased) break;
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
      const log = existing ?? {
        epoch,
        sequence: 0,
        offset: 0,
        events: [],
        compactions: 0,
        ended: false,
        bells: new Set<() => void>(),
      };
      Object.assign(log, { epoch, sequence: 0, ended: false });
      logs.set(requestId, log);
      released.delete(requestId);
      return writerOf(log, epoch, maxEvents);
    },
    follow(requestId, after, signal) {
      const log = logs.get(requestId);
      const [first] = log?.events ?? [];
      // A cursor of a generation that this log never saw can only be answered from the store.
      if (!log || (after && first && after.epoch < first.position.epoch)) return undefined;
      return followLog(log, after, signal);
    },
    release(requestId) {
      const log = logs.get(requestId);
      if (!log) return;
      letGo(log);
      released.set(requestId, clock.monotonic());
      if (released.size > maxReleased) sweep();
      else cancelSweep ??= clock.after(graceMs, sweep);
    },
    async close() {
      cancelSweep?.();
      for (const log of logs.values()) letGo(log);
      logs.clear();
      released.clear();
    },
  };
}

function letGo(log: Log): void {
  log.ended = true;
  for (const ring of log.bells) ring();
}

function writerOf(log: Log, epoch: number, maxEvents: number): LogWriter {
  return {
    append(event) {
      if (log.epoch !== epoch) throw new Error(`Epoch ${epoch} has lost the log to epoch ${log.epoch}`);
      log.sequence += 1;
      if (event.type === 'token') log.offset += event.text.length;
      if (event.type === 'restarted') log.offset = event.keepThrough?.offset ?? 0;
      const logged: LoggedEvent = { position: { epoch, sequence: log.sequence, offset: log.offset }, event };
      log.events.push(logged);
      if (log.events.length > maxEvents) compact(log);
      for (const ring of log.bells) ring();
      return logged;
    },
    sequence: () => log.sequence,
  };
}

/** Joins runs of tokens in the older half; what is left stays readable from any cursor. */
function compact(log: Log): void {
  const half = log.events.length >> 1;
  const older: LoggedEvent[] = [];
  for (let index = 0; index < half; ) {
    const joined = joinFrom(log.events, index, half);
    older.push(joined.event);
    index = joined.next;
  }
  log.events = [...older, ...log.events.slice(half)];
  log.compactions += 1;
}

/** The event at `index`, and when it is a token every token of the same step and epoch right behind it, as one. */
function joinFrom(
  events: readonly LoggedEvent[],
  index: number,
  end: number,
): { event: LoggedEvent; next: number } {
  const first = events[index]!;
  if (first.event.type !== 'token') return { event: first, next: index + 1 };
  const { step } = first.event;
  const texts: string[] = [];
  let next = index;
  let position = first.position;
  for (; next < end; next += 1) {
    const { event, position: at } = events[next]!;
    if (event.type !== 'token' || event.step !== step || at.epoch !== first.position.epoch) break;
    texts.push(event.text);
    position = at;
  }
  if (texts.length === 1) return { event: first, next };
  const event: StreamEvent = { type: 'token', text: texts.join(''), ...(step === undefined ? {} : { step }) };
  return { event: { position, event }, next };
}

async function* followLog(
  log: Log,
  after: Position | undefined,
  signal: AbortSignal,
): AsyncGenerator<LoggedEvent> {
  const bell = createBell(signal);
  log.bells.add(bell.ring);
  try {
    let last = after;
    let compactions = log.compactions;
    let index = indexAfter(log.events, last);
    while (!signal.aborted) {
      if (compactions !== log.compactions) {
        compactions = log.compactions;
        index = indexAfter(log.events, last);
      }
      if (index >= log.events.length) {
        const tail = log.events.at(-1);
        if (log.ended || (tail && isLast(tail.event))) return;
        await bell.wait();
        continue;
      }
      const joined = joinFrom(log.events, index, log.events.length);
      const event = cutBefore(joined.event, last);
      index = joined.next;
      last = event.position;
      yield event;
      if (isLast(event.event)) return;
    }
  } finally {
    log.bells.delete(bell.ring);
    bell.dispose();
  }
}

/** Index of the first event behind the position. */
function indexAfter(events: readonly LoggedEvent[], after: Position | undefined): number {
  if (!after) return 0;
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comparePositions(events[middle]!.position, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Joined text that begins before the cursor loses what the reader already has. */
function cutBefore(logged: LoggedEvent, after: Position | undefined): LoggedEvent {
  const { event, position } = logged;
  if (!after || event.type !== 'token' || after.epoch !== position.epoch) return logged;
  const surplus = after.offset - (position.offset - event.text.length);
  return surplus > 0 ? { position, event: { ...event, text: event.text.slice(surplus) } } : logged;
}
