// Stores for tests. `openTestStore` gives an empty, migrated one within a second: embedded PGlite, or Postgres when
// TEST_STORE=postgres. What is beneath is reused by the next test of the file, empty again.

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, sql } from 'kysely';
import { CHAIN_START } from '../../src/domain/audit-chain.ts';
import { createStore, type OpenedDatabase } from '../../src/store/create-store.ts';
import { pgliteDialect } from '../../src/store/embedded.ts';
import { DirectoryInUseError, lockDir } from '../../src/store/lock.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openDatabase } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { postgresTestUrl } from './postgres.ts';

export { postgresMissing, postgresTestUrl } from './postgres.ts';

/** What the fixtures need of a test: node:test's context, or anything that runs callbacks at its end. */
export type Cleanup = Pick<TestContext, 'after'>;

export interface TestDatabase {
  readonly store: Store;
  /** For looking at rows and for bending time; the code under test uses the store. */
  readonly db: Kysely<Tables>;
}

/** An empty, migrated store that is closed when the test ends. */
export async function openTestStore(t: Cleanup): Promise<Store> {
  const { store } = await openTestDatabase(t);
  return store;
}

export function openTestDatabase(t: Cleanup): Promise<TestDatabase> {
  return process.env.TEST_STORE === 'postgres' ? openTestPostgresDatabase(t) : openTestPGlite(t);
}

/** The same on a Postgres server; guard the test with `{ skip: await postgresMissing() }`. */
export async function openTestPostgresStore(t: Cleanup): Promise<Store> {
  const { store } = await openTestPostgresDatabase(t);
  return store;
}

/** Databases that no test uses at the moment, and what ends them with the test file. */
const idle: Record<OpenedDatabase['info']['kind'], OpenedDatabase[]> = { embedded: [], postgres: [] };
const endings: (() => unknown)[] = [];
// An open PGlite has a timer that keeps the process alive. This runs when no registered test is left, so a test file
// awaits postgresMissing() before its first test.
after(async () => {
  for (const end of endings.reverse()) await end();
});

export async function openTestPGlite(t: Cleanup): Promise<TestDatabase> {
  return lend(t, idle.embedded.pop() ?? (await createFromImage()));
}

export async function openTestPostgresDatabase(t: Cleanup): Promise<TestDatabase> {
  return lend(t, idle.postgres.pop() ?? (await createOnServer()));
}

function lend(t: Cleanup, opened: OpenedDatabase): TestDatabase {
  let open = true;
  // What a test leaves running must not write into the next one's store.
  const lease = opened.db.withPlugin({
    transformQuery({ node }) {
      if (!open) throw new Error('The store of this test is closed');
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const close = async () => {
    open = false;
  };
  t.after(async () => {
    await close();
    await empty(opened.db);
    idle[opened.info.kind].push(opened);
  });
  return { store: createStore({ ...opened, db: lease, close }), db: opened.db };
}

async function empty(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ names: string }>`
    select string_agg(quote_ident(tablename), ', ') as names from pg_tables
    where schemaname = 'public' and tablename not like 'kysely%'`.execute(db);
  await sql.raw(`truncate ${rows[0]?.names}`).execute(db);
  await sql`insert into audit_chain (sequence, hash) values (0, ${CHAIN_START.hash})`.execute(db);
}

async function createFromImage(): Promise<OpenedDatabase> {
  const opened = await openDatabase({
    url: 'memory:',
    dataDir: tmpdir(),
    log: () => {},
    loadDataDir: new Blob([readFileSync(await migratedImage())]),
  });
  endings.push(() => opened.close());
  return opened;
}

async function createOnServer(): Promise<OpenedDatabase> {
  const url = await postgresTestUrl({ after: end => void endings.push(end as () => unknown) });
  const opened = await openDatabase({ url, dataDir: tmpdir(), log: () => {}, poolSize: 5 });
  endings.push(() => opened.close());
  return opened;
}

/**
 * A dump of a migrated PGlite: a tenth of the time of making one. Made once for each state of the migrations; test
 * files run at the same time, so one of them makes it and the others wait.
 */
export async function migratedImage(): Promise<string> {
  const directory = join(tmpdir(), `mcplane-test-${hashOfSchema()}`);
  const image = join(directory, 'pglite.tar');
  mkdirSync(directory, { recursive: true });
  while (!existsSync(image)) {
    const lock = await lockDir(directory).catch(async error => {
      if (!(error instanceof DirectoryInUseError)) throw error;
      await wait(100);
    });
    if (!lock) continue;
    try {
      if (!existsSync(image)) await makeImage(image);
    } finally {
      await lock.release();
    }
  }
  return image;
}

async function makeImage(image: string): Promise<void> {
  const pglite = await PGlite.create();
  await migrate(new Kysely<never>({ dialect: pgliteDialect(pglite) }));
  const dump = await pglite.dumpDataDir('none');
  await pglite.close();
  const unfinished = `${image}.${randomBytes(4).toString('hex')}`;
  writeFileSync(unfinished, Buffer.from(await dump.arrayBuffer()));
  renameSync(unfinished, image);
}

function hashOfSchema(): string {
  const migrations = join(import.meta.dirname, '../../migrations');
  const pglite = join(import.meta.dirname, '../../node_modules/@electric-sql/pglite/package.json');
  const hash = createHash('sha256').update(readFileSync(pglite));
  for (const name of readdirSync(migrations).sort())
    hash.update(name).update(readFileSync(join(migrations, name)));
  return hash.digest('hex').slice(0, 16);
}
