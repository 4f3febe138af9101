// The acceptance of requests: rows, bodies and idempotency keys in one statement, so that they are durable together,
// and those that come at the same time in one statement too. It may be sent again after an unclear end: what exists
// already is recognised, not doubled. Requests under budgets go their own way (reserve.ts), and nobody waits for them.

import { type Kysely, sql } from 'kysely';
import { encode, explainRefusals, insert, isKeyed, type NewRow } from './accept-rows.ts';
import { type BudgetOwners, createBudgetOwners } from './budget-owners.ts';
import { groupCommit } from './group-commit.ts';
import { acceptHolding } from './reserve.ts';
import type { AcceptResult, NewRequest } from './store.ts';
import type { Tables } from './tables.ts';

/** Expired keys are removed once for so many new ones, twice as many: the table never holds more than a day's for long. */
const KEYS_PER_PURGE = 100;
/** A key that was met may expire or be removed before it is read; then it is free and the insert is tried again. */
const TRIES = 5;

/** Resolves with `accepted` once the request is durable. */
export function acceptIn(
  db: Kysely<Tables>,
  owners: BudgetOwners = createBudgetOwners(db),
): (request: NewRequest) => Promise<AcceptResult> {
  // In a transaction it would keep its locks until the end, and others waiting for them.
  let newKeys = db.isTransaction ? Number.NEGATIVE_INFINITY : KEYS_PER_PURGE;

  const writing = (write: (rows: readonly NewRow[]) => Promise<(AcceptResult | Error)[]>) =>
    groupCommit(encode, async (rows: readonly NewRow[]) => {
      const results = await write(rows);
      newKeys += rows.filter(isKeyed).length;
      if (newKeys >= KEYS_PER_PURGE && rows.some(isKeyed)) {
        // An expired key that is still there is taken over as if it were not, so nobody has to know of a failure.
        await purgeKeys(db, newKeys * 2).catch(() => {});
        newKeys = 0;
      }
      return results;
    });
  const free = writing(rows => acceptAll(db, rows, owners));
  const holding = writing(rows => acceptHolding(db, rows));
  return request => (request.reservation ? holding(request) : free(request));
}

async function acceptAll(
  db: Kysely<Tables>,
  rows: readonly NewRow[],
  owners: BudgetOwners,
): Promise<(AcceptResult | Error)[]> {
  const others = new Map<NewRow, AcceptResult | Error>();
  let open = rows;
  for (let tries = 1; tries <= TRIES && open.length > 0; ) {
    for (const row of open) if (owners.concern(row.value)) others.set(row, { outcome: 'budgeted' });
    if (others.size > 0) open = open.filter(row => !others.has(row));
    if (open.length === 0) break;
    const { version } = owners;
    const refused = await insert(db, open, version);
    open = open.filter((_, index) => refused.has(index + 1));
    if (open.length === 0) break;
    // Perhaps nothing was inserted, because somebody has a budget now.
    await owners.refresh();
    if (owners.version !== version) continue;
    tries += 1;
    for (const [index, known] of (await explainRefusals(db, open)).entries())
      if (known) others.set(open[index]!, known);
    open = open.filter(row => !others.has(row));
  }
  for (const row of open)
    others.set(row, new Error(`The request ${row.value.id} could neither be inserted nor found`));
  return rows.map(row => others.get(row) ?? { outcome: 'accepted' });
}

/** A statement of its own: it waits for no lock, and locks nothing that a request waits for. */
async function purgeKeys(db: Kysely<Tables>, atMost: number): Promise<void> {
  await sql`
    delete from idempotency_keys where (user_id, key) in (
      select user_id, key from idempotency_keys where expires_at < now()
      order by expires_at limit ${atMost}::bigint for update skip locked
    )`.execute(db);
}
