// Looking for text in prompts and answers. No index helps there, so that what one search reads is bounded, and searches
// of one process wait for each other: they would take the database from all others.

import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { DomainError } from '../domain/errors.ts';

/** Requests that a search looks at: the newest that meet the other conditions. */
export const SEARCHED_REQUESTS = 1_000;
/** Of each prompt and each answer, from its beginning. */
export const SEARCHED_CHARACTERS = 4_000;
const MAX_WAITING = 20;

export function containsText(text: string, others: RawBuilder<SqlBool>): RawBuilder<SqlBool> {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  const last = SEARCHED_REQUESTS - 1;
  const contains = (column: 'prompt' | 'output') =>
    sql`left(${sql.ref(column)}, ${sql.lit(SEARCHED_CHARACTERS)}) ilike ${pattern}`;
  return sql<SqlBool>`requests.id >= coalesce(
      (select id from requests where ${others} order by id desc offset ${sql.lit(last)} limit 1),
      '00000000-0000-0000-0000-000000000000'::uuid)
    and (exists (select from request_bodies where request_id = requests.id and ${contains('prompt')})
      or exists (select from request_results where request_id = requests.id and ${contains('output')}))`;
}

/** Runs one search after the other; OVERLOADED when too many wait. */
export function createSearches(): <Found>(search: () => Promise<Found>) => Promise<Found> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async search => {
    if (waiting >= MAX_WAITING)
      throw new DomainError('OVERLOADED', 'Too many searches for text wait. Try again.', {
        retryAfterMs: 1_000,
      });
    waiting += 1;
    const found = last.then(search);
    last = found
      .catch(() => {})
      .then(() => {
        waiting -= 1;
      });
    return found;
  };
}
