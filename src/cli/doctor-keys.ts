// What `mcplane doctor` says of the keys of stored providers.

import { type Config, presentMasterSecrets } from '../config.ts';
import type { Store } from '../store/store.ts';
import type { Finding } from './doctor.ts';

const check = 'provider keys';

export async function checkStoredKeys(config: Config, store: Store): Promise<Finding> {
  const stored = await store.storedProviders.keys();
  if (stored.length === 0) return { check, state: 'ok', detail: 'none are stored' };
  const { current, previous } = presentMasterSecrets(config);
  const ids = stored.map(({ providerId }) => providerId);
  if (current === undefined) {
    const under = [...new Set(stored.map(({ key }) => key.masterKeyId))].join(', ');
    const detail = `MCPLANE_SECRET_KEY is not set, and the keys of ${listed(ids)} are encrypted under the master key ${under}: set it to what it was when they were stored`;
    return { check, state: 'failed', detail };
  }
  const { createMasterKeys } = await import('../control/master-keys.ts');
  const { checkKeys } = await import('../control/key-check.ts');
  const keys = createMasterKeys(current, previous);
  const found = checkKeys(stored, keys);
  const name =
    config.secretKey.current === undefined ? 'the secret of the data directory' : 'MCPLANE_SECRET_KEY';
  const wrong = [...found.unknown].map(
    ([masterKeyId, providers]) =>
      `${name} is the master key ${keys.currentId}, but the keys of ${listed(providers)} are encrypted under ${masterKeyId}: set MCPLANE_SECRET_KEY, or MCPLANE_SECRET_KEY_PREVIOUS, to what it was when they were stored`,
  );
  if (found.damaged.length > 0)
    wrong.push(`the stored keys of ${listed(found.damaged)} were changed: give these providers new ones`);
  if (wrong.length > 0) return { check, state: 'failed', detail: wrong.join('; ') };
  if (found.previous.length > 0) {
    const detail = `the keys of ${listed(found.previous)} are still under MCPLANE_SECRET_KEY_PREVIOUS: run \`mcplane secrets rotate\``;
    return { check, state: 'warning', detail };
  }
  return {
    check,
    state: 'ok',
    detail: `${name} (the master key ${keys.currentId}) decrypts all ${ids.length}`,
  };
}

function listed(providerIds: readonly string[]): string {
  return providerIds.join(', ');
}
