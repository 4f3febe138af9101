// What administrators set for one user or one API key in place of the limits of the settings. Null: the settings hold;
// 0: no limit.

import { type Kysely, sql } from 'kysely';

const TABLES = ['users', 'api_keys'];
const COLUMNS = ['requests_per_minute', 'tokens_per_minute', 'concurrent_requests'];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) {
    const columns = COLUMNS.map(column => `add column ${column} integer check (${column} >= 0)`);
    await sql.raw(`alter table ${table} ${columns.join(', ')}`).execute(db);
  }
}
