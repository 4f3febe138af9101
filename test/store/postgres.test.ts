// What only a Postgres server can do to us: lost connections, races between instances, timeouts.

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { createStore } from '../../src/store/create-store.ts';
import { openDatabase, openStore } from '../../src/store/open.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { aRequest } from './samples.ts';

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

describe('on Postgres', { skip: await postgresMissing() }, () => {
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
    const said: string[] = [];
    const store = await openStore(options(url, message => said.push(message)));
    t.after(() => store.close());
    await Promise.all([store.ping(), store.ping(), store.ping()]);

    assert.ok((await terminateConnections(url)) >= 1);

    assert.deepEqual(await store.requests.accept(aRequest()), { outcome: 'accepted' });
    assert.ok(said.some(message => message.startsWith('lost a connection to Postgres')));
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
