// Takes the keys of stored providers over to a new master key: each gets a new envelope, in a transaction of its own with
// its audit entry. What was interrupted goes on where it was; what is done is not done again. Servers may run meanwhile.

import { auditEvent } from '../domain/audit.ts';
import type { EncryptedKey } from '../domain/stored-provider.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { MasterKeys } from './master-keys.ts';

export interface Rotation {
  /** Providers whose keys were taken over. */
  readonly rewrapped: readonly string[];
  /** Those whose keys were under the present master key already. */
  readonly unchanged: readonly string[];
  /** Those whose keys neither the present nor the previous master key decrypts. */
  readonly failed: readonly string[];
}

interface RotationDeps {
  readonly store: Store;
  readonly keys: MasterKeys;
  readonly clock: Clock;
}

type StoredKey = { readonly providerId: string; readonly key: EncryptedKey };

export async function rewrapKeys(deps: RotationDeps): Promise<Rotation> {
  const { store, keys } = deps;
  const rewrapped = new Set<string>();
  const failed = new Set<string>();
  const isDue = ({ providerId, key }: StoredKey) =>
    key.masterKeyId !== keys.currentId && !failed.has(providerId);
  for (;;) {
    // Read again until nothing is due: a server may have stored another key meanwhile.
    const stored = await store.storedProviders.keys();
    const due = stored.filter(isDue);
    if (due.length === 0) {
      const done = (id: string) => rewrapped.has(id) || failed.has(id);
      const unchanged = stored.map(({ providerId }) => providerId).filter(id => !done(id));
      return { rewrapped: [...rewrapped], unchanged, failed: [...failed] };
    }
    for (const each of due) {
      const outcome = await rewrapOne(each, deps);
      if (outcome === 'failed') failed.add(each.providerId);
      if (outcome === 'done') rewrapped.add(each.providerId);
    }
  }
}

async function rewrapOne(
  { providerId, key }: StoredKey,
  { store, keys, clock }: RotationDeps,
): Promise<'done' | 'failed' | 'changed'> {
  let fresh: EncryptedKey;
  try {
    fresh = keys.rewrap(key, providerId);
  } catch {
    return 'failed';
  }
  return store.transaction(async inside => {
    if (!(await inside.storedProviders.rewrapKey(providerId, fresh, key.masterKeyId))) return 'changed';
    const data = { keyVersion: key.version, from: key.masterKeyId, to: fresh.masterKeyId };
    await inside.audit.append(
      auditEvent({ action: 'providerKey.rewrap', actor: undefined, subject: providerId, data }, clock.now()),
    );
    return 'done';
  });
}
