// Rows of budgets as they stand now. A period that has passed is not ended by anybody: whoever reads or writes a row
// compares its beginning with that of the present one, on the database's clock, and never goes back.

import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import type { Budget } from '../domain/budget.ts';
import type { BudgetsTable, Tables } from './tables.ts';

export type BudgetRow = Omit<Selectable<BudgetsTable>, 'version'>;

const NOW = sql<Date>`clock_timestamp()`;

/** When the period began that it is at a moment; `otherwise` for one that never begins anew. */
export function periodBeginning(
  period: RawBuilder<unknown>,
  otherwise: RawBuilder<unknown>,
  at: RawBuilder<unknown> = NOW,
): RawBuilder<Date> {
  return sql`case ${period}
    when 'DAY' then date_trunc('day', ${at}, 'UTC')
    when 'WEEK' then date_trunc('week', ${at}, 'UTC')
    when 'MONTH' then date_trunc('month', ${at}, 'UTC')
    else ${otherwise} end`;
}

const beginning = (at: RawBuilder<unknown>) =>
  periodBeginning(sql`budgets.period`, sql`budgets.period_start`, at);

/** What is asked at one moment in one statement fits together only with the same `at`. */
export function presentStart(at: RawBuilder<unknown> = NOW): RawBuilder<Date> {
  return sql`greatest(budgets.period_start, ${beginning(at)})`;
}

export function presentSpent(at: RawBuilder<unknown> = NOW): RawBuilder<bigint> {
  return sql`case when budgets.period_start < ${beginning(at)} then 0 else budgets.spent_nano_usd end`;
}

/** For the list of a select, or after `returning`. */
export const budgetColumns: RawBuilder<BudgetRow> = sql`budgets.id, budgets.user_id, budgets.api_key_ids,
  budgets.period, budgets.limit_nano_usd, ${presentSpent()} as spent_nano_usd, budgets.reserved_nano_usd,
  ${presentStart()} as period_start, budgets.created_at`;

export function toBudget(row: BudgetRow): Budget {
  return {
    id: row.id,
    userId: row.user_id,
    apiKeyIds: row.api_key_ids ?? undefined,
    period: row.period,
    limitNanoUsd: BigInt(row.limit_nano_usd),
    spentNanoUsd: BigInt(row.spent_nano_usd),
    reservedNanoUsd: BigInt(row.reserved_nano_usd),
    periodStart: row.period_start,
    createdAt: row.created_at,
  };
}

/**
 * Those that meet the condition, locked until the transaction ends: whoever asks next waits, and sees what came of it.
 * All lock in the order of the ids, so that nobody waits for each other in a circle.
 */
export async function lockBudgets(
  db: Kysely<Tables>,
  condition: RawBuilder<unknown>,
): Promise<readonly Budget[]> {
  const { rows } = await sql<BudgetRow>`
    select ${budgetColumns} from budgets where ${condition} order by id for update`.execute(db);
  return rows.map(toBudget);
}
