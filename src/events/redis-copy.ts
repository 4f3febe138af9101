// One request's copy in Redis, as its writer knows it: a cursor into the local log and a state,
//   unclaimed → whole ⇄ broken → (ended | fenced).
// Broken means that Redis does not hold what the cursor says, because it lost the log or because the answer to a write
// was lost: the next write replaces the copy as a whole. The same is done now and then to keep the stream short.

import { isLast, type LoggedEvent, type Position } from '../domain/stream.ts';
import type { Command } from './redis-connection.ts';
import { appending, type Entry, idOf, placing } from './redis-entries.ts';

export interface Copy {
  readonly requestId: string;
  readonly epoch: number;
  /** Up to here Redis has it, as far as is known. */
  cursor: Position;
  state: 'unclaimed' | 'whole' | 'broken';
  /** Entries since the whole was written. */
  entries: number;
  /** Nothing more will be appended. */
  released: boolean;
}

/** Broken from the start when Redis may lack events of an earlier epoch that are in the local log and nowhere else. */
export function createCopy(requestId: string, epoch: number, broken: boolean): Copy {
  const cursor = { epoch, sequence: 0, offset: 0 };
  return { requestId, epoch, cursor, state: broken ? 'broken' : 'unclaimed', entries: 0, released: false };
}

/** What brings a copy up to date. */
export interface Update {
  readonly copy: Copy;
  /** Replaces what Redis holds, instead of adding to it. */
  readonly rewrites: boolean;
  readonly commands: readonly Command[];
  /** Where the copy's cursor is after each command. */
  readonly cursors: readonly Position[];
  readonly last: LoggedEvent | undefined;
}

/** What Redis lacks of the request; undefined when it lacks nothing. `read` gives the local events behind a position. */
export function updateOf(
  copy: Copy,
  maxEntries: number,
  read: (after: Position | undefined) => readonly LoggedEvent[],
): Update | undefined {
  const { requestId, epoch, state, cursor } = copy;
  const rewrites = state === 'broken' || copy.entries >= maxEntries;
  const events = read(rewrites ? undefined : cursor);
  const last = events.at(-1);
  if (rewrites) {
    const through = last?.position.epoch === epoch ? last.position : cursor;
    return { copy, rewrites, commands: [placing(requestId, through, events)], cursors: [through], last };
  }
  const commands: Command[] = [];
  const cursors: Position[] = [];
  if (state === 'unclaimed') {
    commands.push(placing(requestId, cursor));
    cursors.push(cursor);
  }
  let previous = cursor;
  for (const { position, event } of events) {
    const entry: Entry = { first: previous.sequence + 1, position, event };
    commands.push(appending(requestId, previous, entry));
    cursors.push(position);
    previous = position;
  }
  return commands.length === 0 ? undefined : { copy, rewrites, commands, cursors, last };
}

/** How an update ended: `fenced`: a later epoch owns the request; `broken`: it has to be written anew. */
export type UpdateResult = 'written' | 'ended' | 'broken' | 'fenced' | 'failed';

/** Moves the copy's cursor as far as Redis confirmed. */
export function settle(
  { copy, commands, cursors, rewrites, last }: Update,
  replies: unknown[],
): UpdateResult {
  for (const index of commands.keys()) {
    const cursor = cursors[index]!;
    const reply = replies[index];
    if (reply instanceof Error) return 'failed';
    if (reply !== idOf(cursor)) {
      copy.state = 'broken';
      return Number(String(reply).split('-')[0]) > copy.epoch ? 'fenced' : 'broken';
    }
    copy.cursor = cursor;
    copy.entries = rewrites ? 0 : copy.entries + 1;
    copy.state = 'whole';
  }
  return last && isLast(last.event) ? 'ended' : 'written';
}
