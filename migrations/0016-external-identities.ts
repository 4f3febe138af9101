// Whom the subjects of an identity provider are here. A user of that name who was here before is never one of them.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `create table external_identities (
    issuer text not null,
    subject text not null,
    user_id uuid not null unique references users on delete cascade,
    role text not null check (role in ('ADMIN', 'USER', 'SERVICE')),
    issued_at timestamptz not null,
    created_at timestamptz not null default now(),
    primary key (issuer, subject)
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
