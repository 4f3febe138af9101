// Which servers are alive, and what their circuit breakers did.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  // One row per run of a process. No index on beat_at and room on the page: a heartbeat then touches no index.
  `create table instances (
    id text primary key,
    version text not null,
    started_at timestamptz not null default now(),
    beat_at timestamptz not null default now(),
    dead_at timestamptz
  ) with (fillfactor = 50)`,
  `create table breaker_transitions (
    id uuid primary key,
    deployment_id text not null,
    from_state text not null check (from_state in ('CLOSED', 'OPEN', 'HALF_OPEN')),
    to_state text not null check (to_state in ('CLOSED', 'OPEN', 'HALF_OPEN')),
    at timestamptz not null,
    cause text not null check (cause in ('automatic', 'manual')),
    detail text
  )`,
  'create index breaker_transitions_by_deployment on breaker_transitions (deployment_id, at desc, id desc)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
