// The store inside this process: PGlite, in a directory or in memory. It survives the death of the process; a power
// cut it may not, since it never calls fsync.

import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Kysely, type PGlite, PGliteDialect } from 'kysely';
import { createStorableTextCompiler } from './compiler.ts';
import type { OpenedDatabase } from './create-store.ts';
import { type DirectoryLock, lockDir } from './lock.ts';
import { migrate } from './migrate.ts';
import type { OpenOptions } from './options.ts';
import type { Tables } from './tables.ts';

/** In `<dataDir>/data`: beside it there is room for what else an installation keeps. */
export async function openDirectory(options: OpenOptions): Promise<OpenedDatabase> {
  const directory = join(resolve(options.dataDir), 'data');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // PGlite makes its files readable to all, so the directory has to keep others out, also one that was there before.
  chmodSync(directory, 0o700);
  const lock = await lockDir(directory);
  const isNew = !existsSync(join(directory, 'PG_VERSION'));
  if (isNew) options.log(`creating the embedded database in ${directory} (first run, about 4 s)`);
  try {
    return await openPGlite(directory, options, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

export function openMemory(options: OpenOptions): Promise<OpenedDatabase> {
  options.log('creating an embedded database in memory: it forgets everything when the process ends');
  return openPGlite(undefined, options, undefined);
}

async function openPGlite(
  directory: string | undefined,
  { log, loadDataDir }: OpenOptions,
  lock: DirectoryLock | undefined,
): Promise<OpenedDatabase> {
  // 15 MB of WebAssembly that an installation on Postgres never needs.
  const { PGlite } = await import('@electric-sql/pglite');
  const pglite = await PGlite.create({
    ...(directory !== undefined && { dataDir: directory }),
    ...(loadDataDir && { loadDataDir }),
  });
  const location = directory ?? 'memory';
  try {
    const db = new Kysely<Tables>({ dialect: pgliteDialect(pglite) });
    const done = await migrate(db as unknown as Kysely<never>);
    if (done) log(`${done} in ${location}`);
    const { rows } = await pglite.query<{ server_version: string }>('show server_version');
    const version = `PGlite (PostgreSQL ${rows[0]?.server_version})`;
    log(`opened the embedded database in ${location} (${version})`);
    let closed: Promise<void> | undefined;
    const closeAll = async () => {
      await db.destroy();
      if (!pglite.closed) await pglite.close();
      await lock?.release();
    };
    return {
      db,
      info: { kind: 'embedded', location, version },
      close() {
        closed ??= closeAll();
        return closed;
      },
    };
  } catch (error) {
    await pglite.close();
    throw error;
  }
}

export function pgliteDialect(pglite: PGlite): PGliteDialect {
  const dialect = new PGliteDialect({ pglite });
  dialect.createQueryCompiler = createStorableTextCompiler;
  return dialect;
}
