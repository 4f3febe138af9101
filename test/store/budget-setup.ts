// Budgets and requests under them as the tests of the store write them, and what must be true of the books at any time.

import assert from 'node:assert/strict';
import { type Kysely, sql } from 'kysely';
import type { Budget, BudgetPeriod } from '../../src/domain/budget.ts';
import { newId } from '../../src/domain/ids.ts';
import type { NewRequest, Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { aRequest, aUser } from './samples.ts';

export async function createOwner(store: Store): Promise<string> {
  const user = aUser();
  await store.members.createUser(user, undefined);
  return user.id;
}

export async function createKey(store: Store, userId: string): Promise<string> {
  const id = newId();
  const unused = { scopes: undefined, expiresAt: undefined, lastUsedAt: undefined, revokedAt: undefined };
  await store.members.createApiKey(
    { id, userId, name: 'key', prefix: id, createdAt: new Date(), ...unused },
    'hash',
  );
  return id;
}

export interface Setting {
  readonly userId: string;
  readonly apiKeyId?: string;
  readonly period?: BudgetPeriod;
}

export async function setBudget(
  store: Store,
  { userId, apiKeyId, period = 'MONTH' }: Setting,
  limitNanoUsd: bigint,
): Promise<Budget> {
  const { budget } = await store.transaction(inside =>
    inside.budgets.set({ id: newId(), userId, apiKeyId, period, limitNanoUsd }),
  );
  return budget;
}

/** A request that may cost so much, or can do with less. */
export function aReserving(wanted: bigint, change: Partial<NewRequest> = {}, least = wanted): NewRequest {
  return aRequest({ reservation: { wantedNanoUsd: wanted, leastNanoUsd: least }, ...change });
}

/** Its spent, its reserved. */
export async function read(store: Store, { id }: Pick<Budget, 'id'>): Promise<readonly [bigint, bigint]> {
  const [budget] = await store.budgets.byIds([id]);
  return [budget!.spentNanoUsd, budget!.reservedNanoUsd];
}

/** As if so much time had passed for the budgets. */
export async function passTime(db: Kysely<Tables>, interval: string): Promise<void> {
  await sql`update budgets set period_start = period_start - ${interval}::interval`.execute(db);
}

/**
 * What is reserved of a budget is what unfinished requests hold of it, and, while its first period lasts, what is spent
 * is what the ledger has of those that are finished.
 */
export async function assertBooks(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<Record<'id' | 'reserved' | 'held' | 'spent' | 'cost', unknown>>`
    select budgets.id, reserved_nano_usd::text as reserved, spent_nano_usd::text as spent, (
      select coalesce(sum(requests.reserved_nano_usd), 0)::text from requests
      where budgets.id = any(budget_ids) and finished_at is null
    ) as held, (
      select coalesce(sum(coalesce(attempts.cost_nano_usd, attempts.reserved_nano_usd)), 0)::text
      from attempts join requests on requests.id = attempts.request_id
      where budgets.id = any(budget_ids) and finished_at is not null
    ) as cost
    from budgets`.execute(db);
  for (const { id, reserved, held, spent, cost } of rows)
    assert.deepEqual({ id, reserved, spent }, { id, reserved: held, spent: cost });
}
