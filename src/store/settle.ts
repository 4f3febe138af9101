// The end of a reservation: the statement that ends a request gives back to its budgets what it held of them, and books
// what the ledger says that it cost. Since every request comes to exactly one such statement, nothing is held for ever.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import { presentSpent, presentStart } from './budget-rows.ts';
import type { Tables } from './tables.ts';

/** What requests that have just ended took of one budget. */
export interface Spending {
  readonly budgetId: string;
  readonly limitNanoUsd: bigint;
  /** In the present period. Two who end at the same time are told one after the other: no step is told twice. */
  readonly spentBeforeNanoUsd: bigint;
  readonly spentNanoUsd: bigint;
}

export type SpendingListener = (spending: Spending) => void;

export interface Settlements {
  listen(listener: SpendingListener): void;
  /** `settled` as a statement has returned it. */
  tell(settled: SettledJson): void;
}

/** Amounts as text: JSON has no whole numbers of this size. */
export type SettledJson =
  | readonly {
      readonly id: string;
      readonly limit: string;
      readonly spent: string;
      readonly added: string;
    }[]
  | null;

/** No provider's nonsense may make the end of a request fail: sums stop here. */
const MAX_NANO_USD = sql`9223372036854775807`;
const AT = sql`held.at`;

/**
 * Common table expressions, the last one named `settled`. `ended` has the rows of requests that were ended, with
 * `budget_ids`, `reserved_nano_usd`, and in `spent` what they cost. Budgets are locked in the order of their ids, since
 * everybody who locks several does so.
 */
export function settling(ended: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    due as (
      select budget_id, sum(reserved_nano_usd) as released, sum(spent) as spent
      from (${ended}) as ended, unnest(budget_ids) as budget_id
      group by budget_id
    ),
    held as (
      select budgets.id, clock_timestamp() as at
      from budgets join due on due.budget_id = budgets.id 
      order by budgets.id for update of budgets
    ),
    settled as (
      update budgets set
        reserved_nano_usd = greatest(0, budgets.reserved_nano_usd - due.released),
        spent_nano_usd = least(${MAX_NANO_USD}, ${presentSpent(AT)} + due.spent),
        period_start = ${presentStart(AT)}
      from held join due on due.budget_id = held.id
      where budgets.id = held.id
      returning budgets.id, limit_nano_usd, spent_nano_usd, due.spent as added
    )`;
}

/** For the list of a select behind `settling`. */
export const settledJson: RawBuilder<SettledJson> = sql`(
  select jsonb_agg(jsonb_build_object(
    'id', id, 'limit', limit_nano_usd::text, 'spent', spent_nano_usd::text, 'added', added::text
  )) from settled
)`;

/** What attempts of the ledger cost: one that is LOST, what was reserved for it, and one without a price, nothing. */
export function ledgerCost(ofThose: RawBuilder<unknown>): RawBuilder<bigint> {
  return sql`(
    select coalesce(sum(coalesce(attempts.cost_nano_usd, attempts.reserved_nano_usd)), 0)
    from attempts where ${ofThose}
  )`;
}

/** The same for requests that were ended by another statement of this transaction. */
export async function settleEnded(
  db: Kysely<Tables>,
  ids: readonly string[],
  settlements: Settlements,
): Promise<void> {
  if (ids.length === 0) return;
  const ended = sql`
    select budget_ids, reserved_nano_usd, ${ledgerCost(sql`attempts.request_id = requests.id`)} as spent
    from requests where id = any(${ids}::uuid[]) and budget_ids is not null`;
  const { rows } = await sql<{ settled: SettledJson }>`
    with ${settling(ended)} select ${settledJson} as settled`.execute(db);
  settlements.tell(rows[0]?.settled ?? null);
}

export function createSettlements(): Settlements {
  const listeners: SpendingListener[] = [];
  return {
    listen: listener => void listeners.push(listener),
    tell(settled) {
      for (const { id, limit, spent, added } of settled ?? []) {
        const spentNanoUsd = BigInt(spent);
        const spending = {
          budgetId: id,
          limitNanoUsd: BigInt(limit),
          spentBeforeNanoUsd: spentNanoUsd - BigInt(added),
          spentNanoUsd,
        };
        for (const listener of listeners) listener(spending);
      }
    },
  };
}
