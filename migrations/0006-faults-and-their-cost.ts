// Why an attempt did not succeed, more finely than its code says, and what the attempts without an answer cost. What
// was finished before has no fault, and its costs are in the ledger.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  'alter table attempts add column fault text',
  'alter table requests add column failed_attempts_cost_nano_usd bigint',
  `update requests set failed_attempts_cost_nano_usd = (
    select case when count(*) = count(cost_nano_usd) then coalesce(sum(cost_nano_usd), 0)::bigint end
    from attempts where request_id = requests.id and outcome <> 'SUCCEEDED'
  ) where finished_at is not null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
