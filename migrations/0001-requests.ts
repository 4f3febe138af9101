// Model requests and what hangs on them. The row that changes is narrow and lists read only it; prompts, answers
// and routing decisions lie beside it. Postgres 15 SQL, which embedded PGlite understands too.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `create table requests (
    id uuid primary key,
    user_id uuid not null,
    api_key_id uuid,
    status text not null check (status in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    task_type text not null check (task_type in ('CHAT', 'CODE', 'TRANSFORM', 'WORKFLOW')),
    priority smallint not null check (priority between 0 and 100),
    prefer_local boolean not null,
    strategy text not null,
    requested_model text,
    owner text,
    epoch integer not null,
    cancel_wished_at timestamptz,
    created_at timestamptz not null,
    started_at timestamptz,
    first_token_at timestamptz,
    finished_at timestamptz,
    deployment_id text,
    provider_id text,
    served_model text,
    finish_reason text,
    error_code text,
    error_message text,
    error_retryable boolean,
    error_retry_after_ms double precision,
    input_tokens bigint,
    cached_input_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    usage_estimated boolean,
    cost_nano_usd bigint,
    overhead_ms double precision,
    attempt_count integer not null default 0,
    last_sequence bigint,
    constraint requests_finished check ((finished_at is not null) = (status in ('SUCCEEDED', 'FAILED', 'CANCELLED')))
  )`,
  // The primary key serves the history of everybody, newest first; this one that of one user.
  'create index requests_by_user on requests (user_id, id desc)',
  'create index requests_by_time on requests (created_at)',
  `create index requests_unfinished on requests (owner) where status in ('QUEUED', 'RUNNING')`,

  `create table request_bodies (
    request_id uuid primary key,
    spec jsonb not null,
    prompt text not null
  )`,
  `create table request_results (
    request_id uuid primary key,
    output text,
    routing jsonb
  )`,

  // Append only: one row per provider call, with who pays for it. This is the usage ledger.
  `create table attempts (
    id uuid primary key,
    request_id uuid not null,
    user_id uuid not null,
    api_key_id uuid,
    epoch integer not null,
    number integer not null,
    deployment_id text not null,
    provider_id text not null,
    model text not null,
    outcome text not null check (outcome in ('SUCCEEDED', 'FAILED', 'CANCELLED')),
    error_code text,
    error_message text,
    error_retryable boolean,
    error_retry_after_ms double precision,
    provider_response_id text,
    served_model text,
    finish_reason text,
    input_tokens bigint,
    cached_input_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    usage_estimated boolean,
    cost_nano_usd bigint,
    price_source text,
    started_at timestamptz not null,
    time_to_first_token_ms double precision,
    duration_ms double precision not null,
    created_at timestamptz not null default now()
  )`,
  'create index attempts_by_request on attempts (request_id, epoch, number)',
  'create index attempts_by_user on attempts (user_id, id desc)',

  `create table idempotency_keys (
    user_id uuid not null,
    key text not null,
    input_hash text not null,
    request_id uuid not null,
    expires_at timestamptz not null,
    primary key (user_id, key)
  )`,
  'create index idempotency_keys_by_expiry on idempotency_keys (expires_at)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
