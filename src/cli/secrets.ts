// `mcplane secrets rotate`: takes the keys of stored providers over to a new master key, on the database itself.

import { loadConfig, masterSecrets } from '../config.ts';
import { withStore } from './local-store.ts';
import { CommandError, writeJson, writeLine } from './terminal.ts';

export async function rotateSecrets(options: { json?: boolean }): Promise<void> {
  const { config } = loadConfig(process.env);
  const { current, previous } = masterSecrets(config);
  if (current === undefined)
    throw new CommandError(
      'MCPLANE_SECRET_KEY is not set. Set it to the new secret, and MCPLANE_SECRET_KEY_PREVIOUS to what it was before.',
    );
  const { createMasterKeys } = await import('../control/master-keys.ts');
  const { rewrapKeys } = await import('../control/key-rotation.ts');
  const { systemClock: clock } = await import('../lib/clock.ts');
  const keys = createMasterKeys(current, previous);
  const { rewrapped, unchanged, failed } = await withStore(config, store =>
    rewrapKeys({ store, keys, clock }),
  );
  if (options.json) writeJson({ masterKeyId: keys.currentId, rewrapped, unchanged, failed });
  else {
    writeLine(`Encrypted anew: ${listed(rewrapped)}. Were so already: ${listed(unchanged)}.`);
    if (failed.length === 0) writeLine('MCPLANE_SECRET_KEY_PREVIOUS is not needed any more.');
  }
  if (failed.length > 0)
    throw new CommandError(
      `Neither MCPLANE_SECRET_KEY nor MCPLANE_SECRET_KEY_PREVIOUS decrypts the keys of ${listed(failed)}. ` +
        'Set the previous one to what it was when they were stored, or give these providers new keys.',
    );
}

function listed(providerIds: readonly string[]): string {
  return providerIds.length === 0 ? 'none' : providerIds.join(', ');
}
