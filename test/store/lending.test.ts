// What is lent, and what of it stays behind.

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { lending } from '../../src/store/lending.ts';
import { openDatabase } from '../../src/store/open.ts';
import { createReachability } from '../../src/store/reachability.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { collect, oldBytes } from '../support/heap.ts';

describe('a connection of the pool', { skip: await postgresMissing() }, () => {
  test('what an answered statement consisted of does not grow old', async t => {
    const { db, close } = await openDatabase({ url: await postgresTestUrl(t), dataDir: tmpdir(), log() {} });
    t.after(close);
    const say = (index: number) => sql`select ${`${'x'.repeat(8_000)}${index}`}::text as said`.execute(db);
    for (let index = 0; index < 100; index += 1) await say(index);
    collect();
    const before = oldBytes();
    let grown = 0;
    for (let index = 0; index < 3_000; index += 1) {
      await say(index);
      // Before a major collection takes it away.
      if (index % 50 === 0) grown = Math.max(grown, oldBytes() - before);
    }
    // They are 50 MB; with a promise or a `query_timeout` of the driver 15 to 25 of these grow old, until one collection.
    assert.ok(grown < 10_000_000, `${grown} bytes have grown old`);
  });

  test('is lost with a statement that the server should have ended; others are left alone', async t => {
    const connectionString = await postgresTestUrl(t);
    const pool = new pg.Pool({ connectionString });
    pool.on('connect', client => client.on('error', () => {}));
    const reachability = createReachability({ connectionString, statementMs: 100, log() {} });
    const lent = lending(pool, reachability);
    const [asked, other] = [await lent.connect(), await lent.connect()];
    t.after(async () => {
      reachability.close();
      asked.release();
      other.release();
      await pool.end();
    });

    const lost = asked.query('do $$ begin perform pg_sleep(60); end $$', []);
    await assert.rejects(lost, { name: 'DomainError', code: 'OVERLOADED', mayHaveRun: true });
    asked.release();

    assert.deepEqual((await other.query('select 1 as one', [])).rows, [{ one: 1 }]);
    assert.equal(pool.totalCount, 1);
  });
});
