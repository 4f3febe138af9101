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

/** Must have the database for itself, or be inside `exclusively`. Returns what was done, undefined if nothing. */
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
 * Instances that start at once on an empty Postgres take turns. Kysely's own lock lies in a table that must be made
 * first, and `create table if not exists` fails in such a race. Needs a database of one connection without timeouts.
 */
export async function exclusively<T>(db: Kysely<never>, work: () => Promise<T>): Promise<T> {
  await sql`select pg_advisory_lock(${sql.lit(ADVISORY_LOCK)})`.execute(db);
  try {
    return await work();
  } finally {
    await sql`select pg_advisory_unlock(${sql.lit(ADVISORY_LOCK)})`.execute(db);
  }
}
