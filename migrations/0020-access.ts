// Passwords that somebody else has chosen, whose users have to replace them before they may do anything else.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  'alter table users add column must_change_password boolean not null default false',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
