// A server as a process of its own, to be killed, stopped and started again on the same data directory.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { type Client, createClient } from '../../src/sdk/client.ts';
import { ADMIN } from './app.ts';

export interface ServerProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** Logged in as the administrator. */
  readonly client: Client;
  readonly token: string;
  /** The first line of its log that has all of these fields, whether it was written already or comes later. */
  logged(fields: Readonly<Record<string, unknown>>): Promise<LogLine>;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
}

// biome-ignore lint/suspicious/noExplicitAny: fields are read by name, as whoever reads logs does.
export type LogLine = Readonly<Record<string, any>>;

/** A directory that is removed with the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'mcplane-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * Starts `src/main.ts` and resolves when it listens and an administrator is logged in. It is killed with the test at
 * the latest. `onSpawn` gets the process before it listens.
 */
export async function startServerProcess(
  t: TestContext,
  dataDir: string,
  env: Record<string, string> = {},
  onSpawn: (child: ChildProcess) => void = () => {},
): Promise<ServerProcess> {
  const child = spawnServer(dataDir, env);
  onSpawn(child);
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const logged = readLog(child);
  const url = await listeningUrl(child);
  const anonymous = createClient({ url });
  const { login } = await anonymous.login({ input: ADMIN });
  const client = createClient({ url, token: login.token });
  t.after(() => Promise.all([client.dispose(), anonymous.dispose()]));
  return { url, process: child, client, token: login.token, logged, ended };
}

/** The process alone, for what happens before it listens. */
export function spawnServer(dataDir: string, env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, ['src/main.ts'], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      MCPLANE_DATA_DIR: dataDir,
      MCPLANE_ADMIN_USERNAME: ADMIN.username,
      MCPLANE_ADMIN_PASSWORD: ADMIN.password,
      OLLAMA_HOST: 'http://127.0.0.1:9',
      LMSTUDIO_BASE_URL: 'http://127.0.0.1:9',
      LOG_LEVEL: 'warn',
      // One caller stands for many.
      MCPLANE_USER_REQUESTS_PER_MINUTE: '0',
      MCPLANE_USER_TOKENS_PER_MINUTE: '0',
      MCPLANE_USER_CONCURRENT_REQUESTS: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function readLog(child: ChildProcess): ServerProcess['logged'] {
  const lines: LogLine[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  createInterface({ input: child.stdout! })
    .on('line', text => {
      lines.push(JSON.parse(text));
      news.emit('line');
    })
    .on('close', () => news.emit('close'));
  return async fields => {
    const wanted = Object.entries(fields);
    for (;;) {
      const found = lines.find(line => wanted.every(([name, value]) => line[name] === value));
      if (found) return found;
      const closed = once(news, 'close').then(() => assert.fail(`never logged: ${JSON.stringify(fields)}`));
      await Promise.race([once(news, 'line'), closed]);
    }
  };
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr! })) {
    lines.push(line);
    const [, url] = /^GraphQL\s+(\S+)\/graphql/.exec(line) ?? [];
    if (url) {
      child.stderr!.resume();
      return url;
    }
  }
  assert.fail(`the server ended before it listened:\n${lines.join('\n')}`);
}
