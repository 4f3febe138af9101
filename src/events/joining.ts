// Rules of positions in a log: neighbouring tokens may be joined into one event with the later position, and because
// positions carry text offsets, a cursor into joined text still finds its place.

import {
  comparePositions,
  type LoggedEvent,
  MAX_PIECE_LENGTH,
  type Position,
  type StreamEvent,
} from '../domain/stream.ts';

/** The event at `index`, and when it is a token the tokens of the same step and epoch right behind it, as one. */
export function joinFrom(
  events: readonly LoggedEvent[],
  index: number,
  end: number,
): { event: LoggedEvent; next: number } {
  const first = events[index]!;
  if (first.event.type !== 'token') return { event: first, next: index + 1 };
  const { step } = first.event;
  const texts: string[] = [];
  let next = index;
  let length = 0;
  let position = first.position;
  for (; next < end && length < MAX_PIECE_LENGTH; next += 1) {
    const { event, position: at } = events[next]!;
    if (event.type !== 'token' || event.step !== step || at.epoch !== first.position.epoch) break;
    texts.push(event.text);
    length += event.text.length;
    position = at;
  }
  if (texts.length === 1) return { event: first, next };
  const event: StreamEvent = { type: 'token', text: texts.join(''), ...(step === undefined ? {} : { step }) };
  return { event: { position, event }, next };
}

/** Index of the first event behind the position. */
export function indexAfter(events: readonly LoggedEvent[], after: Position | undefined): number {
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
export function cutBefore(logged: LoggedEvent, after: Position | undefined): LoggedEvent {
  const { event, position } = logged;
  if (!after || event.type !== 'token' || after.epoch !== position.epoch) return logged;
  const surplus = after.offset - (position.offset - event.text.length);
  return surplus > 0 ? { position, event: { ...event, text: event.text.slice(surplus) } } : logged;
}
