// Opens the store that DATABASE_URL names: a Postgres server, an embedded database in the data directory, or one in
// memory. When it resolves the schema is current.

import { createStore, type OpenedDatabase } from './create-store.ts';
import { openDirectory, openMemory } from './embedded.ts';
import type { OpenOptions } from './options.ts';
import { openPostgres } from './postgres.ts';
import type { Store } from './store.ts';

export type { OpenOptions } from './options.ts';

/** Throws DirectoryInUseError when another process has the data directory. */
export async function openStore(options: OpenOptions): Promise<Store> {
  return createStore(await openDatabase(options));
}

/** The database beneath the store, for what works on tables of its own in the same transactions. */
export function openDatabase(options: OpenOptions): Promise<OpenedDatabase> {
  const { url } = options;
  if (url === undefined || url === '') return openDirectory(options);
  if (url === 'memory:') return openMemory(options);
  if (/^postgres(ql)?:\/\//.test(url)) return openPostgres(url, options);
  // The URL itself may hold a password, so only its scheme is repeated.
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0];
  throw new Error(
    `DATABASE_URL ${scheme ? `begins with ${scheme}` : 'is not a URL'}: it must be postgres://…, memory:, or unset ` +
      'for the embedded database',
  );
}
