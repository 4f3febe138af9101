// Reservations under budgets: of each request the most that it can cost is put aside before it is accepted, and more
// while it runs when another call has to be made. The budgets are locked first, and then decided about here: of all who
// come at once, to whatever instance, exactly as many get something as there is room for.

import { type Kysely, sql } from 'kysely';
import type { Budget } from '../domain/budget.ts';
import {
  acceptedWith,
  explainRefusals,
  type Holding,
  insertHolding,
  isKeyed,
  type NewRow,
} from './accept-rows.ts';
import { createRoom, type Room } from './budget-room.ts';
import { lockBudgets } from './budget-rows.ts';
import { uuidsIn } from './ids.ts';
import type { AcceptResult } from './store.ts';
import type { Tables } from './tables.ts';
import { inTransaction } from './transaction.ts';

/** A running request that holds a reservation. */
export interface ReservedRequest {
  readonly id: string;
  readonly epoch: number;
}

export type Extension =
  /** With all that the request holds now. */
  | { readonly outcome: 'extended'; readonly reservedNanoUsd: bigint }
  /** This budget has no room for it. */
  | { readonly outcome: 'refused'; readonly budget: Budget }
  /** The request does not run at this epoch any more. */
  | { readonly outcome: 'gone' };

type Results = Map<NewRow, AcceptResult | Error>;

/** Accepts those that fit, in their order; they and what is reserved for them are durable together. */
export function acceptHolding(
  db: Kysely<Tables>,
  rows: readonly NewRow[],
): Promise<(AcceptResult | Error)[]> {
  return inTransaction(db, async inside => {
    const room = createRoom(await lockBudgets(inside, isOverSomeOf(rows)));
    const results: Results = new Map();
    // Who comes again under a key takes nothing, and keeps nobody from what is left.
    await recognise(inside, rows.filter(isKeyed), results);
    await insertFitting(inside, { rows, room, results });
    // What was accepted before, and is sent again after an unclear end, may find no room a second time.
    await recognise(
      inside,
      rows.filter(row => !results.has(row)),
      results,
    );
    for (const row of rows) if (!results.has(row)) results.set(row, room.refusalOf(row.value));
    await writeTaken(inside, room);
    return rows.map(row => results.get(row)!);
  });
}

/** Without result stay those for which there is no room. */
async function insertFitting(
  db: Kysely<Tables>,
  { rows, room, results }: { rows: readonly NewRow[]; room: Room; results: Results },
): Promise<void> {
  for (let refused: readonly NewRow[] = rows; refused.length > 0; ) {
    const fitting: { readonly row: NewRow; readonly holding: Holding | undefined }[] = [];
    for (const row of rows) {
      const taken = results.has(row) ? 'refused' : room.take(row.value);
      if (taken !== 'refused') fitting.push({ row, holding: taken.holding });
    }
    if (fitting.length === 0) return;
    const places = await insertHolding(
      db,
      fitting.map(({ row }) => row),
      fitting.map(({ holding }) => holding),
    );
    const missed = fitting.filter((_, index) => places.has(index + 1));
    for (const { holding } of missed) room.giveBack(holding);
    refused = missed.map(({ row }) => row);
    for (const { row, holding } of fitting)
      if (!refused.includes(row)) results.set(row, acceptedWith(holding?.reservedNanoUsd));
    // What they would have taken may be enough for others: once more.
    await recognise(db, refused, results);
    for (const row of refused)
      if (!results.has(row))
        results.set(row, new Error(`The request ${row.value.id} could neither be inserted nor found`));
  }
}

/** What exists already keeps its first answer. */
async function recognise(db: Kysely<Tables>, rows: readonly NewRow[], results: Results): Promise<void> {
  for (const [index, known] of (await explainRefusals(db, rows)).entries())
    if (known) results.set(rows[index]!, known);
}

/** For a running request. Its row is locked before the budgets, as where it ends. */
export function extendIn(db: Kysely<Tables>) {
  return ({ id, epoch }: ReservedRequest, byNanoUsd: bigint): Promise<Extension> =>
    inTransaction(db, async inside => {
      const { rows } = await sql<HoldingRow>`
        select reserved_nano_usd, budget_ids from requests
        where id = ${id}::uuid and epoch = ${epoch} and status = 'RUNNING' and budget_ids is not null
        for update`.execute(inside);
      const [row] = rows;
      if (!row) return { outcome: 'gone' };
      const room = createRoom(await lockBudgets(inside, sql`id = any(${row.budget_ids}::uuid[])`));
      const full = room.takeOfAll(byNanoUsd);
      if (full) return { outcome: 'refused', budget: full };
      const reservedNanoUsd = BigInt(row.reserved_nano_usd) + byNanoUsd;
      await sql`
        update requests set reserved_nano_usd = ${reservedNanoUsd}::bigint where id = ${id}::uuid`.execute(
        inside,
      );
      await writeTaken(inside, room);
      return { outcome: 'extended', reservedNanoUsd };
    });
}

interface HoldingRow {
  readonly reserved_nano_usd: bigint | number | string;
  readonly budget_ids: string[];
}

function isOverSomeOf(rows: readonly NewRow[]) {
  const users = [...new Set(rows.map(({ value }) => value.userId))];
  const keys = [...new Set(rows.flatMap(({ value }) => value.apiKeyId ?? []))];
  return sql`user_id = any(${uuidsIn(users)}::uuid[])
    and (api_key_ids is null or api_key_ids && ${uuidsIn(keys)}::uuid[])`;
}

async function writeTaken(db: Kysely<Tables>, room: Room): Promise<void> {
  const taken = room.taken();
  if (taken.length === 0) return;
  await sql`
    update budgets set reserved_nano_usd = reserved_nano_usd + taken.amount
    from unnest(${taken.map(({ id }) => id)}::uuid[], ${taken.map(({ nanoUsd }) => String(nanoUsd))}::bigint[])
      as taken (id, amount)
    where budgets.id = taken.id`.execute(db);
}
