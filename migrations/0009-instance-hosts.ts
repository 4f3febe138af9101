// Where an instance runs, so that operators can find the one that hangs. Null for those of earlier versions.

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table instances add column hostname text, add column pid integer').execute(db);
}
