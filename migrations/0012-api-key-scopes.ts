// What an API key is for. Keys that exist are for everything, which is null.

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table api_keys add column scopes text[] check (
    cardinality(scopes) > 0 and scopes <@ array['SUBMIT', 'READ', 'MANAGE', 'METRICS', 'ADMIN']
  )`.execute(db);
}
