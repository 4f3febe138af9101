// One process per data directory. PGlite takes no lock: two processes that open one directory destroy each other's
// rows without an error. The lock is a listening socket whose name stands for the directory, because the kernel frees
// it the moment the process dies, however it dies, and holds it while WebAssembly blocks the event loop.
// A pid file or a heartbeat can do neither. Two containers that share a volume are not kept apart by it.

import { createHash, randomBytes } from 'node:crypto';
import { realpathSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Another process, or this one, uses the directory. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError';
  readonly directory: string;
  /** The process that holds it, when it answered. */
  readonly pid: number | undefined;

  constructor(directory: string, pid: number | undefined) {
    super(
      `The data directory ${directory} is in use by ${pid === undefined ? 'another process' : `the process ${pid}`}. ` +
        'Two processes on one directory would lose data. Stop the other one, choose another directory with ' +
        'MCPLANE_DATA_DIR, or set DATABASE_URL to share a Postgres server.',
    );
    this.directory = directory;
    this.pid = pid;
  }
}

/** How long the holder may take to say who it is; it may be busy, and the answer only makes the message better. */
const ANSWER_TIMEOUT_MS = 500;
/** How long a rival that looked before we came may take to put its file over ours (macOS only). */
const SETTLE_MS = 300;

/** Takes the directory, which must exist, or throws DirectoryInUseError. */
export async function lockDir(
  directory: string,
  platform: NodeJS.Platform = process.platform,
): Promise<DirectoryLock> {
  const path = realpathSync(directory);
  const name = `mcplane-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  if (platform === 'linux') return holdName(path, `\0${name}`);
  if (platform === 'win32') return holdName(path, `\\\\.\\pipe\\${name}`);
  return holdFile(path, join(tmpdir(), `${name}.sock`));
}

/** Abstract sockets and named pipes leave nothing behind: listening is taking. */
async function holdName(directory: string, address: string): Promise<DirectoryLock> {
  const server = createLockServer();
  try {
    await listen(server, address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new DirectoryInUseError(directory, (await askHolder(address)).pid);
  }
  return { release: () => close(server) };
}

/**
 * Socket files stay when their process is killed, and removing a dead one is not atomic with finding it dead. So the
 * socket is made under a name of its own and moved into place, and counts only if it is still there a moment later.
 */
async function holdFile(directory: string, address: string): Promise<DirectoryLock> {
  const holder = await askHolder(address);
  if (holder.alive) throw new DirectoryInUseError(directory, holder.pid);
  const server = createLockServer();
  const ownAddress = `${address}.${randomBytes(4).toString('hex')}`;
  await listen(server, ownAddress);
  const { ino } = statSync(ownAddress);
  renameSync(ownAddress, address);
  const isOurs = () => statSync(address, { throwIfNoEntry: false })?.ino === ino;
  await wait(SETTLE_MS);
  if (!isOurs()) {
    await close(server);
    throw new DirectoryInUseError(directory, (await askHolder(address)).pid);
  }
  return {
    async release() {
      if (isOurs()) unlinkSync(address);
      await close(server);
    },
  };
}

/** Tells whoever connects who holds the directory. */
function createLockServer(): Server {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.end(String(process.pid));
  });
  server.unref();
  return server;
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()));
}

function askHolder(address: string): Promise<{ alive: boolean; pid?: number }> {
  return new Promise(resolve => {
    const socket = connect(address);
    let answer = '';
    let alive = false;
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      const pid = Number.parseInt(answer, 10);
      resolve({ alive, ...(Number.isInteger(pid) && { pid }) });
    };
    const timer = setTimeout(finish, ANSWER_TIMEOUT_MS);
    socket.on('connect', () => {
      alive = true;
    });
    socket.on('data', chunk => {
      answer += chunk.toString('latin1');
    });
    socket.on('end', finish);
    socket.on('error', finish);
  });
}
