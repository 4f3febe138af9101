// The ways of accepting a request that are compared, on databases made for the run. All use the same statement.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, type QueryResult, sql } from 'kysely';
import { newId } from '../../src/domain/ids.ts';
import { acceptIn } from '../../src/store/accept.ts';
import { createStorableTextCompiler } from '../../src/store/compiler.ts';
import type { OpenedDatabase } from '../../src/store/create-store.ts';
import { openDatabase } from '../../src/store/open.ts';
import type { NewRequest } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { aRequest, aSpec } from '../../test/store/samples.ts';
import { postgresTestUrl } from '../../test/support/postgres.ts';

export interface Way {
  readonly name: string;
  /** One statement after the other, on one connection. */
  readonly serial: boolean;
  accept(): Promise<unknown>;
}

export interface Ways {
  readonly ways: readonly Way[];
  /** What the databases are, and how durable. */
  readonly databases: readonly string[];
  /** Empties the tables. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

const POOL_SIZE = 10;

export async function openWays(): Promise<Ways> {
  await using stack = new AsyncDisposableStack();
  const url = await postgresTestUrl({ after: end => stack.defer(end as () => Promise<void>) });
  const open = async (options: { url: string | undefined; dataDir: string; poolSize?: number }) => {
    const opened = await openDatabase({ ...options, log: () => {} });
    stack.defer(() => opened.close());
    return opened;
  };
  const dataDir = mkdtempSync(join(tmpdir(), 'mcplane-bench-'));
  stack.defer(() => rmSync(dataDir, { recursive: true }));
  const pooled = await open({ url, dataDir, poolSize: POOL_SIZE });
  const oneConnection = await open({ url, dataDir, poolSize: 1 });
  const embedded = await open({ url: undefined, dataDir });
  const durable = [pooled, embedded];
  const opened = stack.move();
  return {
    ways: [
      grouped('no database', withoutDatabase()),
      grouped('Postgres, group commit', pooled.db),
      singly('Postgres, singly, one connection', oneConnection.db),
      singly(`Postgres, singly, pool of ${POOL_SIZE}`, pooled.db, false),
      grouped('PGlite, group commit', embedded.db),
      singly('PGlite, singly', embedded.db),
    ],
    databases: await Promise.all(durable.map(describe)),
    async clear() {
      for (const { db } of durable)
        await sql`truncate requests, request_bodies, idempotency_keys`.execute(db);
    },
    close: () => opened.disposeAsync(),
  };
}

/** As the server does it. */
function grouped(name: string, db: Kysely<Tables>): Way {
  const accept = acceptIn(db);
  return { name, serial: false, accept: () => accept(nextRequest()) };
}

/** A group of its own for every request: one row in each statement. */
function singly(name: string, db: Kysely<Tables>, serial = true): Way {
  return { name, serial, accept: () => acceptIn(db)(nextRequest()) };
}

async function describe({ db, info }: OpenedDatabase): Promise<string> {
  const { rows } = await sql<{ fsync: string; commit: string }>`
    select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`.execute(db);
  return `${info.version}, fsync ${rows[0]?.fsync}, synchronous_commit ${rows[0]?.commit}`;
}

/** Answers every insert at once: nothing was refused. */
function withoutDatabase(): Kysely<Tables> {
  class AnsweringDriver extends DummyDriver {
    override async acquireConnection() {
      return {
        executeQuery: async (): Promise<QueryResult<never>> => ({ rows: [] }),
        // biome-ignore lint/correctness/useYield: there is nothing to yield
        async *streamQuery() {
          throw new Error('Nothing is streamed');
        },
      } as never;
    }
  }
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new AnsweringDriver(),
      createIntrospector: db => new PostgresIntrospector(db),
      createQueryCompiler: createStorableTextCompiler,
    },
  });
}

const PROMPT = 'Explain in one paragraph why the sky is blue at noon and red in the evening. '.repeat(3);
const USERS = Array.from({ length: 50 }, () => newId());
let made = 0;

/** About 0.5 kB. */
function nextRequest(): NewRequest {
  made += 1;
  return aRequest({
    userId: USERS[made % USERS.length]!,
    spec: aSpec({ prompt: PROMPT }),
    deploymentId: 'openai/gpt-6-sol',
  });
}
