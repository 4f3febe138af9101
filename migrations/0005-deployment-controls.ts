// What administrators decided about deployments. No reference to a catalog: that one is made from the configuration
// and the providers' lists, and a deployment that is away for a while comes back as it was left.

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`create table deployment_controls (
      deployment_id text primary key,
      drained boolean not null,
      reason text not null,
      actor_id text not null,
      at timestamptz not null
    )`)
    .execute(db);
}
