// A Postgres that does not answer any more, or has ended a connection that is still believed to stand.

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import pg from 'pg';
import { newId } from '../../src/domain/ids.ts';
import { createStore } from '../../src/store/create-store.ts';
import { openDatabase } from '../../src/store/open.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { startProxy } from '../support/proxy.ts';
import { aRequest } from './samples.ts';

/** A store behind a network that can be frozen, with one connection. */
async function openBehindNetwork(t: TestContext) {
  const url = new URL(await postgresTestUrl(t));
  const direct = url.href;
  const network = await startProxy(t, Number(url.port || 5432));
  url.port = String(network.port);
  let back = () => {};
  const opened = await openDatabase({
    url: url.href,
    dataDir: tmpdir(),
    poolSize: 1,
    log: message => message === 'Postgres answers again' && back(),
  });
  t.after(() => opened.close());
  const answersAgain = new Promise<void>(resolve => {
    back = resolve;
  });
  return { store: createStore(opened), db: opened.db, network, direct, answersAgain };
}

/** Ends the connections of the store at the server. */
async function terminate(direct: string): Promise<void> {
  const client = new pg.Client({ connectionString: direct });
  await client.connect();
  await client.query(
    'select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await client.end();
}

describe('an outage of Postgres', { skip: await postgresMissing() }, () => {
  test('statements that are not answered fail after seconds, further ones at once, until it answers', async t => {
    const { store, network, answersAgain } = await openBehindNetwork(t);
    network.freeze();
    const refused = { name: 'DomainError', code: 'OVERLOADED', retryAfterMs: 1_000 };
    await assert.rejects(store.requests.accept(aRequest()), { ...refused, mayHaveRun: true });
    await assert.rejects(store.requests.accept(aRequest()), { ...refused, mayHaveRun: false });

    network.thaw();
    await answersAgain;
    await store.ping();
  });

  test('a statement that takes long at a server that answers is left alone', async t => {
    const { db } = await openBehindNetwork(t);
    await sql`select pg_sleep(5)`.execute(db);
  });

  test('what changes nothing is sent again when the server has ended its connection', async t => {
    const { store, network, direct } = await openBehindNetwork(t);
    const works = [
      () => store.ping(),
      () => store.transaction(inside => inside.ping()),
      // A prepared one.
      () => store.requests.byIds([newId()]),
    ];
    for (const work of works) {
      network.freeze();
      await terminate(direct);
      const working = work();
      network.thaw();
      await working;
    }
  });

  test('what changes something is not: whether it was carried out is not known', async t => {
    const { store, network, direct } = await openBehindNetwork(t);
    network.freeze();
    await terminate(direct);
    const accepting = assert.rejects(store.requests.accept(aRequest()), { mayHaveRun: true });
    network.thaw();
    await accepting;
    await store.ping();
  });

  test('a refused connection is an outage in which nothing was carried out', async t => {
    const { db, store, direct } = await openBehindNetwork(t);
    const name = new URL(direct).pathname.slice(1);
    const server = new URL(direct);
    server.pathname = '/postgres';
    const client = new pg.Client({ connectionString: server.href });
    await client.connect();
    await client.query(`alter database ${name} allow_connections false`);
    await terminate(direct).catch(() => {});
    await client.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`,
    );
    await sql`select 1`.execute(db).catch(() => {});
    await assert.rejects(store.requests.accept(aRequest()), { code: 'OVERLOADED', mayHaveRun: false });
    await client.query(`alter database ${name} allow_connections true`);
    await client.end();
    await store.ping();
  });
});
