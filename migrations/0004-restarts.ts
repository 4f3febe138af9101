// Where an answer was begun again, so that a cursor from before is not taken for a place in the text after it.

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table requests add column restart_sequence bigint').execute(db);
}
