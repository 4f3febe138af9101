// What a subscriber of a request's stream sees, and the cursors that let it come back.

import { crc32 } from 'node:zlib';
import type { RequestError } from './request.ts';

/** An event as it is appended to the log. The last one is `completed` or `failed`, and there is exactly one of them. */
export type StreamEvent =
  | { readonly type: 'attempt-started'; readonly attempt: number; readonly deploymentId: string }
  | { readonly type: 'token'; readonly text: string; readonly step?: string }
  /**
   * Text after the cursor `keepThrough` (absent: all text) is void; the answer starts again. With a step, only the text
   * of that step is meant.
   */
  | {
      readonly type: 'restarted';
      readonly attempt: number;
      readonly reason: string;
      readonly keepThrough?: Position;
      readonly step?: string;
    }
  /** A step of a workflow has come further; how far, the store knows. */
  | { readonly type: 'step-updated'; readonly step: string }
  | { readonly type: 'completed' }
  | { readonly type: 'failed'; readonly error: RequestError };

/**
 * Text that is joined, or told again, is no longer than this and one token: whoever has an event of many streams in hand
 * holds no more of each.
 */
export const MAX_PIECE_LENGTH = 65_536;

/** The place of an event in its request's log. */
export interface Position {
  /** Generation of ownership: grows when another instance takes the request over. */
  readonly epoch: number;
  /** 1, 2, … without gaps within the epoch. */
  readonly sequence: number;
  /** UTF-16 length of the answer's text up to and including this event. */
  readonly offset: number;
}

export interface LoggedEvent {
  readonly position: Position;
  readonly event: StreamEvent;
}

export function isLast(event: StreamEvent): boolean {
  return event.type === 'completed' || event.type === 'failed';
}

/** Orders positions of one request. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.sequence - b.sequence;
}

/** An opaque cursor, bound to its request: a cursor of another request, or a damaged one, does not parse. */
export function formatCursor(requestId: string, position: Position): string {
  const text = `${position.epoch}.${position.sequence}.${position.offset}`;
  return Buffer.from(`${text}.${checksum(requestId, text)}`).toString('base64url');
}

/** The position a cursor stands for, or undefined when it is not a cursor of this request. */
export function parseCursor(requestId: string, cursor: string): Position | undefined {
  if (cursor.length > 200 || !/^[A-Za-z0-9_-]+$/.test(cursor)) return undefined;
  const decoded = Buffer.from(cursor, 'base64url');
  if (decoded.toString('base64url') !== cursor) return undefined;
  const match = /^(\d{1,9})\.(\d{1,15})\.(\d{1,15})\.([0-9a-f]{8})$/.exec(decoded.toString('latin1'));
  if (!match) return undefined;
  const [, epoch, sequence, offset, sum] = match;
  if (checksum(requestId, `${epoch}.${sequence}.${offset}`) !== sum) return undefined;
  return { epoch: Number(epoch), sequence: Number(sequence), offset: Number(offset) };
}

/** Tells damage and mix-ups, of which a cursor is full; it keeps no secret. */
function checksum(requestId: string, text: string): string {
  return crc32(`${requestId}\0${text}`).toString(16).padStart(8, '0');
}
