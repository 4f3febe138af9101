// What administrators did to breakers is asked for at every heartbeat, among ever more of what breakers did themselves.

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`create index breaker_transitions_manual on breaker_transitions (deployment_id, at desc, id desc)
      where cause = 'manual'`)
    .execute(db);
}
