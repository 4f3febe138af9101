// From the configuration to the providers that are made through the API: what encrypts their keys, where they may be, and
// who is told of changes.

import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { parseProviderDescription } from './config/stored-provider.ts';
import { type Config, ConfigError, masterSecrets } from './config.ts';
import type { Catalog } from './control/catalog.ts';
import { createMasterKeys, type MasterKeys } from './control/master-keys.ts';
import { createStoredProviders, type StoredProviders } from './control/stored-providers.ts';
import type { Signals } from './events/signals.ts';
import { systemClock } from './lib/clock.ts';
import { loadAdapters } from './providers/registry.ts';
import type { Store } from './store/store.ts';
import type { Log } from './telemetry/log.ts';

interface StoredProvidersParts {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly signals: Signals;
  readonly log: Log;
  /** Absent: the system's name service. */
  readonly lookup?: LookupFunction | undefined;
}

/** Resolves when those that are stored are in the catalog. Throws ConfigError when their keys cannot be decrypted. */
export async function openStoredProviders(
  config: Config,
  { store, catalog, signals, log, lookup = systemLookup as LookupFunction }: StoredProvidersParts,
): Promise<StoredProviders> {
  const secrets = masterSecrets(config);
  const keys = createMasterKeys(secrets.current, secrets.previous);
  await refuseLockedKeys(store, keys);
  const admitted = config.storedProviders.allowPrivate;
  const storedProviders = createStoredProviders({
    store,
    catalog,
    keys,
    log,
    parse: parseProviderDescription,
    deadlines: config.deadlines,
    maxProviders: config.limits.maxStoredProviders,
    addresses: {
      httpsOnly: config.mode === 'production',
      allowPrivate: admitted,
      lookup,
      clock: systemClock,
    },
    async loadAdapter({ kind, allowPrivate }) {
      const create = await loadAdapters([kind]);
      const addresses = { allowPrivate: allowPrivate && admitted, lookup };
      return settings => create({ ...settings, addresses });
    },
    onChanged: () => signals.send({ type: 'providers-changed' }),
  });
  signals.onSignal(({ type }) => {
    if (type === 'providers-changed') followLater(storedProviders, log);
  });
  await storedProviders.follow();
  return storedProviders;
}

/** What is to be done with each heartbeat, and beside it a look at what is stored, which may take longer than one. */
export function followingAlong(
  storedProviders: StoredProviders,
  log: Log,
  review: () => Promise<void>,
): () => Promise<void> {
  return () => {
    followLater(storedProviders, log);
    return review();
  };
}

function followLater(storedProviders: StoredProviders, log: Log): void {
  storedProviders
    .follow()
    .catch(error =>
      log.warn({ error }, 'the stored providers could not be read; they are looked at again later'),
    );
}

async function refuseLockedKeys(store: Store, keys: MasterKeys): Promise<void> {
  const stored = await store.storedProviders.keys();
  const locked = stored.filter(({ key }) => !keys.knows(key.masterKeyId)).map(({ providerId }) => providerId);
  if (locked.length === 0) return;
  const isMissing = keys.currentId === undefined;
  const which = `the ${locked.length === 1 ? 'key' : 'keys'} of the stored ${locked.length === 1 ? 'provider' : 'providers'} ${locked.join(', ')}`;
  throw new ConfigError([
    {
      where: 'MCPLANE_SECRET_KEY',
      problem: isMissing ? `is missing, and encrypts ${which}` : `is not the one that encrypted ${which}`,
      fix: isMissing
        ? 'Set it to what it was when they were stored.'
        : 'Set it to what it was then. Was it replaced, set MCPLANE_SECRET_KEY_PREVIOUS to what it was, start, and run `mcplane secrets rotate`.',
    },
  ]);
}
