// The TypeScript peer, @portkey-ai/gateway, installed once into a folder beside the temporary files. Streams of 1.15
// work on Node 24 only with the older adapter that is pinned here.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from './processes.ts';

const VERSION = '1.15.2';
const PACKAGE = {
  private: true,
  dependencies: { '@portkey-ai/gateway': VERSION },
  overrides: { '@hono/node-server': '1.13.8' },
};

/** Undefined, with the reason on stderr, when it cannot be installed. */
export async function startPeer(): Promise<Server | undefined> {
  const directory = join(tmpdir(), `mcplane-bench-portkey-${VERSION}`);
  const entry = join(directory, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(entry)) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), JSON.stringify(PACKAGE));
    const { status, stderr } = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit'], {
      cwd: directory,
      encoding: 'utf8',
    });
    if (status !== 0) {
      console.error(`NOT RUN: @portkey-ai/gateway ${VERSION} could not be installed: ${stderr.trim()}`);
      return undefined;
    }
  }
  const port = await freePort();
  return startServer({
    name: `Portkey ${VERSION}`,
    args: [entry, '--headless', `--port=${port}`],
    cwd: directory,
    address: /(running|ready|localhost:\d+)/i,
    url: `http://127.0.0.1:${port}`,
  });
}

async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number };
    server.close(() => resolve(port));
  });
  return promise;
}
