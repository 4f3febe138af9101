// Texts that stand nowhere else, planted to see where they come out again: one for each input.

import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { openDatabase } from '../../src/store/open.ts';

export interface Canaries {
  /** A new one, for the input of this name. Its length lets it be found in base64 too. */
  plant(name: string): string;
  /** Something that the server made and that must not come out either. */
  add(name: string, text: string): void;
  /** Looks for all of them in a text that was found at a place. */
  search(place: string, text: string): void;
  /** Where each one came out that did, its places in order. */
  found(): Record<string, string[]>;
}

export function createCanaries(): Canaries {
  const planted = new Map<string, string[]>();
  const places = new Map<string, Set<string>>();
  const canaries: Canaries = {
    plant(name) {
      const text = `Canary${randomBytes(9).toString('hex')}`;
      canaries.add(name, text);
      return text;
    },
    add(name, text) {
      const base64 = Buffer.from(text).toString('base64').replace(/=+$/, '');
      planted.set(name, [text, Buffer.from(text).toString('hex'), base64]);
    },
    search(place, text) {
      for (const [name, forms] of planted) {
        if (!forms.some(form => text.includes(form))) continue;
        const known = places.get(name) ?? new Set();
        places.set(name, known.add(place));
      }
    },
    found: () => Object.fromEntries([...places].sort().map(([name, set]) => [name, [...set].sort()])),
  };
  return canaries;
}

/** Everything that is in the database, by table and column. */
export async function dumpDatabase(
  where: { url: string | undefined; dataDir: string },
  visit: (column: string, text: string) => void,
): Promise<void> {
  const { db, close } = await openDatabase({ ...where, log: () => {} });
  const { rows: tables } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(db);
  for (const { name } of tables) {
    const { rows } = await sql<{ row: object }>`select to_jsonb(t) as row from ${sql.table(name)} t`.execute(
      db,
    );
    for (const { row } of rows)
      for (const [column, value] of Object.entries(row)) visit(`${name}.${column}`, JSON.stringify(value));
  }
  await close();
}

/** Every command that Redis gets from now on, with its key or channel; what is in it has come by one of these. */
export async function watchRedis(
  t: { after(end: () => unknown): void },
  url: string,
  visit: (place: string, text: string) => void,
): Promise<void> {
  const redis = new Redis(url);
  const monitor = await redis.monitor();
  t.after(() => {
    monitor.disconnect();
    redis.disconnect();
  });
  monitor.on('monitor', (_time: string, [command = '', ...args]: string[]) => {
    const [key = ''] = command.toLowerCase().startsWith('eval') ? args.slice(2) : args;
    // Ids and hashes tell nothing of what is kept under them.
    visit(`${command.toLowerCase()} ${key.replace(/[0-9a-f-]{32,}/g, '…')}`, args.join(' '));
  });
}
