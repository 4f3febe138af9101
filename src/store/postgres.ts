// The store on a Postgres server (15 or newer), through a pool that outlives lost connections.

import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import { createStorableTextCompiler } from './compiler.ts';
import type { OpenedDatabase } from './create-store.ts';
import { lending } from './lending.ts';
import { awaitTurn, migrate } from './migrate.ts';
import type { OpenOptions } from './options.ts';
import { createReachability } from './reachability.ts';
import type { Tables } from './tables.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** The client gives up so long after the server should have. */
const STATEMENT_MARGIN_MS = 5_000;
const POOL_SIZE = 10;
const { INT8, TIMESTAMPTZ } = pg.types.builtins;

const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  // Beyond 2^53 a number would lose the last digits of money.
  [INT8, BigInt],
  [TIMESTAMPTZ, parseTimestamp],
]);
const UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00$/;
const parseAnyTimestamp = pg.types.getTypeParser(TIMESTAMPTZ, 'text');

/** Those in UTC, as nearly all are, without taking them apart: a page has hundreds. */
function parseTimestamp(text: string): Date {
  return UTC.test(text) ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : parseAnyTimestamp(text);
}

export async function openPostgres(url: string, options: OpenOptions): Promise<OpenedDatabase> {
  const location = locationOf(url);
  await migratePostgres(url, location, options);
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const pool = createPool(options, {
    connectionString: url,
    max: options.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
  });
  const { rows } = await pool.query<{ server_version: string }>('show server_version').catch(async error => {
    await pool.end();
    throw error;
  });
  const version = `PostgreSQL ${rows[0]?.server_version}`;
  options.log(`opened the database at ${location} (${version})`);
  const reachability = createReachability({
    connectionString: url,
    statementMs: statementTimeoutMs + STATEMENT_MARGIN_MS,
    log: options.log,
  });
  const db = new Kysely<Tables>({ dialect: dialectOf(lending(pool, reachability)) });
  return {
    db,
    info: { kind: 'postgres', location, version },
    // The pool is ended by us: Kysely's destroy() leaves a pool open that it has not used yet.
    close: once(async () => {
      reachability.close();
      await pool.end();
    }),
  };
}

/** On a connection of its own: waiting for another instance's migration must not run into the pool's timeouts. */
async function migratePostgres(url: string, location: string, options: OpenOptions): Promise<void> {
  const pool = createPool(options, {
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
  });
  try {
    await pool.query('select 1').catch(error => {
      throw new Error(`Postgres at ${location} cannot be used: ${reasonOf(error)}. Check DATABASE_URL.`, {
        cause: error,
      });
    });
    await new Kysely<never>({ dialect: dialectOf(pool) }).connection().execute(async db => {
      await awaitTurn(db);
      const done = await migrate(db);
      if (done) options.log(`${done} in ${location}`);
    });
  } finally {
    await pool.end();
  }
}

function createPool({ log }: OpenOptions, config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    application_name: 'mcplane',
    keepAlive: true,
    types: {
      getTypeParser: (oid, format) =>
        (format !== 'binary' && PARSERS.get(oid)) || pg.types.getTypeParser(oid, format),
    },
    ...config,
  });
  // Without listeners a lost connection would end the process: the pool reports those that are idle, and a client
  // that is lent out reports its own. The query that was running fails all the same.
  const report = (error: Error) => log(`lost a connection to Postgres: ${error.message}`);
  pool.on('error', report);
  pool.on('connect', client => client.on('error', () => {}));
  return pool;
}

function dialectOf(pool: PostgresPool): PostgresDialect {
  const dialect = new PostgresDialect({ pool });
  dialect.createQueryCompiler = createStorableTextCompiler;
  return dialect;
}

/** Host, port and database; never the user or the password. */
function locationOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname || 'localhost'}:${port || 5432}${pathname}`;
}

/** A refused connection to a name with two addresses is an AggregateError with an empty message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
