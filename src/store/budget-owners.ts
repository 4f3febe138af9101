// Who falls under a budget, as this process knows it: so that whoever does not pays nothing for those who do. What is
// known is as of a version, which the acceptance compares with the database's (accept.ts): a budget that another
// instance has made counts here with the next request.

import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

export interface Caller {
  readonly userId: string;
  /** Of the key that it came with. */
  readonly apiKeyId: string | undefined;
}

export interface BudgetOwners {
  concern(caller: Caller): boolean;
  /** As of which everything is known; the database begins with 0. */
  readonly version: bigint;
  /** Looks for what has been made or removed since. */
  refresh(): Promise<void>;
}

interface ChangesRow {
  readonly version: bigint | number | string;
  readonly removals: bigint | number | string;
  readonly owners: readonly string[] | null;
}

export function createBudgetOwners(db: Kysely<Tables>): BudgetOwners {
  let ids = new Set<string>();
  let version = 0n;
  let removals = 0n;

  /** What was made after a version, and the version that this is the state of: one statement, hence one moment. */
  async function read(after: bigint): Promise<ChangesRow> {
    const { rows } = await sql<ChangesRow>`
      select coalesce(version, 0) as version, coalesce(removals, 0) as removals, (
        select array_agg(distinct owner)
        from budgets, unnest(coalesce(api_key_ids, array[user_id])) as owner
        where budgets.version > ${after}::bigint
      ) as owners
      from (select) as always left join budget_changes on true`.execute(db);
    return rows[0]!;
  }

  return {
    concern: ({ userId, apiKeyId }) => ids.has(userId) || (apiKeyId !== undefined && ids.has(apiKeyId)),
    get version() {
      return version;
    },
    async refresh() {
      let found = await read(version);
      // What is gone is not told apart; it happens seldom, and then all is read again.
      const isWhole = BigInt(found.removals) !== removals;
      if (isWhole) found = await read(0n);
      // At once: of two who look at the same time the slower one may set an older version, but never one without its ids.
      if (isWhole) ids = new Set(found.owners);
      else for (const id of found.owners ?? []) ids.add(id);
      version = BigInt(found.version);
      removals = BigInt(found.removals);
    },
  };
}

/** To be called where budgets are made or removed; the version of what is made. Others wait for the transaction's end. */
export async function noteChange(db: Kysely<Tables>, { removed }: { removed: boolean }): Promise<bigint> {
  const { rows } = await sql<{ version: bigint | number | string }>`
    insert into budget_changes as changes (version, removals) values (1, ${removed ? 1 : 0})
    on conflict (only_one) do update
      set version = changes.version + 1, removals = changes.removals + excluded.removals
    returning version`.execute(db);
  return BigInt(rows[0]!.version);
}
