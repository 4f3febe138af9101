// The history of circuit breakers. Their present state lives in each instance's memory, not here.

import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import type { BreakerTransition } from '../domain/breaker.ts';
import type { BreakerRepository } from './store.ts';
import type { BreakerTransitionsTable, Tables } from './tables.ts';

export function breakersIn(db: Kysely<Tables>): BreakerRepository {
  /** Each deployment's newest ones, read through the index however long the histories are. */
  async function historyOf(deploymentIds: readonly string[], since: Date, limit: number) {
    const { rows } = await sql<Selectable<BreakerTransitionsTable>>`
      select newest.* from (select distinct id from unnest(${deploymentIds}::text[]) as asked (id)) as deployment
      cross join lateral (
        select * from breaker_transitions
        where deployment_id = deployment.id and at >= ${since}::timestamptz
        order by at desc, id desc limit ${limit}::integer
      ) as newest
      order by newest.at desc, newest.id desc`.execute(db);
    const byDeployment = Map.groupBy(rows, row => row.deployment_id);
    return deploymentIds.map(id => (byDeployment.get(id) ?? []).map(toTransition));
  }

  return {
    async append(transition) {
      await db
        .insertInto('breaker_transitions')
        .values({
          id: transition.id,
          deployment_id: transition.deploymentId,
          from_state: transition.from,
          to_state: transition.to,
          at: transition.at,
          cause: transition.cause,
          detail: transition.detail ?? null,
          retry_at: transition.retryAt ?? null,
        })
        .execute();
    },
    history: async (deploymentId, since, limit) => (await historyOf([deploymentId], since, limit))[0] ?? [],
    historyOf,
    latest: () => latestOf(db.selectFrom('breaker_transitions')),
    latestManual: () => latestOf(db.selectFrom('breaker_transitions').where('cause', '=', 'manual')),
  };
}

/** In the order of the indexes. */
async function latestOf(transitions: SelectQueryBuilder<Tables, 'breaker_transitions', object>) {
  const rows = await transitions
    .selectAll()
    .distinctOn('deployment_id')
    .orderBy('deployment_id')
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.map(toTransition);
}

function toTransition(row: Selectable<BreakerTransitionsTable>): BreakerTransition {
  return {
    id: row.id,
    deploymentId: row.deployment_id,
    from: row.from_state,
    to: row.to_state,
    at: row.at,
    cause: row.cause,
    retryAt: row.retry_at ?? undefined,
    detail: row.detail ?? undefined,
  };
}
