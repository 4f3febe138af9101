// How a request's events lie in Redis: a stream of entries with the id `epoch-sequence`, and beside it a head that
// holds, joined, all that came before the stream's first entries. Three scripts write and read it, each as a whole.
// Also the fence: Redis itself refuses whoever does not write right behind the entry it believes to be the last.

import type { LoggedEvent, Position, StreamEvent } from '../domain/stream.ts';
import { type Command, calling, script } from './redis-connection.ts';

/** Of a request that goes on; each write begins it anew. */
const TTL_SECONDS = 3_600;
/** Of a request whose last event is written. */
const ENDED_TTL_SECONDS = 600;
const PAGE = 100;

/** An event as it is stored; `first` is where its joined text begins. Without an event: a mark, see `placing`. */
export interface Entry {
  readonly first: number;
  readonly position: Position;
  readonly event?: StreamEvent;
}

/** Braces keep a request's keys together where a cluster spreads them. The stream's key is its channel as well. */
export function streamKey(requestId: string): string {
  return `mcplane:{${requestId}}:events`;
}

function headKey(requestId: string): string {
  return `mcplane:{${requestId}}:head`;
}

/** The id of a position. Ids of one request grow as its positions do. */
export function idOf({ epoch, sequence }: Position): string {
  return `${epoch}-${sequence}`;
}

/**
 * Writes behind the entry `previous` only. Otherwise nothing is written and the id of the last entry is returned,
 * `0-0` when there is none. In a script and not in MULTI: there a refused XADD would still be published.
 */
const APPEND = script(`
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = top and top[1] or '0-0'
if last ~= ARGV[2] then return last end
redis.call('XADD', KEYS[1], ARGV[1], 'm', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', KEYS[1], ARGV[3])
return ARGV[1]`);

/**
 * Takes the stream for an epoch, and with a head replaces all that is in it up to the id. Returns the id, or that of
 * the last entry when it is of a later epoch; then nothing is written.
 */
const PLACE = script(`
local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = top and top[1] or '0-0'
local lastEpoch, lastSequence = string.match(last, '(%d+)-(%d+)')
local epoch, sequence = string.match(ARGV[1], '(%d+)-(%d+)')
lastEpoch, lastSequence, epoch, sequence = tonumber(lastEpoch), tonumber(lastSequence), tonumber(epoch), tonumber(sequence)
if lastEpoch > epoch then return last end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[2], 'id', ARGV[1], 'events', ARGV[4]) end
if lastEpoch < epoch or lastSequence < sequence then redis.call('XADD', KEYS[1], ARGV[1], 'm', ARGV[2]) end
if ARGV[4] ~= '' then redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('PUBLISH', KEYS[1], ARGV[2])
return ARGV[1]`);

/** A page behind the id; with the head when the id lies before it. */
const READ = script(`
local after, head = ARGV[1], false
local through = redis.call('HGET', KEYS[2], 'id')
if through then
  local epoch, sequence = string.match(after, '(%d+)-(%d+)')
  local headEpoch, headSequence = string.match(through, '(%d+)-(%d+)')
  epoch, sequence, headEpoch, headSequence = tonumber(epoch), tonumber(sequence), tonumber(headEpoch), tonumber(headSequence)
  if epoch < headEpoch or (epoch == headEpoch and sequence < headSequence) then
    head = redis.call('HGET', KEYS[2], 'events')
    after = through
  end
end
local entries = redis.call('XRANGE', KEYS[1], '(' .. after, '+', 'COUNT', ARGV[2])
return { redis.call('EXISTS', KEYS[1]), head, entries }`);

export const SCRIPTS = [APPEND, PLACE, READ];

/** Appends the entry behind the one at `previous`. */
export function appending(requestId: string, previous: Position, entry: Entry): Command {
  const ended = entry.event?.type === 'completed' || entry.event?.type === 'failed';
  return calling(
    APPEND,
    [streamKey(requestId), headKey(requestId)],
    [idOf(entry.position), idOf(previous), encode(entry), ended ? ENDED_TTL_SECONDS : TTL_SECONDS],
  );
}

/**
 * Claims the stream for the position's epoch. With `events`, all there are up to the position, it is whole again
 * whatever it held. Leaves a mark in the stream: an entry without an event, whose readers look at the head.
 */
export function placing(requestId: string, position: Position, events?: readonly LoggedEvent[]): Command {
  const ended = events?.at(-1)?.event.type;
  const ttl = ended === 'completed' || ended === 'failed' ? ENDED_TTL_SECONDS : TTL_SECONDS;
  return calling(
    PLACE,
    [streamKey(requestId), headKey(requestId)],
    [
      idOf(position),
      encode({ first: position.sequence, position }),
      ttl,
      events ? JSON.stringify(events) : '',
    ],
  );
}

/** Removes all there is of the request. */
export function dropping(requestId: string): Command {
  return ['del', streamKey(requestId), headKey(requestId)];
}

/** What `reading` found. */
export interface Page {
  /** Whether Redis holds anything of the request. */
  readonly found: boolean;
  /** All events up to the first entry; given only to a reader that is not past it. */
  readonly head: readonly LoggedEvent[] | undefined;
  readonly entries: readonly Entry[];
  readonly more: boolean;
}

export function reading(requestId: string, after: Position | undefined): Command {
  const id = after ? idOf(after) : '0-0';
  return calling(READ, [streamKey(requestId), headKey(requestId)], [id, PAGE]);
}

/** Undefined when something else than ours lies there. */
export function toPage(reply: unknown): Page | undefined {
  const [found, head, fields] = reply as [number, string | null, [id: string, fields: [string, string]][]];
  const entries = fields.map(([, [, text]]) => decode(text));
  const events = head ? parse(head) : undefined;
  if (!entries.every(entry => entry !== undefined) || (head && !Array.isArray(events))) return undefined;
  return {
    found: found === 1,
    head: events as LoggedEvent[] | undefined,
    entries,
    more: fields.length === PAGE,
  };
}

/** Short names: an entry is a few tokens long. */
function encode({ first, position: { epoch, sequence, offset }, event }: Entry): string {
  return JSON.stringify({ f: first, e: epoch, s: sequence, o: offset, v: event });
}

/** The entry of a message; undefined when it is none. */
export function decode(text: string): Entry | undefined {
  const { f, e, s, o, v } = Object(parse(text));
  if (![f, e, s, o].every(Number.isInteger)) return undefined;
  return { first: f, position: { epoch: e, sequence: s, offset: o }, ...(v ? { event: v } : {}) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
