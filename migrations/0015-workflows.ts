// Workflows: which request is a step of which, how far each step has come, and definitions that are kept to be run
// again. The steps are written under the epoch of the workflow's request, so that only its owner moves them on.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  'alter table requests add column parent_id uuid, add column step text',
  'create index requests_by_parent on requests (parent_id, id) where parent_id is not null',

  `create table workflows (
    request_id uuid primary key,
    spec jsonb not null,
    paused_at timestamptz,
    waiting boolean not null default false,
    created_at timestamptz not null default now()
  )`,
  // Item -1 is the step itself, the others are the elements of the list that it is run for.
  `create table workflow_steps (
    workflow_id uuid not null,
    step_id text not null,
    item integer not null,
    status text not null
      check (status in ('PENDING', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELLED')),
    request_id uuid,
    tries integer not null,
    input text,
    output text,
    error_code text,
    error_message text,
    error_retryable boolean,
    note text,
    not_before timestamptz,
    reused boolean not null,
    started_at timestamptz,
    finished_at timestamptz,
    decision text check (decision in ('APPROVED', 'REJECTED')),
    decided_by text,
    comment text,
    primary key (workflow_id, step_id, item)
  )`,
  `create table workflow_definitions (
    id uuid primary key,
    user_id uuid not null,
    name text not null,
    version integer not null,
    description text,
    spec jsonb not null,
    created_at timestamptz not null,
    unique (user_id, name, version)
  )`,
  'create index workflow_definitions_by_user on workflow_definitions (user_id, id desc)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
