// Redis for tests: TEST_REDIS_URL for what destroys nothing, else, and for faults always, a private redis-server on a
// port of its own in a temporary directory. Without the binary a reason to skip; with REQUIRE_INFRA=1 a failure.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openRedis, type RedisConnection, type RedisMeter } from '../../src/events/redis-connection.ts';
import { SCRIPTS } from '../../src/events/redis-entries.ts';

const BINARY = ['redis-server', 'valkey-server'].find(name => {
  try {
    execFileSync(name, ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
});

/** Why tests on Redis cannot run here, or false. */
export function redisMissing(): string | false {
  if (BINARY || process.env.REQUIRE_INFRA === '1') return false;
  return 'NOT RUN: there is no redis-server on PATH';
}

let shared: Promise<RedisServer> | undefined;

/** A Redis that tests share: their keys and channels need names of their own. */
export async function sharedRedisUrl(): Promise<string> {
  if (process.env.TEST_REDIS_URL) return process.env.TEST_REDIS_URL;
  shared ??= startRedis({ after: (end: () => void) => process.on('exit', end) });
  return (await shared).url;
}

export interface RedisServer {
  readonly url: string;
  /** Runs a command by a connection of its own and returns what redis-cli prints. */
  command(...args: string[]): string;
  /** Ends the process; what it held is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Lets it accept connections and answer nothing. */
  pause(): void;
  resume(): void;
}

/** A private server, killed when the test ends. */
export async function startRedis(t: Pick<TestContext, 'after'>, ...settings: string[]): Promise<RedisServer> {
  if (!BINARY) throw new Error('there is no redis-server on PATH');
  const directory = mkdtempSync(join(tmpdir(), 'mcplane-redis-'));
  let port = 0;
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    // Below the range that outgoing connections take their ports from.
    for (let tries = port === 0 ? 5 : 1; tries > 0; tries -= 1) {
      const candidate = port || randomInt(20_000, 30_000);
      const started = await launch(candidate);
      if (!started) continue;
      port = candidate;
      child = started;
      return;
    }
    throw new Error('redis-server did not start');
  }

  async function launch(candidate: number): Promise<ChildProcess | undefined> {
    const args = ['--port', String(candidate), '--bind', '127.0.0.1', '--save', '', '--dir', directory];
    const process = spawn(BINARY!, [...args, ...settings], { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const chunk of process.stdout!)
      if (/Ready to accept connections/i.test(String(chunk))) {
        // The iteration has ended the pipe; a server without a reader of its log goes on. It keeps no test waiting.
        process.unref();
        return process;
      }
    return undefined;
  }

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.ref();
    child.kill('SIGKILL');
    await exited;
  }

  t.after(() => {
    child?.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    command: (...args) =>
      execFileSync(BINARY!.replace('server', 'cli'), ['-p', String(port), ...args]).toString(),
    kill,
    start,
    pause: () => void child!.kill('SIGSTOP'),
    resume: () => void child!.kill('SIGCONT'),
  };
}

/** Counts what a connection tells its operators, and lets a test wait for it. */
export interface CountingMeter extends RedisMeter {
  readonly counts: Record<'mirrored' | 'resynced' | 'fenced' | 'failed' | 'dropped', number>;
  readonly lines: string[];
  isUp(): boolean;
  /** Resolves when Redis is up, or down. */
  until(isUp: boolean): Promise<void>;
}

export function createCountingMeter(): CountingMeter {
  const counts = { mirrored: 0, resynced: 0, fenced: 0, failed: 0, dropped: 0 };
  const add = (name: keyof typeof counts, count: number) => {
    counts[name] += count;
  };
  let up = false;
  let waiting: { isUp: boolean; resolve: () => void }[] = [];
  return {
    counts,
    lines: [],
    isUp: () => up,
    up(isUp) {
      up = isUp;
      for (const waiter of waiting) if (waiter.isUp === isUp) waiter.resolve();
      waiting = waiting.filter(waiter => waiter.isUp !== isUp);
    },
    failed: () => add('failed', 1),
    mirrored: entries => add('mirrored', entries),
    resynced: () => add('resynced', 1),
    fenced: () => add('fenced', 1),
    signalsDropped: count => add('dropped', count),
    until: isUp =>
      up === isUp ? Promise.resolve() : new Promise(resolve => waiting.push({ isUp, resolve })),
  };
}

export interface TestConnection {
  readonly redis: RedisConnection;
  readonly meter: CountingMeter;
}

/** One instance's connections, ready unless the server is down; closed when the test ends. */
export async function connectTo(
  t: Pick<TestContext, 'after'>,
  url: string,
  { wait = true } = {},
): Promise<TestConnection> {
  const meter = createCountingMeter();
  const say = (fields: object, message: string) =>
    void meter.lines.push(`${message} ${JSON.stringify(fields)}`);
  const redis = openRedis({ url, meter, scripts: SCRIPTS, log: { info: say, warn: say } });
  t.after(() => redis.close());
  if (wait) await meter.until(true);
  return { redis, meter };
}
