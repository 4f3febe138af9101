// Which servers are alive. Times are compared on the database's clock alone: the clocks of two servers differ.

import { type Kysely, type Selectable, type SqlBool, sql } from 'kysely';
import type { InstanceRepository } from './store.ts';
import type { InstancesTable, Tables } from './tables.ts';

/** Rows of dead instances older than this serve nobody. */
const FORGOTTEN_AFTER = sql.lit('7 days');

export function instancesIn(db: Kysely<Tables>): InstanceRepository {
  return {
    // A known id is left as it is: one that was declared dead must not rise again, its requests are taken.
    async register(id, version, host) {
      await db
        .with('forgotten', query =>
          query
            .deleteFrom('instances')
            .where('dead_at', '<', sql<Date>`now() - cast(${FORGOTTEN_AFTER} as interval)`)
            .where(sql<SqlBool>`not exists (
              select from requests where owner = instances.id and status in ('QUEUED', 'RUNNING'))`),
        )
        .insertInto('instances')
        .values({ id, version, hostname: host?.hostname ?? null, pid: host?.pid ?? null, dead_at: null })
        .onConflict(conflict => conflict.column('id').doNothing())
        .execute();
    },

    async beat(id) {
      const alive = await db
        .updateTable('instances')
        .set({ beat_at: sql<Date>`clock_timestamp()` })
        .where('id', '=', id)
        .where('dead_at', 'is', null)
        .returning('id')
        .executeTakeFirst();
      return alive !== undefined;
    },

    // One that is dead itself, or was never registered, has no say in who else is, nor has one whose own last beat is
    // old: this statement was held up on its way, as the beats of the others may have been. Those declared earlier
    // come up again while they hold unfinished requests: whoever declared them may have died before it dealt with these.
    async sweep(id, leaseMs) {
      const { rows } = await sql<{ id: string }>`
        with me as (
          select from instances where id = ${id} and dead_at is null
            and beat_at > clock_timestamp() - ${leaseMs / 2}::double precision * interval '1 millisecond'
        ),
        declared as (
          update instances set dead_at = clock_timestamp()
          where dead_at is null and id <> ${id} and exists (select from me)
            and beat_at < clock_timestamp() - ${leaseMs}::double precision * interval '1 millisecond'
          returning id
        )
        select id from declared
        union
        select id from instances where dead_at is not null and exists (select from me) and id in (
          select owner from requests where status in ('QUEUED', 'RUNNING')
        )
        order by id`.execute(db);
      return rows.map(row => row.id);
    },

    async retire(id) {
      await db
        .updateTable('instances')
        .set({ dead_at: sql<Date>`clock_timestamp()` })
        .where('id', '=', id)
        .where('dead_at', 'is', null)
        .execute();
    },

    async countLiving() {
      const { rows } = await sql<{ count: number }>`
        select count(*)::integer as count from instances where dead_at is null`.execute(db);
      return rows[0]!.count;
    },

    async living() {
      // Counted through requests_unfinished.
      const { rows } = await sql<Selectable<InstancesTable> & { running: number }>`
        select instances.*, (
          select count(*)::integer from requests where owner = instances.id and status = 'RUNNING'
        ) as running
        from instances where dead_at is null order by started_at, id`.execute(db);
      return rows.map(({ hostname, pid, ...row }) => ({
        id: row.id,
        version: row.version,
        host: hostname === null || pid === null ? undefined : { hostname, pid },
        startedAt: row.started_at,
        lastBeatAt: row.beat_at,
        runningRequests: row.running,
      }));
    },
  };
}
