// Workflows in which only people can act are in nobody's hands: their requests are RUNNING without an owner. What people
// do to a run is counted, so that whoever has it in hand, or is about to leave it, notices; a deadline wakes it.
// Definitions that an administrator shares are everybody's to read and run.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `alter table workflows
    drop column waiting,
    add column acts integer not null default 0,
    add column wake_at timestamptz`,
  'create index workflows_to_wake on workflows (wake_at) where wake_at is not null',
  'alter table workflow_definitions add column shared boolean not null default false',
  'create index workflow_definitions_shared on workflow_definitions (name) where shared',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
