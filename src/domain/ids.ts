// Identifiers. Inside, an id is a UUIDv7 string: it sorts by time, so it orders history too. At the edge it
// carries a prefix that names its kind (`req_…`), so that `node(id:)` knows where to look.

import { randomFillSync } from 'node:crypto';

export const ID_PREFIXES = {
  request: 'req',
  attempt: 'att',
  user: 'usr',
  apiKey: 'key',
  session: 'ses',
  auditEvent: 'evt',
  workflowDefinition: 'wfd',
  budget: 'bud',
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

const ID_BYTES = 16;
/** Random bytes are drawn for many ids at once: a draw costs the same for one and for all of these. */
const pool = Buffer.alloc(ID_BYTES * 256);
let drawn = pool.length;
let lastMs = 0;
let sequence = 0;

/** A new UUIDv7. Ids made by one process are strictly increasing (RFC 9562, method 1: a counter in rand_a). */
export function newId(nowMs: number = Date.now()): string {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  const random = pool.subarray(drawn, drawn + ID_BYTES);
  drawn += ID_BYTES;
  if (nowMs > lastMs) {
    lastMs = nowMs;
    sequence = ((random[0]! & 0x07) << 8) | random[1]!;
  } else if (++sequence > 0xfff) {
    lastMs += 1;
    sequence = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const counter = sequence.toString(16).padStart(3, '0');
  const variant = ((random[8]! & 0x3f) | 0x80).toString(16);
  const tail = random.toString('hex', 9);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`;
}

/** The id as clients see it: `req_` and 32 hexadecimal digits. */
export function toGlobalId(kind: IdKind, id: string): string {
  return `${ID_PREFIXES[kind]}_${id.replaceAll('-', '')}`;
}

const GLOBAL_ID = /^([a-z]{3})_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/** What a client's id means, or undefined when it has not the form of any of our ids. */
export function fromGlobalId(globalId: string): { kind: IdKind; id: string } | undefined {
  const match = GLOBAL_ID.exec(globalId);
  if (!match) return undefined;
  const [, prefix, ...parts] = match;
  const kind = (Object.keys(ID_PREFIXES) as IdKind[]).find(name => ID_PREFIXES[name] === prefix);
  return kind && { kind, id: parts.join('-') };
}

/** The inner id of a client's id of one kind, or undefined. */
export function idOf(kind: IdKind, globalId: string): string | undefined {
  const found = fromGlobalId(globalId);
  return found?.kind === kind ? found.id : undefined;
}
