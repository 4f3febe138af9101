// Passwords that somebody else has chosen, whose users have to replace them before they may do anything else; and the audit
// log by what was done to something, and by when.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  'alter table users add column must_change_password boolean not null default false',
  'create index audit_events_by_time on audit_events (at, id desc)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
