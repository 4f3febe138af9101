// The schema that the migrations leave. A change of it is on purpose: run this file with UPDATE_SCHEMA=1 and commit
// test/fixtures/database-schema.txt with the migration.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type Kysely, sql } from 'kysely';
import { openDatabase } from '../src/store/open.ts';
import type { Tables } from '../src/store/tables.ts';
import {
  openTestPGlite,
  openTestPostgresDatabase,
  postgresMissing,
  postgresTestUrl,
} from './support/database.ts';

const skip = await postgresMissing();
const EXPECTED = join(import.meta.dirname, 'fixtures/database-schema.txt');

test('PGlite has the schema that is committed', async t => {
  const { db } = await openTestPGlite(t);
  const schema = await describeSchema(db);

  if (process.env.UPDATE_SCHEMA === '1') writeFileSync(EXPECTED, schema);

  assert.equal(schema, readFileSync(EXPECTED, 'utf8'));
});

test('Postgres has the same schema', { skip }, async t => {
  const { db } = await openTestPostgresDatabase(t);

  assert.equal(await describeSchema(db), readFileSync(EXPECTED, 'utf8'));
});

test('a database that a newer version has migrated is refused with advice', { skip }, async t => {
  const options = { url: await postgresTestUrl(t), dataDir: tmpdir(), log: () => {} };
  const { db, close } = await openDatabase(options);
  await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '2099-01-01')`.execute(db);
  await close();

  await assert.rejects(openDatabase(options), /A newer version of mcplane has used this database/);
});

test('migrations are numbered without gaps', () => {
  const names = readdirSync(join(import.meta.dirname, '../migrations')).sort();

  for (const [index, name] of names.entries())
    assert.ok(name.startsWith(`${String(index + 1).padStart(4, '0')}-`), name);
});

/** Columns, checks and indexes as lines of text; constraint names that Postgres 18 adds for `not null` left out. */
async function describeSchema(db: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{ line: string }>`
    select line from (
      select table_name || '.' || column_name || ' ' || data_type ||
        case when is_nullable = 'NO' then ' not null' else '' end ||
        coalesce(' default ' || column_default, '') as line
      from information_schema.columns where table_schema = 'public'
      union all
      select conrelid::regclass || ' constraint ' || conname || ' ' || pg_get_constraintdef(oid)
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
      union all
      select tablename || ' index ' || replace(indexdef, 'public.', '')
      from pg_indexes where schemaname = 'public'
    ) as described
    where line not like 'kysely%'
    order by line collate "C"`.execute(db);
  return `${rows.map(row => row.line).join('\n')}\n`;
}
