// What only a Postgres server can do to us: lost connections, races between instances, timeouts.

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { newId } from '../../src/domain/ids.ts';
import { createStore } from '../../src/store/create-store.ts';
import { openDatabase, openStore } from '../../src/store/open.ts';
import type { NewRequest, Store } from '../../src/store/store.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { anEndOf, aRequest } from './samples.ts';

const options = (url: string, log: (message: string) => void = () => {}) => ({ url, dataDir: tmpdir(), log });

/** Ends every connection to the database but the one that asks. */
async function terminateConnections(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await client.end();
  return rows.length;
}

const KEYS = Array.from({ length: 60 }, (_, index) => `key ${index}`);

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map(item => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** One request for each key, in an order of its own; returns those that were accepted. */
async function acceptShuffled(store: Store, userId: string): Promise<NewRequest[]> {
  const requests = shuffled(KEYS).map(idempotencyKey => aRequest({ userId, idempotencyKey }));
  const results = await Promise.all(requests.map(request => store.requests.accept(request)));
  return requests.filter((_, index) => results[index]?.outcome === 'accepted');
}

/** Keeps others from taking a key in the middle of KEYS, so that they meet there. */
async function holdKey(url: string, userId: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  await client.query(
    `insert into idempotency_keys values ($1, $2, '', $1, now())
     on conflict (user_id, key) do update set input_hash = ''`,
    [userId, KEYS[KEYS.length >> 1]],
  );
  const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return {
    async whenWaiting(count: number) {
      while ((await client.query(waiting)).rowCount !== count)
        await client.query('select pg_stat_clear_snapshot()');
    },
    async release() {
      await client.query('rollback');
      await client.end();
    },
  };
}

/** Statistics, once every other connection has gone and has told them what it did. */
async function readAlone(url: string, question: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const others = `select 1 from pg_stat_activity where backend_type = 'client backend'
    and datname = current_database() and pid <> pg_backend_pid()`;
  while ((await client.query(others)).rowCount !== 0);
  const { rows } = await client.query(question);
  await client.end();
  return rows;
}

describe('on Postgres', { skip: await postgresMissing() }, () => {
  test('a moment is the same in whatever time zone the server writes it', async t => {
    const url = new URL(await postgresTestUrl(t));
    const moments = [
      '2026-11-28 18:57:14.123456',
      '2026-06-01 00:00:00',
      '1969-12-31 23:59:59.9',
      '0044-03-15 12:00:00 BC',
    ];
    const readIn = async (zone: string) => {
      url.searchParams.set('options', `-c TimeZone=${zone}`);
      const database = await openDatabase(options(url.href));
      t.after(() => database.close());
      const { rows } = await sql<{ moment: Date }>`
        select (text::timestamp at time zone 'UTC') as moment from unnest(${moments}::text[]) as text`.execute(
        database.db,
      );
      return rows.map(({ moment }) => moment.toISOString());
    };
    const inUtc = await readIn('UTC');
    assert.deepEqual(inUtc, [
      '2026-11-28T18:57:14.123Z',
      '2026-06-01T00:00:00.000Z',
      '1969-12-31T23:59:59.900Z',
      '-000043-03-15T12:00:00.000Z',
    ]);
    assert.deepEqual(await readIn('Asia/Kolkata'), inUtc);
  });

  test('instances that start at once on an empty database all open it, and one creates the tables', async t => {
    const url = await postgresTestUrl(t);
    const said: string[] = [];

    const stores = await Promise.all(
      Array.from({ length: 6 }, () => openStore(options(url, message => said.push(message)))),
    );
    t.after(() => Promise.all(stores.map(store => store.close())));

    assert.equal(said.filter(message => message.startsWith('created the tables')).length, 1);
    await Promise.all(stores.map(store => store.requests.accept(aRequest())));
    assert.equal(await stores[0]!.requests.count({}, 10), 6);
  });

  test('idle connections that the server ends are replaced, and the process lives on', async t => {
    const url = await postgresTestUrl(t);
    let lost = 0;
    const allLost = Promise.withResolvers<void>();
    const store = await openStore({
      ...options(url, message => {
        if (message.startsWith('lost a connection to Postgres') && ++lost === 3) allLost.resolve();
      }),
      poolSize: 3,
    });
    t.after(() => store.close());
    await Promise.all([store.ping(), store.ping(), store.ping()]);

    assert.equal(await terminateConnections(url), 3);
    await allLost.promise;

    assert.deepEqual(await store.requests.accept(aRequest()), { outcome: 'accepted' });
  });

  test('a connection that is lost inside a transaction fails the transaction only', async t => {
    const url = await postgresTestUrl(t);
    const store = await openStore(options(url));
    t.after(() => store.close());

    const cut = store.transaction(async inner => {
      await inner.requests.accept(aRequest());
      await terminateConnections(url);
      await inner.requests.accept(aRequest());
    });

    await assert.rejects(cut);
    assert.equal(await store.requests.count({}, 1), 0);
  });

  test('instances that use the same keys and ids at once never wait for each other in a circle', async t => {
    const url = await postgresTestUrl(t);
    const databases = await Promise.all([openDatabase(options(url)), openDatabase(options(url))]);
    const stores = databases.map(createStore);
    const userId = newId();

    for (let round = 0; round < 5; round++) {
      const stop = await holdKey(url, userId);
      const accepting = stores.map(store => acceptShuffled(store, userId));
      await stop.whenWaiting(2);
      await stop.release();
      const accepted = (await Promise.all(accepting)).flat();
      for (const key of KEYS)
        assert.equal(accepted.filter(({ idempotencyKey }) => idempotencyKey === key).length, 1, key);
      const ends = accepted.map(request => anEndOf(request));
      const written = await Promise.all(
        stores.flatMap(store => shuffled(ends).map(end => store.requests.finish(end))),
      );
      assert.equal(written.filter(Boolean).length, KEYS.length);
      // In the next round all of them are taken over.
      await sql`update idempotency_keys set expires_at = now() - interval '1 second'`.execute(
        databases[0]!.db,
      );
    }

    await Promise.all(stores.map(store => store.close()));
    const [found] = await readAlone(
      url,
      'select deadlocks::integer from pg_stat_database where datname = current_database()',
    );
    assert.deepEqual(found, { deadlocks: 0 });
  });

  test('accepting is planned once for a connection', async t => {
    const url = await postgresTestUrl(t);
    const opened = await openDatabase({ ...options(url), poolSize: 1 });
    t.after(() => opened.close());
    const store = createStore(opened);

    for (let count = 0; count < 20; count++) await store.requests.accept(aRequest());

    const { rows } = await sql<{ name: string; custom: number; generic: number }>`
      select name, custom_plans::integer as custom, generic_plans::integer as generic
      from pg_prepared_statements`.execute(opened.db);
    assert.deepEqual(rows, [{ name: 'accept', custom: 5, generic: 15 }]);
  });

  test('ending a request reads that request, however many others are unfinished', async t => {
    const url = await postgresTestUrl(t);
    const store = await openStore(options(url));
    const requests = Array.from({ length: 2_000 }, () => aRequest());
    await Promise.all(requests.map(request => store.requests.accept(request)));

    assert.equal(await store.requests.finish(anEndOf(requests[1_234]!)), true);

    await store.close();
    const [found] = await readAlone(
      url,
      `select seq_tup_read::integer as whole, (
         select idx_tup_read::integer from pg_stat_user_indexes where indexrelname = 'requests_unfinished'
       ) as unfinished
       from pg_stat_user_tables where relname = 'requests'`,
    );
    assert.deepEqual(found, { whole: 0, unfinished: 0 });
  });

  test('ending requests is planned once for a connection when there are many, and then reads only those', async t => {
    const url = await postgresTestUrl(t);
    const opened = await openDatabase({ ...options(url), poolSize: 1 });
    const store = createStore(opened);
    await sql`
      insert into requests (id, user_id, status, task_type, priority, prefer_local, strategy, epoch, created_at)
      select gen_random_uuid(), gen_random_uuid(), 'QUEUED', 'CHAT', 50, false, 'BALANCED', 0, now()
      from generate_series(1, 20000)`.execute(opened.db);
    const requests = Array.from({ length: 20 }, () => aRequest());
    await Promise.all(requests.map(request => store.requests.accept(request)));

    for (const request of requests) assert.equal(await store.requests.finish(anEndOf(request)), true);

    const { rows } = await sql<{ custom: number; generic: number }>`
      select custom_plans::integer as custom, generic_plans::integer as generic
      from pg_prepared_statements where name = 'finish'`.execute(opened.db);
    assert.deepEqual(rows, [{ custom: 5, generic: 14 }]);
    await opened.close();
    const [found] = await readAlone(
      url,
      `select seq_tup_read::integer as whole from pg_stat_user_tables where relname = 'requests'`,
    );
    assert.deepEqual(found, { whole: 0 });
  });

  test('a statement that takes too long is ended by the server', async t => {
    const url = await postgresTestUrl(t);
    const opened = await openDatabase({ ...options(url), statementTimeoutMs: 50 });
    t.after(() => opened.close());

    await assert.rejects(sql`select pg_sleep(5)`.execute(opened.db), { code: '57014' });
    await createStore(opened).ping();
  });

  test('a server that is not there is named without the password', async () => {
    await assert.rejects(openStore(options('postgres://ada:secret@127.0.0.1:1/plane')), error => {
      assert.match((error as Error).message, /127\.0\.0\.1:1\/plane.*ECONNREFUSED.*DATABASE_URL/);
      assert.doesNotMatch((error as Error).message, /secret/);
      return true;
    });
  });

  test('what it is shows at start', async t => {
    const url = await postgresTestUrl(t);
    const store = await openStore(options(url));
    await store.close();
    await store.close();

    assert.equal(store.info.kind, 'postgres');
    assert.match(store.info.location, /^127\.0\.0\.1:\d+\/mcplane_test_/);
    assert.match(store.info.version, /^PostgreSQL \d+/);
    await assert.rejects(store.ping());
  });
});
