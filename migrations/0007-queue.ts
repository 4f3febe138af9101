// Requests wait in their own rows: one that is QUEUED belongs to nobody, and any instance with room takes it.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  // How often an instance died with the request in hand: one that kills every instance must not be run for ever.
  'alter table requests add column deaths smallint not null default 0',
  // The order of the queue, lowest first: a second of waiting weighs as much as a point of priority, so that nothing
  // starves. Of what is constant for a row, hence an index: two rows keep their order however long both have waited.
  `create index requests_queue on requests ((extract(epoch from created_at at time zone 'UTC') - priority), id)
    where status = 'QUEUED'`,
  // An attempt whose instance died during it: that it was made is known, what came of it is not.
  'alter table attempts drop constraint attempts_outcome_check',
  `alter table attempts add constraint attempts_outcome_check
    check (outcome in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'LOST'))`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
