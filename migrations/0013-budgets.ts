// Money budgets of users and API keys. A request that falls under some holds its reservation in its own row, so that
// the statement that ends it gives the reservation back: a crash in between leaves neither without the other.

import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  // `api_key_ids`: the key it was set for and those that have replaced it since; null: all that the user does. What is
  // spent counts from `period_start` on, and is nothing once a later period has begun. Half of each page stays free: the
  // row changes with every request under it.
  `create table budgets (
    id uuid primary key,
    user_id uuid not null,
    api_key_ids uuid[],
    period text not null check (period in ('DAY', 'WEEK', 'MONTH', 'TOTAL')),
    limit_nano_usd bigint not null check (limit_nano_usd >= 0),
    spent_nano_usd bigint not null default 0,
    reserved_nano_usd bigint not null default 0,
    period_start timestamptz not null,
    created_at timestamptz not null,
    version bigint not null
  ) with (fillfactor = 50)`,
  'create unique index budgets_by_owner on budgets (user_id, (api_key_ids[1]), period) nulls not distinct',
  'create index budgets_by_version on budgets (version)',
  // Whose budgets there are is known to every instance as of a version; an insert that comes with an old one does nothing.
  `create table budget_changes (
    only_one boolean primary key default true check (only_one),
    version bigint not null,
    removals bigint not null
  )`,
  'alter table requests add column reserved_nano_usd bigint, add column budget_ids uuid[]',
  // Of an attempt whose instance died: what was reserved for it, since nobody knows what it cost.
  'alter table attempts add column reserved_nano_usd bigint',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
