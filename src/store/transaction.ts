// Statements that belong together.

import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** In the transaction that there is, or in one of its own. */
export function inTransaction<Result>(
  db: Kysely<Tables>,
  work: (db: Kysely<Tables>) => Promise<Result>,
): Promise<Result> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

/**
 * For the rest of a transaction that looks for a few rows among many that have left an index. A plain scan of an index
 * marks the entries of those that are gone, and the next one passes them over; one that makes a bitmap first, which
 * the planner likes better, reads them all anew each time, until the table is vacuumed.
 */
export async function preferPlainIndexScans(db: Kysely<Tables>): Promise<void> {
  await sql`set local enable_bitmapscan = off`.execute(db);
}
