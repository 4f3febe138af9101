// Which servers are alive. Times are compared on the database's clock alone: the clocks of two servers differ.

import { type Kysely, sql } from 'kysely';
import type { InstanceRepository } from './store.ts';
import type { Tables } from './tables.ts';

/** Rows of dead instances older than this serve nobody. */
const FORGOTTEN_AFTER = sql.lit('7 days');

export function instancesIn(db: Kysely<Tables>): InstanceRepository {
  return {
    // A known id is left as it is: one that was declared dead must not rise again, its requests are taken.
    async register(id, version) {
      await db
        .with('forgotten', query =>
          query
            .deleteFrom('instances')
            .where('dead_at', '<', sql<Date>`now() - cast(${FORGOTTEN_AFTER} as interval)`),
        )
        .insertInto('instances')
        .values({ id, version, dead_at: null })
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

    // One that is dead itself, or was never registered, has no say in who else is.
    async sweep(id, leaseMs) {
      const { rows } = await sql<{ id: string }>`
        update instances set dead_at = clock_timestamp()
        where dead_at is null and id <> ${id}
          and beat_at < clock_timestamp() - ${leaseMs}::double precision * interval '1 millisecond'
          and exists (select from instances as me where me.id = ${id} and me.dead_at is null)
        returning id`.execute(db);
      return rows.map(row => row.id).sort();
    },

    async retire(id) {
      await db
        .updateTable('instances')
        .set({ dead_at: sql<Date>`clock_timestamp()` })
        .where('id', '=', id)
        .where('dead_at', 'is', null)
        .execute();
    },
  };
}
