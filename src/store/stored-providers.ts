// Providers made through the API and their encrypted keys. What a change replaces is told by its revision, so that of two
// changes at once the second is refused instead of undoing the first.

import { type Kysely, type Selectable, sql } from 'kysely';
import type { EncryptedKey, StoredProvider } from '../domain/stored-provider.ts';
import { toJson } from './json.ts';
import type { ProviderKeysTable, StoredProvidersTable, Tables } from './tables.ts';

export interface StoredProviderRepository {
  /** Of all of them, by id: what there is to read anew. */
  revisions(): Promise<{ readonly id: string; readonly revision: string }[]>;
  /** Those of them that there are. */
  byIds(ids: readonly string[]): Promise<StoredProvider[]>;
  /** With its key. In a transaction. False: the id is taken. */
  insert(provider: StoredProvider): Promise<boolean>;
  /**
   * Replaces all but the id. `key`: the new one, undefined for none, or `keep`. In a transaction. False: what is stored
   * has another revision than `replaced`, or is gone.
   */
  replace(
    provider: Omit<StoredProvider, 'key'>,
    key: EncryptedKey | undefined | 'keep',
    replaced: string,
  ): Promise<boolean>;
  /** With its key. False: there is none of that id. */
  delete(id: string): Promise<boolean>;
  /** All keys, by provider. */
  keys(): Promise<{ readonly providerId: string; readonly key: EncryptedKey }[]>;
  /** Stores a key's new envelope; false: the key is another by now, or no longer under the master key `from`. */
  rewrapKey(providerId: string, key: EncryptedKey, from: string): Promise<boolean>;
}

export function storedProvidersIn(db: Kysely<Tables>): StoredProviderRepository {
  return {
    revisions: () => db.selectFrom('stored_providers').select(['id', 'revision']).orderBy('id').execute(),

    async byIds(ids) {
      if (ids.length === 0) return [];
      const rows = await db
        .selectFrom('stored_providers')
        .leftJoin('provider_keys', 'provider_keys.provider_id', 'stored_providers.id')
        .selectAll('stored_providers')
        .select(['version', 'master_key_id', 'data_key', 'ciphertext'])
        .where('id', 'in', ids)
        .orderBy('id')
        .execute();
      return rows.map(toStoredProvider);
    },

    async insert({ id, key, ...provider }) {
      const inserted = await db
        .insertInto('stored_providers')
        .values({ id, ...columnsOf(provider) })
        .onConflict(conflict => conflict.doNothing())
        .returning('id')
        .executeTakeFirst();
      if (!inserted) return false;
      if (key) await insertKey(db, id, key);
      return true;
    },

    async replace({ id, ...provider }, key, replaced) {
      const updated = await db
        .updateTable('stored_providers')
        .set({ ...columnsOf(provider), updated_at: sql`now()` })
        .where('id', '=', id)
        .where('revision', '=', replaced)
        .returning('id')
        .executeTakeFirst();
      if (!updated) return false;
      if (key === 'keep') return true;
      await db.deleteFrom('provider_keys').where('provider_id', '=', id).execute();
      if (key) await insertKey(db, id, key);
      return true;
    },

    async delete(id) {
      const deleted = await db
        .deleteFrom('stored_providers')
        .where('id', '=', id)
        .returning('id')
        .executeTakeFirst();
      return deleted !== undefined;
    },

    async keys() {
      const rows = await db.selectFrom('provider_keys').selectAll().orderBy('provider_id').execute();
      return rows.map(row => ({ providerId: row.provider_id, key: toKey(row) }));
    },

    async rewrapKey(providerId, { version, masterKeyId, dataKey }, from) {
      const updated = await db
        .updateTable('provider_keys')
        .set({ master_key_id: masterKeyId, data_key: dataKey })
        .where('provider_id', '=', providerId)
        .where('version', '=', version)
        .where('master_key_id', '=', from)
        .returning('provider_id')
        .executeTakeFirst();
      return updated !== undefined;
    },
  };
}

function columnsOf({ kind, baseUrl, settings, revision, keyVersion }: Omit<StoredProvider, 'id' | 'key'>) {
  return {
    kind,
    base_url: baseUrl ?? null,
    settings: toJson(settings) ?? '{}',
    revision,
    key_version: keyVersion,
  };
}

async function insertKey(db: Kysely<Tables>, providerId: string, key: EncryptedKey): Promise<void> {
  const { version, masterKeyId, dataKey, ciphertext } = key;
  await db
    .insertInto('provider_keys')
    .values({
      provider_id: providerId,
      version,
      master_key_id: masterKeyId,
      data_key: dataKey,
      ciphertext,
    })
    .execute();
}

type KeyColumns = Pick<
  Selectable<ProviderKeysTable>,
  'version' | 'master_key_id' | 'data_key' | 'ciphertext'
>;

function toStoredProvider(
  row: Selectable<StoredProvidersTable> & { readonly [Name in keyof KeyColumns]: KeyColumns[Name] | null },
): StoredProvider {
  return {
    id: row.id,
    kind: row.kind,
    baseUrl: row.base_url ?? undefined,
    settings: row.settings,
    revision: row.revision,
    keyVersion: row.key_version,
    // The columns of a key are there together, or none of them is.
    key: row.version === null ? undefined : toKey(row as KeyColumns),
  };
}

function toKey(row: KeyColumns): EncryptedKey {
  const { version, master_key_id: masterKeyId, data_key: dataKey, ciphertext } = row;
  return { version, masterKeyId, dataKey, ciphertext };
}
