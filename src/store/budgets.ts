// Budgets: setting and removing them, and reading them as they stand now. Also the contract of all that is done with
// them; reservations are made in reserve.ts, and turned into what was spent in settle.ts.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Budget, BudgetPeriod } from '../domain/budget.ts';
import { type BudgetOwners, type Caller, noteChange } from './budget-owners.ts';
import { type BudgetRow, budgetColumns, lockBudgets, periodBeginning, toBudget } from './budget-rows.ts';
import { byId, isUuid, uuidsIn } from './ids.ts';
import { keysetPage } from './keyset.ts';
import { type Extension, extendIn, type ReservedRequest } from './reserve.ts';
import type { Settlements, SpendingListener } from './settle.ts';
import type { Page, PageQuery } from './store.ts';
import type { Tables } from './tables.ts';

export type { Spending } from './settle.ts';

export interface NewBudget {
  /** Of one that is made now. */
  readonly id: string;
  readonly userId: string;
  /** Of one that bounds what comes with a key; undefined: all that the user does. */
  readonly apiKeyId: string | undefined;
  readonly period: BudgetPeriod;
  readonly limitNanoUsd: bigint;
}

export interface BudgetRepository {
  /**
   * Makes the owner's budget for the period, or gives the one there is another limit: what is spent and reserved of it
   * stays. `limitBefore` is undefined for a new one. In a transaction.
   */
  set(budget: NewBudget): Promise<{ budget: Budget; limitBefore: bigint | undefined }>;
  /** Undefined: there is none. Requests that hold something of it go on as they are. In a transaction. */
  remove(id: string): Promise<Budget | undefined>;
  /** What bounds the one key bounds, from now on, both together. In a transaction. */
  share(keys: { readonly userId: string; readonly apiKeyId: string; readonly with: string }): Promise<void>;
  byIds(ids: readonly string[]): Promise<(Budget | undefined)[]>;
  /** Those over all that a user does, without those of single keys. */
  ofUsers(userIds: readonly string[]): Promise<Budget[][]>;
  ofApiKeys(apiKeyIds: readonly string[]): Promise<Budget[][]>;
  /** Newest first. */
  page(query: PageQuery): Promise<Page<Budget>>;
  /**
   * Does the caller fall under a budget, as far as this process knows without asking? The acceptance contradicts a
   * `false` that is out of date; a `true` that is, lasts until the next `refresh`.
   */
  concern(caller: Caller): boolean;
  /** Looks for budgets that were made or removed, also elsewhere. */
  refresh(): Promise<void>;
  /** Reserves so much more for a running request, of all the budgets of which it holds something, or of none. */
  extend(request: ReservedRequest, byNanoUsd: bigint): Promise<Extension>;
  /** Calls back once for each budget of which requests that have ended spent something. Must not throw. */
  onSpending(listener: SpendingListener): void;
}

export function budgetsIn(
  db: Kysely<Tables>,
  { owners, settlements }: { readonly owners: BudgetOwners; readonly settlements: Settlements },
): BudgetRepository {
  return {
    ...writesIn(db),
    ...readsIn(db),
    concern: owners.concern,
    refresh: owners.refresh,
    extend: extendIn(db),
    onSpending: settlements.listen,
  };
}

function writesIn(db: Kysely<Tables>) {
  return {
    async set({ id, userId, apiKeyId, period, limitNanoUsd }) {
      // Of two who set the same one at once, the second finds it. Nobody waits for a user who has locked a budget.
      await sql`select from users where id = ${userId}::uuid for update`.execute(db);
      const ofOwner = apiKeyId === undefined ? sql`api_key_ids is null` : isOver(apiKeyId);
      const [known] = await lockBudgets(
        db,
        sql`user_id = ${userId}::uuid and ${ofOwner} and period = ${period}`,
      );
      if (known) {
        await db
          .updateTable('budgets')
          .set({ limit_nano_usd: limitNanoUsd })
          .where('id', '=', known.id)
          .execute();
        return { budget: { ...known, limitNanoUsd }, limitBefore: known.limitNanoUsd };
      }
      const version = await noteChange(db, { removed: false });
      const now = sql<Date>`clock_timestamp()`;
      const { rows } = await sql<BudgetRow>`
        insert into budgets (id, user_id, api_key_ids, period, limit_nano_usd, period_start, created_at, version)
        values (${id}, ${userId}, ${apiKeyId === undefined ? null : [apiKeyId]}::uuid[], ${period},
          ${limitNanoUsd}::bigint, ${periodBeginning(sql`${period}::text`, now)}, ${now}, ${version}::bigint)
        returning ${budgetColumns}`.execute(db);
      return { budget: toBudget(rows[0]!), limitBefore: undefined };
    },

    async remove(id) {
      if (!isUuid(id)) return undefined;
      const { rows } = await sql<BudgetRow>`
        delete from budgets where id = ${id}::uuid returning ${budgetColumns}`.execute(db);
      if (rows[0]) await noteChange(db, { removed: true });
      return rows[0] && toBudget(rows[0]);
    },

    async share({ userId, apiKeyId, with: other }) {
      const shared = await lockBudgets(db, sql`user_id = ${userId}::uuid and ${isOver(apiKeyId)}`);
      if (shared.length === 0) return;
      const version = await noteChange(db, { removed: false });
      await sql`
        update budgets set api_key_ids = api_key_ids || ${other}::uuid, version = ${version}::bigint
        where id = any(${shared.map(({ id }) => id)}::uuid[])`.execute(db);
    },
  } satisfies Partial<BudgetRepository>;
}

function isOver(apiKeyId: string): RawBuilder<boolean> {
  return sql`api_key_ids @> array[${apiKeyId}::uuid]`;
}

function readsIn(db: Kysely<Tables>) {
  const read = async (condition: RawBuilder<unknown>) => {
    const { rows } = await sql<BudgetRow>`
      select ${budgetColumns} from budgets where ${condition} order by id`.execute(db);
    return rows;
  };
  return {
    async byIds(ids) {
      return byId(ids, await read(sql`id = any(${uuidsIn(ids)}::uuid[])`), row => row.id, toBudget);
    },

    async ofUsers(userIds) {
      const rows = await read(sql`user_id = any(${uuidsIn(userIds)}::uuid[]) and api_key_ids is null`);
      const byUser = Map.groupBy(rows, row => row.user_id);
      return userIds.map(id => (byUser.get(id) ?? []).map(toBudget));
    },

    async ofApiKeys(apiKeyIds) {
      const keys = uuidsIn(apiKeyIds);
      const rows = await read(sql`api_key_ids && ${keys}::uuid[]
        and user_id in (select user_id from api_keys where id = any(${keys}::uuid[]))`);
      return apiKeyIds.map(id => rows.filter(row => row.api_key_ids!.includes(id)).map(toBudget));
    },

    async page(query) {
      const page = await keysetPage(query, async (condition, direction, limit) => {
        const { rows } = await sql<BudgetRow>`
          select ${budgetColumns} from budgets where ${condition}
          order by id ${sql.raw(direction)} limit ${limit}`.execute(db);
        return rows;
      });
      return { ...page, rows: page.rows.map(toBudget) };
    },
  } satisfies Partial<BudgetRepository>;
}
