// What the database reads for what every instance asks again and again: not more as the history grows, not even where
// nobody vacuums or analyzes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import { contentIn } from '../../src/store/content.ts';
import { queueIn } from '../../src/store/queue.ts';
import { createSettlements } from '../../src/store/settle.ts';
import type { Tables } from '../../src/store/tables.ts';
import { onBothStores } from './both-stores.ts';
import { anAttempt, aRequest, makeFinished } from './samples.ts';

const OWNERS = 4;
const RUNNING = 2_000;
const ENDED = 10_000;
const DAY_MS = 86_400_000;

/** So many more like the first row of a table, but for their ids and what is `changed`. */
async function multiply(db: Kysely<Tables>, table: keyof Tables, { times, changed = {} }: Copies) {
  const name = sql.table(table);
  await sql`
    insert into ${name} select (copy).* from (
      select jsonb_populate_record(null::${name}, to_jsonb(original)
        || jsonb_build_object('id', gen_random_uuid(), 'request_id', gen_random_uuid())
        || ${JSON.stringify(changed)}::text::jsonb) as copy
      from (select * from ${name} limit 1) as original, generate_series(1, ${times}::integer)
      offset 0
    ) as copies`.execute(db);
}

interface Copies {
  readonly times: number;
  readonly changed?: object;
}

/** How many rows of tables, read one after the other, or entries of indexes the work takes. */
async function readsOf(
  db: Kysely<Tables>,
  relations: readonly string[],
  work: (db: Kysely<Tables>) => unknown,
) {
  return await db.transaction().execute(async inside => {
    const count = async () => {
      const { rows } = await sql<{ read: number }>`
        select pg_stat_get_xact_tuples_returned(name::regclass)::integer as read
        from unnest(${relations}::text[]) with ordinality as relation (name, place) order by place`.execute(
        inside,
      );
      return rows.map(({ read }) => read);
    };
    const before = await count();
    await work(inside);
    return (await count()).map((read, index) => read - before[index]!);
  });
}

onBothStores(open => {
  test('who asks what an owner has in hand passes over what has ended, though nobody vacuums', async t => {
    const { store, db } = await open(t);
    await makeFinished(store);
    await multiply(db, 'requests', { times: ENDED });
    await multiply(db, 'requests', { times: RUNNING, changed: { status: 'RUNNING', finished_at: null } });
    await sql`
      update requests set owner = 'instance-' || floor(random() * ${OWNERS}::integer) where status = 'RUNNING'`.execute(
      db,
    );
    await sql`analyze requests`.execute(db);
    await sql`
      update requests set status = 'CANCELLED', owner = null, finished_at = now() where status = 'RUNNING'`.execute(
      db,
    );
    const running = aRequest({ owner: 'instance-0' });
    await store.requests.accept(running);
    const ask = async () => {
      const [read] = await readsOf(db, ['requests_unfinished'], async inside => {
        const held = await queueIn(inside, createSettlements()).heldBy('instance-0');
        assert.deepEqual(
          held.map(({ id }) => id),
          [running.id],
        );
      });
      return read!;
    };

    assert.ok((await ask()) > RUNNING / OWNERS / 2, 'the first one meets those that have ended');
    assert.ok((await ask()) < 10, 'and marks them for the next');
  });

  test('content is deleted without reading all of the ledger, and not looked for where none is old enough', async t => {
    const { store, db } = await open(t);
    const { userId } = await makeFinished(store, { end: { attempts: [anAttempt()] } });
    for (const table of ['requests', 'attempts'] as const) await multiply(db, table, { times: ENDED });
    await sql`analyze requests`.execute(db);
    const tables = ['requests', 'request_bodies', 'request_results', 'attempts'];

    const reads = await readsOf(db, tables, async inside => {
      assert.deepEqual(await contentIn(inside).expire(DAY_MS, 100), []);
    });
    assert.deepEqual(reads, [0, 0, 0, 0]);
    const [read] = await readsOf(db, ['attempts'], async inside => {
      assert.equal((await contentIn(inside).deleteOf(userId, undefined, 100)).length, 100);
    });
    assert.equal(read, 0);
  });
});
