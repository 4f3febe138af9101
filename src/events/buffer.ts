// One request's events in memory, shared by all its followers. A follower is a position that is rung up, so a slow one
// costs nothing but its place. Long answers are compacted by joining old neighbouring tokens, ended ones by joining all.

import { comparePositions, isLast, type LoggedEvent, type Position } from '../domain/stream.ts';
import { OVER, Reader } from '../lib/reader.ts';
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
  /** What is behind the position, then what is pushed, until the last event, `end`, or its reader leaves. */
  follow(after: Position | undefined, signal?: AbortSignal): AsyncIterableIterator<LoggedEvent>;
}

/** Holds at most about `maxEvents` events apart; beyond it the older half is joined, at the end all. */
export function createEventBuffer(maxEvents: number): EventBuffer {
  return new Shelf(maxEvents);
}

class Shelf implements EventBuffer {
  readonly #maxEvents: number;
  /** Those who have read to the end once, and are told of more. Absent while there are none. */
  #waiting: Set<ShelfReader> | undefined;
  events: LoggedEvent[] = [];
  /** Grows when events are joined, so that followers look up their place anew. */
  compactions = 0;
  /** Nothing more will come. */
  ended = false;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  push(logged: LoggedEvent): void {
    this.events.push(logged);
    if (this.events.length > this.#maxEvents) this.#compact(this.events.length >> 1);
    this.#ring();
  }

  end(): void {
    this.ended = true;
    // It is kept for a while, and whoever comes now reads it joined in any case.
    this.#compact(this.events.length);
    this.#ring();
  }

  reopen(): void {
    this.ended = false;
  }

  reaches(after: Position | undefined): boolean {
    const [first] = this.events;
    if (!after || !first || after.epoch >= first.position.epoch) return true;
    return first.position.sequence === 1 && first.event.type === 'restarted' && !first.event.keepThrough;
  }

  isComplete(): boolean {
    const tail = this.events.at(-1);
    return tail !== undefined && isLast(tail.event);
  }

  read(after: Position | undefined): LoggedEvent[] {
    const read: LoggedEvent[] = [];
    for (let index = indexAfter(this.events, after); index < this.events.length; ) {
      const joined = joinFrom(this.events, index, this.events.length);
      read.push(cutBefore(joined.event, read.at(-1)?.position ?? after));
      index = joined.next;
    }
    return read;
  }

  follow(after: Position | undefined, signal?: AbortSignal): AsyncIterableIterator<LoggedEvent> {
    return new ShelfReader(this, after, signal);
  }

  await(reader: ShelfReader): void {
    this.#waiting ??= new Set();
    this.#waiting.add(reader);
  }

  leave(reader: ShelfReader): void {
    this.#waiting?.delete(reader);
    if (this.#waiting?.size === 0) this.#waiting = undefined;
  }

  #ring(): void {
    if (this.#waiting) for (const reader of this.#waiting) reader.ring();
  }

  /** Joins runs of tokens before the index; what is left stays readable from any cursor. */
  #compact(until: number): void {
    const older: LoggedEvent[] = [];
    for (let index = 0; index < until; ) {
      const joined = joinFrom(this.events, index, until);
      older.push(joined.event);
      index = joined.next;
    }
    this.events = [...older, ...this.events.slice(until)];
    this.compactions += 1;
  }
}

/** Joins what has come when it is asked for the next, so that a slow one gets few large events. */
class ShelfReader extends Reader<LoggedEvent> {
  readonly #shelf: Shelf;
  readonly #signal: AbortSignal | undefined;
  #last: Position | undefined;
  #index: number;
  #compactions: number;
  #isComplete = false;

  constructor(shelf: Shelf, after: Position | undefined, signal: AbortSignal | undefined) {
    super();
    this.#shelf = shelf;
    this.#signal = signal;
    this.#last = after;
    this.#compactions = shelf.compactions;
    this.#index = indexAfter(shelf.events, after);
    signal?.addEventListener('abort', this);
  }

  /** The signal aborts. */
  handleEvent(): void {
    void this.return();
  }

  protected read(): IteratorResult<LoggedEvent, undefined> | undefined {
    const shelf = this.#shelf;
    if (this.#isComplete || this.#signal?.aborted) return OVER;
    if (this.#compactions !== shelf.compactions) {
      this.#compactions = shelf.compactions;
      this.#index = indexAfter(shelf.events, this.#last);
    }
    while (this.#index < shelf.events.length) {
      const joined = joinFrom(shelf.events, this.#index, shelf.events.length);
      this.#index = joined.next;
      // Who comes from an instance that is ahead of this one has some of it already.
      if (this.#last && comparePositions(joined.event.position, this.#last) <= 0) continue;
      const value = cutBefore(joined.event, this.#last);
      this.#last = value.position;
      this.#isComplete = isLast(value.event);
      return { done: false, value };
    }
    if (shelf.ended || shelf.isComplete()) return OVER;
    shelf.await(this);
    return undefined;
  }

  protected leave(): void {
    this.#shelf.leave(this);
    this.#signal?.removeEventListener('abort', this);
  }
}
