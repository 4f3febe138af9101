// Requests in the database: acceptance, the guarded changes of state, and the batch reads that loaders use.

import { type Kysely, sql } from 'kysely';
import type { Attempt } from '../domain/request.ts';
import { acceptIn } from './accept.ts';
import { requestOfKey } from './accept-rows.ts';
import { bookIn } from './book.ts';
import type { BudgetOwners } from './budget-owners.ts';
import { finishIn } from './finish.ts';
import { byId, uuidsIn } from './ids.ts';
import { keysetPage } from './keyset.ts';
import { prepared } from './prepared.ts';
import { matches } from './request-filter.ts';
import { type RequestRow, requestColumns, toAttempt, toModelRequest } from './request-rows.ts';
import { bodiesByIdsIn, promptsByIdsIn } from './request-texts.ts';
import type { Settlements } from './settle.ts';
import type { RequestFilter, RequestRepository } from './store.ts';
import type { Tables } from './tables.ts';
import { createSearches } from './text-search.ts';

const UNFINISHED = ['QUEUED', 'RUNNING'] as const;

export function requestsIn(
  db: Kysely<Tables>,
  { owners, settlements }: { readonly owners: BudgetOwners; readonly settlements: Settlements },
): RequestRepository {
  return {
    accept: acceptIn(db, owners),
    requestOfKey: use => requestOfKey(db, use),
    book: bookIn(db),
    finish: finishIn(db, settlements),

    async wishCancel(id) {
      const wished = await db
        .updateTable('requests')
        .set({
          cancel_wished_at: sql<Date>`coalesce(cancel_wished_at, now())`,
          // Nobody would find the wish for what is in nobody's hands.
          status: sql`case when owner is null then 'QUEUED' else status end`,
        })
        .where('id', '=', id)
        .where('status', 'in', UNFINISHED)
        .returning('id')
        .executeTakeFirst();
      return wished !== undefined;
    },

    ...readsByIds(db),
    ...listsIn(db),
  };
}

function readsByIds(db: Kysely<Tables>) {
  return {
    async byIds(ids) {
      const { rows } = await sql<RequestRow>`${prepared('requests_by_ids')}
        select ${requestColumns} from requests where id = any(${uuidsIn(ids)}::uuid[])`.execute(db);
      return byId(ids, rows, row => row.id, toModelRequest);
    },

    bodiesByIds: bodiesByIdsIn(db),
    promptsByIds: promptsByIdsIn(db),

    async attemptsByIds(requestIds) {
      const rows = await db
        .selectFrom('attempts')
        .selectAll()
        .where(sql<boolean>`request_id = any(${uuidsIn(requestIds)}::uuid[])`)
        .orderBy('request_id')
        .orderBy('epoch')
        .orderBy('number')
        .execute();
      const byRequest = Map.groupBy(rows, row => row.request_id);
      return requestIds.map((id): Attempt[] => (byRequest.get(id) ?? []).map(toAttempt));
    },
  } satisfies Partial<RequestRepository>;
}

function listsIn(db: Kysely<Tables>) {
  const inTurn = createSearches();
  const read = <Found>({ text }: RequestFilter, work: () => Promise<Found>) =>
    text === undefined ? work() : inTurn(work);
  return {
    async page(filter, query) {
      const page = await read(filter, () =>
        keysetPage(query, (condition, direction, limit) =>
          db
            .selectFrom('requests')
            .selectAll()
            .where(matches(filter))
            .where(condition)
            .orderBy('id', direction)
            .limit(limit)
            .execute(),
        ),
      );
      return { ...page, rows: page.rows.map(toModelRequest) };
    },

    async count(filter, atMost) {
      const counted = sql<{ count: number }>`
        select count(*)::integer as count
        from (select from requests where ${matches(filter)} limit ${atMost}) as counted`;
      const { rows } = await read(filter, () => counted.execute(db));
      return rows[0]?.count ?? 0;
    },
  } satisfies Partial<RequestRepository>;
}
