// Whether the keys of stored providers can be decrypted with the master keys at hand. Tells ids only, from which nothing of
// a key follows.

import type { EncryptedKey } from '../domain/stored-provider.ts';
import type { MasterKeys } from './master-keys.ts';

export interface KeyCheck {
  /** Providers whose keys are under the present master key. */
  readonly current: readonly string[];
  /** Those whose keys are under the previous one. */
  readonly previous: readonly string[];
  /** By the id of a master key that is not known: those whose keys are under it. */
  readonly unknown: ReadonlyMap<string, readonly string[]>;
  /** Those whose keys bear the id of a known master key, which does not decrypt them all the same. */
  readonly damaged: readonly string[];
}

type StoredKey = { readonly providerId: string; readonly key: EncryptedKey };

export function checkKeys(stored: readonly StoredKey[], keys: MasterKeys): KeyCheck {
  const found = { current: [] as string[], previous: [] as string[], damaged: [] as string[] };
  const unknown = new Map<string, string[]>();
  for (const { providerId, key } of stored) {
    const { masterKeyId } = key;
    if (!keys.knows(masterKeyId)) unknown.set(masterKeyId, [...(unknown.get(masterKeyId) ?? []), providerId]);
    else if (!opens(key, providerId, keys)) found.damaged.push(providerId);
    else found[masterKeyId === keys.currentId ? 'current' : 'previous'].push(providerId);
  }
  return { ...found, unknown };
}

function opens(key: EncryptedKey, providerId: string, keys: MasterKeys): boolean {
  try {
    keys.rewrap(key, providerId);
    return true;
  } catch {
    return false;
  }
}
