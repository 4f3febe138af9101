// Where a text is kept that should be kept nowhere: in every column of every table, and in every key of Redis.

import { Redis } from 'ioredis';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../src/store/tables.ts';

/** `table.column` of each. */
export async function placesInDatabase(db: Kysely<Tables>, text: string): Promise<string[]> {
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(db);
  const places = new Set<string>();
  for (const { name } of tables) {
    const { rows } = await sql<{ row: object }>`select to_jsonb(t) as row from ${sql.table(name)} t`.execute(
      db,
    );
    for (const { row } of rows)
      for (const [column, value] of Object.entries(row))
        if (JSON.stringify(value).includes(text)) places.add(`${name}.${column}`);
  }
  return [...places].sort();
}

/** The keys of ours that have it in them. */
export async function placesInRedis(url: string, text: string): Promise<string[]> {
  const redis = new Redis(url);
  const places: string[] = [];
  for (const key of await redis.keys('mcplane:*')) {
    const dump = await redis.dumpBuffer(key).catch(() => null);
    if (dump?.includes(text) || (await contentOf(redis, key)).includes(text)) places.push(key);
  }
  redis.disconnect();
  return places.sort();
}

/** As text: a dump may be compressed. */
async function contentOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'string':
      return (await redis.get(key)) ?? '';
    default:
      return '';
  }
}
