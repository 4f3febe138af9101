// One request's events in memory, shared by all its followers. A follower is a position and a doorbell, so a slow one
// costs nothing but its place. Long answers are compacted by joining old neighbouring tokens.

import { comparePositions, isLast, type LoggedEvent, type Position } from '../domain/stream.ts';
import { createBell } from '../lib/abort.ts';
import { cutBefore, indexAfter, joinFrom } from './joining.ts';

export interface EventBuffer {
  /** Keeps an event whose position is behind all others, and wakes the followers. */
  push(logged: LoggedEvent): void;
  /** Nothing more comes: followers that have read to the end are let go. */
  end(): void;
  /** More comes after all, from a new epoch. */
  reopen(): void;
  /**
   * Whether what follows the cursor is all here. A cursor of a generation that this buffer never saw can be
   * followed only when the text begins anew, so that whatever its reader has is void.
   */
  reaches(after: Position | undefined): boolean;
  /** Whether the last event of the request is here. */
  isComplete(): boolean;
  /** What is behind the position now; neighbouring tokens joined. */
  read(after: Position | undefined): LoggedEvent[];
  /** What is behind the position, then what is pushed, until the last event, `end` or an abort. */
  follow(after: Position | undefined, signal: AbortSignal): AsyncIterable<LoggedEvent>;
}

interface Shelf {
  events: LoggedEvent[];
  /** Grows when events are joined, so that followers look up their place anew. */
  compactions: number;
  /** Nothing more will come. */
  ended: boolean;
  readonly bells: Set<() => void>;
}

/** Holds at most about `maxEvents` events apart; beyond it the older half is joined. */
export function createEventBuffer(maxEvents: number): EventBuffer {
  const shelf: Shelf = { events: [], compactions: 0, ended: false, bells: new Set() };
  return {
    push(logged) {
      shelf.events.push(logged);
      if (shelf.events.length > maxEvents) compact(shelf);
      for (const ring of shelf.bells) ring();
    },
    end() {
      shelf.ended = true;
      for (const ring of shelf.bells) ring();
    },
    reopen() {
      shelf.ended = false;
    },
    reaches(after) {
      const [first] = shelf.events;
      if (!after || !first || after.epoch >= first.position.epoch) return true;
      return first.position.sequence === 1 && first.event.type === 'restarted' && !first.event.keepThrough;
    },
    isComplete: () => isComplete(shelf),
    read(after) {
      const read: LoggedEvent[] = [];
      for (let index = indexAfter(shelf.events, after); index < shelf.events.length; ) {
        const joined = joinFrom(shelf.events, index, shelf.events.length);
        read.push(cutBefore(joined.event, read.at(-1)?.position ?? after));
        index = joined.next;
      }
      return read;
    },
    follow: (after, signal) => followShelf(shelf, after, signal),
  };
}

function isComplete({ events }: Shelf): boolean {
  const tail = events.at(-1);
  return tail !== undefined && isLast(tail.event);
}

/** Joins runs of tokens in the older half; what is left stays readable from any cursor. */
function compact(shelf: Shelf): void {
  const half = shelf.events.length >> 1;
  const older: LoggedEvent[] = [];
  for (let index = 0; index < half; ) {
    const joined = joinFrom(shelf.events, index, half);
    older.push(joined.event);
    index = joined.next;
  }
  shelf.events = [...older, ...shelf.events.slice(half)];
  shelf.compactions += 1;
}

async function* followShelf(
  shelf: Shelf,
  after: Position | undefined,
  signal: AbortSignal,
): AsyncGenerator<LoggedEvent> {
  const bell = createBell(signal);
  shelf.bells.add(bell.ring);
  try {
    let last = after;
    let { compactions } = shelf;
    let index = indexAfter(shelf.events, last);
    while (!signal.aborted) {
      if (compactions !== shelf.compactions) {
        compactions = shelf.compactions;
        index = indexAfter(shelf.events, last);
      }
      if (index >= shelf.events.length) {
        if (shelf.ended || isComplete(shelf)) return;
        await bell.wait();
        continue;
      }
      const joined = joinFrom(shelf.events, index, shelf.events.length);
      index = joined.next;
      // Who comes from an instance that is ahead of this one has some of it already.
      if (last && comparePositions(joined.event.position, last) <= 0) continue;
      const event = cutBefore(joined.event, last);
      last = event.position;
      yield event;
      if (isLast(event.event)) return;
    }
  } finally {
    shelf.bells.delete(bell.ring);
    bell.dispose();
  }
}
