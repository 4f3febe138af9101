// Pages by key instead of by offset: ids order by time, so a page is "the rows older than this id". Rows that come
// in during a walk are neither doubled nor pushed out, and a cursor whose row is gone still has its place.

import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Page, PageQuery } from './store.ts';

/** Newest first, as pages show rows, or oldest first, to find the end of a window. */
export type Direction = 'desc' | 'asc';
/** Reads at most `limit` rows whose id meets the condition, in the direction given. */
export type ReadRows<Row> = (
  condition: RawBuilder<SqlBool>,
  direction: Direction,
  limit: number,
) => Promise<Row[]>;

const DEFAULT_PAGE_SIZE = 20;

/** `hasNextPage` and `hasPreviousPage` are exact on both sides of the page, not only in its direction. */
export async function keysetPage<Row extends { readonly id: string }>(
  query: PageQuery,
  read: ReadRows<Row>,
): Promise<Page<Row>> {
  const { after, before } = query;
  const forward = query.first !== undefined || query.last === undefined;
  const size = (forward ? query.first : query.last) ?? DEFAULT_PAGE_SIZE;
  const window = sql<SqlBool>`${after === undefined ? sql`true` : id('<', after)}
    and ${before === undefined ? sql`true` : id('>', before)}`;
  const exists = async (condition: RawBuilder<SqlBool>) => (await read(condition, 'desc', 1)).length > 0;

  // One row more than asked for tells whether the window goes on.
  const found = await read(window, forward ? 'desc' : 'asc', size + 1);
  const rows = found.slice(0, size);
  if (!forward) rows.reverse();
  const newest = rows[0];
  const oldest = rows.at(-1);
  if (newest && oldest) {
    const more = found.length > size;
    return {
      rows,
      hasPreviousPage:
        (!forward && more) ||
        ((after !== undefined || before !== undefined) && (await exists(id('>', newest.id)))),
      hasNextPage:
        (forward && more) ||
        ((after !== undefined || before !== undefined) && (await exists(id('<', oldest.id)))),
    };
  }
  // An empty page has a place too: right after `after`, or right before `before`.
  const [newerSide, olderSide] = forward
    ? after === undefined
      ? [undefined, sql<SqlBool>`true`]
      : [id('>=', after), id('<', after)]
    : before === undefined
      ? [sql<SqlBool>`true`, undefined]
      : [id('>', before), id('<=', before)];
  return {
    rows,
    hasPreviousPage: newerSide !== undefined && (await exists(newerSide)),
    hasNextPage: olderSide !== undefined && (await exists(olderSide)),
  };
}

function id(operator: '<' | '<=' | '>' | '>=', value: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`id ${sql.raw(operator)} ${value}::uuid`;
}
