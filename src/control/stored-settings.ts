// From a stored provider to what the catalog is made of. What cannot be read or decrypted makes a provider that says so and
// is not used, rather than a server that does not start.

import type { Deadlines, ProviderKind } from '../domain/model.ts';
import type { StoredProvider } from '../domain/stored-provider.ts';
import { keyOriginOf } from './base-url.ts';
import type { ModelSettings, ProviderSettings } from './catalog.ts';
import type { MasterKeys } from './master-keys.ts';

/** What is said of a provider, in the words of the configuration file; all but its key. */
export interface ProviderDescription {
  readonly id: string;
  readonly kind: ProviderKind;
  readonly baseUrl?: string | undefined;
  readonly api?: 'responses' | 'chat' | undefined;
  readonly models?: readonly ModelSettings[] | undefined;
  readonly onlyModels?: boolean | undefined;
  readonly deadlines?: Partial<Deadlines> | undefined;
  /** On own hardware; absent: as its kind says. */
  readonly local?: boolean | undefined;
  /** It may be on own hardware or an own network. */
  readonly allowPrivate?: boolean | undefined;
}

export interface StoredSettingsDeps {
  readonly keys: MasterKeys;
  /** Throws BAD_USER_INPUT. */
  readonly parse: (description: object) => ProviderDescription;
  /** Those that the operator set for all providers. */
  readonly deadlines: Partial<Deadlines>;
}

export interface StoredSettings extends ProviderSettings {
  readonly allowPrivate: boolean;
}

/** As it was described, not checked again. */
export function descriptionOf({ id, kind, baseUrl, settings }: StoredProvider): ProviderDescription {
  return { ...(settings as Partial<ProviderDescription>), id, kind, baseUrl };
}

/** `cause`: of the defect, for the log. */
export function toStoredSettings(
  provider: StoredProvider,
  deps: StoredSettingsDeps,
): { readonly settings: StoredSettings; readonly cause: unknown } {
  let description: ProviderDescription = { id: provider.id, kind: provider.kind };
  let understood: Secret = {};
  try {
    description = deps.parse(descriptionOf(provider));
  } catch (cause) {
    const defect = 'what is stored of it is not understood by this version; change it, or delete it';
    understood = { defect, cause };
  }
  const {
    id,
    kind,
    baseUrl,
    api,
    models = [],
    onlyModels = false,
    local,
    allowPrivate = false,
  } = description;
  const { apiKey, defect, cause } =
    understood.defect === undefined ? secretOf(provider, deps.keys) : understood;
  const settings: StoredSettings = {
    id,
    kind,
    source: 'STORED',
    baseUrl,
    apiKey,
    api,
    models,
    onlyModels,
    deadlines: { ...deps.deadlines, ...description.deadlines },
    local,
    allowPrivate,
    explicit: true,
    defect,
  };
  return { settings, cause };
}

interface Secret {
  readonly apiKey?: string | undefined;
  readonly defect?: string | undefined;
  readonly cause?: unknown;
}

function secretOf(provider: StoredProvider, keys: MasterKeys): Secret {
  const { id, key, keyVersion } = provider;
  if (!key) return {};
  if (!keys.knows(key.masterKeyId))
    return {
      defect: 'its key is encrypted under another MCPLANE_SECRET_KEY than is set here',
      cause: new Error(`the master key ${key.masterKeyId} is not known`),
    };
  try {
    // An earlier key of the provider was put back.
    if (key.version !== keyVersion) throw new Error('the key is not the latest one');
    return { apiKey: keys.decrypt(key, { providerId: id, origin: keyOriginOf(provider) }) };
  } catch (cause) {
    return { defect: 'its stored key cannot be decrypted; give it a new one', cause };
  }
}
