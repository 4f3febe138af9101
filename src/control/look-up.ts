// What the store says of credentials, kept so shortly that a change made by another instance counts within two seconds even
// unannounced.

import { LRUCache } from 'lru-cache';
import type { User } from '../domain/member.ts';
import type { Clock } from '../lib/clock.ts';

const MAX_AGE_MS = 2_000;
const MAX_CACHED = 10_000;

interface LookUpEntry<T> {
  readonly startedMs: number;
  readonly found: Promise<T | undefined>;
  /** Known once it is read. */
  userId?: string;
}

/** Reads kept for MAX_AGE_MS; callers at the same moment share one. What is not found is not kept. */
export function createLookUp<T extends { user: User }>(
  clock: Clock,
  read: (key: string) => Promise<T | undefined>,
) {
  const entries = new LRUCache<string, LookUpEntry<T>>({ max: MAX_CACHED });
  return {
    find(key: string): Promise<T | undefined> {
      const known = entries.get(key);
      if (known && clock.monotonic() - known.startedMs < MAX_AGE_MS) return known.found;
      const entry: LookUpEntry<T> = { startedMs: clock.monotonic(), found: read(key) };
      entries.set(key, entry);
      const drop = () => {
        if (entries.peek(key) === entry) entries.delete(key);
      };
      entry.found.then(result => {
        if (result) entry.userId = result.user.id;
        else drop();
      }, drop);
      return entry.found;
    },
    forget(userId: string | undefined): void {
      // An entry that is still being read may be anybody's, and may show the state before the change.
      for (const [key, entry] of [...entries.entries()]) {
        if (userId === undefined || entry.userId === undefined || entry.userId === userId)
          entries.delete(key);
      }
    },
  };
}
