// The chain of the audit log: each entry's hash covers the entry and the hash before it. What was changed, removed or
// put in between afterwards shows, unless all that follows was written anew, which shows against a head noted elsewhere.

import { createHash } from 'node:crypto';
import type { AuditEvent } from './audit.ts';

/** A place in the chain. */
export interface ChainLink {
  /** 1, 2, … without gaps; 0: before the first entry. */
  readonly sequence: number;
  /** SHA-256 in hexadecimal digits. */
  readonly hash: string;
}

export interface ChainedAuditEvent extends AuditEvent, ChainLink {}

/** The link before the first entry. */
export const CHAIN_START: ChainLink = { sequence: 0, hash: '0'.repeat(64) };

/** The link of the next entry. Its texts must be as they are stored; times have milliseconds. */
export function nextLink(previous: ChainLink, event: AuditEvent): ChainLink {
  const sequence = previous.sequence + 1;
  const said = [
    previous.hash,
    sequence,
    event.id,
    event.at.toISOString(),
    event.actorId ?? null,
    event.actorName ?? null,
    event.action,
    event.subject ?? null,
    event.reason ?? null,
    event.data ?? null,
  ];
  return {
    sequence,
    hash: createHash('sha256')
      .update(JSON.stringify(sorted(said)))
      .digest('hex'),
  };
}

/** JSON in one form only: a database keeps the fields of an object in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map(name => [name, sorted((value as Record<string, unknown>)[name])]));
}

export interface Verification {
  /** Entries that were looked at. */
  readonly entries: number;
  /** The last good link. */
  readonly head: ChainLink;
  /** What is wrong, in a sentence; undefined: the chain holds. */
  readonly defect: string | undefined;
}

function isOther(known: ChainLink | undefined, link: ChainLink): boolean {
  return known?.sequence === link.sequence && known.hash !== link.hash;
}

interface VerifyOptions {
  /** In the order of their sequence, from the first one on. */
  readonly entries: AsyncIterable<ChainedAuditEvent>;
  /** Where the chain ends according to the store, read before the entries are. */
  readonly storedHead: ChainLink | undefined;
  /** A link that was noted elsewhere: it must be part of the chain. */
  readonly anchor?: ChainLink | undefined;
}

/** Recomputes every link. Stops at the first defect. */
export async function verifyChain({ entries, storedHead, anchor }: VerifyOptions): Promise<Verification> {
  let head = CHAIN_START;
  const found = (defect: string | undefined): Verification => ({ entries: head.sequence, head, defect });
  for await (const entry of entries) {
    const link = nextLink(head, entry);
    if (entry.sequence !== link.sequence)
      return found(`Entry ${link.sequence} is missing: ${entry.sequence} follows ${head.sequence}.`);
    if (entry.hash !== link.hash)
      return found(
        `Entry ${link.sequence} (evt ${entry.id}) does not fit its hash: it was changed, or put there later.`,
      );
    if (isOther(anchor, link))
      return found(`Entry ${link.sequence} is not the one whose hash was noted: the log was written anew.`);
    if (isOther(storedHead, link))
      return found(`Entry ${link.sequence} is not the one that the chain ended at.`);
    head = link;
  }
  if (!storedHead) return found('Where the chain should end is not known any more.');
  // There may be more by now: it was read before the entries were.
  const expected = Math.max(storedHead.sequence, anchor?.sequence ?? 0);
  if (head.sequence < expected)
    return found(`The log ends at entry ${head.sequence}, and should go on to ${expected}.`);
  return found(undefined);
}
