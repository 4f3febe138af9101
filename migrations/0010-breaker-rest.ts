// For how long a breaker is open: it doubles each time, so a restart cannot tell it from the rules. Rows of before have
// none, and are taken for the shortest.

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table breaker_transitions add column retry_at timestamptz').execute(db);
}
