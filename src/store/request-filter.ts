// The conditions of a RequestFilter as SQL over `requests`, one place for lists, counts and metrics.

import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { RequestFilter } from './store.ts';
import { containsText } from './text-search.ts';

export function matches(filter: RequestFilter): RawBuilder<SqlBool> {
  const conditions = [sql`true`];
  const add = (value: unknown, condition: () => RawBuilder<unknown>) => {
    if (value !== undefined) conditions.push(condition());
  };
  add(filter.userId, () => sql`requests.user_id = ${filter.userId}::uuid`);
  add(filter.parentId, () =>
    filter.parentId === null
      ? sql`requests.parent_id is null`
      : sql`requests.parent_id = ${filter.parentId}::uuid`,
  );
  add(filter.status, () => sql`requests.status = any(${filter.status}::text[])`);
  add(filter.taskType, () => sql`requests.task_type = any(${filter.taskType}::text[])`);
  add(filter.providerId, () => sql`requests.provider_id = any(${filter.providerId}::text[])`);
  add(
    filter.model,
    () => sql`(requests.requested_model = any(${filter.model}::text[])
      or requests.served_model = any(${filter.model}::text[])
      or requests.deployment_id = any(${filter.model}::text[]))`,
  );
  add(filter.createdFrom, () => sql`requests.created_at >= ${filter.createdFrom}::timestamptz`);
  add(filter.createdTo, () => sql`requests.created_at < ${filter.createdTo}::timestamptz`);
  const met = sql<SqlBool>`${sql.join(conditions, sql` and `)}`;
  return filter.text === undefined ? met : sql<SqlBool>`${met} and ${containsText(filter.text, met)}`;
}
