// SEAM 2: an append-only log per request that any number of subscribers follow, each at its own pace.
// A log, not a pipe: the writer never waits for a reader, and a reader that comes back reads on where it was.

import type { LoggedEvent, Position, StreamEvent } from '../domain/stream.ts';

export interface LogWriter {
  /** Numbers the event, keeps it and wakes the followers. Never waits, never throws for a reader's sake. */
  append(event: StreamEvent): LoggedEvent;
  /** Number of the last event appended; 0 at first. */
  sequence(): number;
}

export interface EventLog {
  /** Starts a request's log at an epoch. The writer is the only one; a later epoch ends the right of earlier ones. */
  open(requestId: string, epoch: number): LogWriter;
  /**
   * What follows `after` (absent: everything), then what is appended, until the last event or the release. Leaving the
   * iteration, or an abort, ends it at once, also while an event is waited for.
   * A follower that fell behind gets neighbouring tokens joined into one event with the later position.
   * Undefined when the log holds nothing of this request, or no longer reaches back to `after`: read the store.
   */
  follow(
    requestId: string,
    after: Position | undefined,
    signal?: AbortSignal,
  ): AsyncIterableIterator<LoggedEvent> | undefined;
  /**
   * Whether this process holds all that follows `after`, the last event included. False of a request that has ended:
   * the store tells it at once, while `follow` may have to ask elsewhere first.
   */
  holdsRest(requestId: string, after: Position | undefined): boolean;
  /**
   * Nothing more will be appended, whether there was a last event or somebody else owns the request now: followers
   * that have read to the end are let go, and the log may be dropped after its grace time.
   */
  release(requestId: string): void;
  /** Drops what is held of requests that have ended, here and where instances share it. Never waits, never throws. */
  forget(requestIds: readonly string[]): void;
  close(): Promise<void>;
}
