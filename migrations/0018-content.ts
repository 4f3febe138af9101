// What was said in a request can be deleted while its row stays: when its time has come, by its owner, or with its user,
// who stays as a row without a name. Also finds the entries of the audit log that are about a user.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  'alter table requests add column content_deleted_at timestamptz',
  'alter table users add column deleted_at timestamptz, add column content_deleted_at timestamptz',
  // Deleted users of whose requests something may be left.
  'create index users_leaving on users (id) where deleted_at is not null and content_deleted_at is null',
  'create index audit_events_by_subject on audit_events (subject, id desc)',
  `create index audit_events_by_user on audit_events ((data ->> 'userId'), id desc)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
