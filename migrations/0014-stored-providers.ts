// Providers that administrators make through the API, and their keys apart from them: encrypted, and the first thing to
// leave out of a copy of the database. The version of a key counts on when there was none for a while.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `create table stored_providers (
    id text primary key,
    kind text not null,
    base_url text,
    settings jsonb not null,
    revision uuid not null,
    key_version integer not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create table provider_keys (
    provider_id text primary key references stored_providers (id) on delete cascade,
    version integer not null,
    master_key_id text not null,
    data_key text not null,
    ciphertext text not null,
    created_at timestamptz not null default now()
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
