// People and programs, how they prove who they are, and the record of what they did.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `create table users (
    id uuid primary key,
    username text not null unique,
    role text not null check (role in ('ADMIN', 'USER', 'SERVICE')),
    disabled boolean not null,
    password_hash text,
    token_version integer not null,
    created_at timestamptz not null
  )`,
  `create table sessions (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
  )`,
  'create index sessions_by_user on sessions (user_id, expires_at)',
  `create table api_keys (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    name text not null,
    prefix text not null unique,
    secret_hash text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
  )`,
  'create index api_keys_by_user on api_keys (user_id, id desc)',
  // At most one link is valid, so at most one row exists.
  `create table setup_tokens (
    only_one boolean primary key default true check (only_one),
    hash text not null,
    expires_at timestamptz not null
  )`,
  // The actor is text without a reference: what somebody did is remembered longer than the somebody.
  `create table audit_events (
    id uuid primary key,
    at timestamptz not null,
    actor_id text,
    actor_name text,
    action text not null,
    subject text,
    reason text,
    data jsonb
  )`,
  'create index audit_events_by_action on audit_events (action, id desc)',
  'create index audit_events_by_actor on audit_events (actor_id, id desc)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
