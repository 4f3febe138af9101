// Brings a database to the newest schema. The migrations are the files of migrations/, in the order of their names,
// and go forward only.

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Kysely, sql } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';

const MIGRATIONS = path.join(import.meta.dirname, '../../migrations');
/** Any number that no other program on the same database uses: "mcpl" in ASCII. */
const ADVISORY_LOCK = 0x6d63706c;

/** Must have the database for itself: see `awaitTurn`. Returns what was done, undefined if nothing. */
export async function migrate(db: Kysely<never>): Promise<string | undefined> {
  const migrator = new Migrator({
    db,
    provider: new FileMigrationProvider({
      fs,
      path,
      migrationFolder: MIGRATIONS,
      import: file => import(pathToFileURL(file).href),
    }),
  });
  const before = (await migrator.getMigrations()).findLast(migration => migration.executedAt)?.name;
  const { error, results } = await migrator.migrateToLatest();
  if (error) {
    const failed = results?.find(result => result.status === 'Error')?.migrationName;
    const reason = error instanceof Error ? error.message : String(error);
    const hint = reason.includes('corrupted migrations')
      ? ' A newer version of mcplane has used this database: start that version or a newer one.'
      : '';
    throw new Error(`The database could not be migrated${failed ? ` to ${failed}` : ''}: ${reason}.${hint}`, {
      cause: error,
    });
  }
  const last = results?.at(-1)?.migrationName;
  return last && (before ? `migrated from ${before} to ${last}` : `created the tables (${last})`);
}

/**
 * Instances that start at once take turns. Kysely takes such a lock too, but only after it has made its own tables and
 * after we have read what was there before. Ours ends with its connection, so `db` must be one connection that is
 * closed afterwards, and without timeouts: another instance's migration may take long.
 */
export async function awaitTurn(db: Kysely<never>): Promise<void> {
  await sql`select pg_advisory_lock(${sql.lit(ADVISORY_LOCK)})`.execute(db);
}
