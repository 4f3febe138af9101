// What a stored provider is to become: judged by the rules, its address looked at, its key encrypted or dropped. Nothing is
// written here.

import { badInput, DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { EncryptedKey, StoredProvider } from '../domain/stored-provider.ts';
import { type BaseUrlPolicy, checkBaseUrl, keyOriginOf } from './base-url.ts';
import type { MasterKeys } from './master-keys.ts';
import { descriptionOf, type ProviderDescription } from './stored-settings.ts';

/** What is left out or undefined stays. */
export interface ProviderChange extends Partial<Omit<ProviderDescription, 'id' | 'kind'>> {
  readonly apiKey?: string | undefined;
  /** It has no key any more. */
  readonly dropKey?: boolean | undefined;
}

export interface ProviderChangeDeps {
  readonly addresses: BaseUrlPolicy;
  readonly keys: MasterKeys;
  /** Throws BAD_USER_INPUT. */
  readonly parse: (description: object) => ProviderDescription;
}

/** What is to be written, and what the audit log says of it. */
export interface Planned {
  readonly provider: Omit<StoredProvider, 'key'>;
  readonly key: EncryptedKey | undefined;
  /** The key is the one it had before. */
  readonly keepsKey: boolean;
  readonly facts: object;
}

const API_KEY = /^[\x21-\x7e]{1,1000}$/;

export async function planProvider(
  given: ProviderDescription,
  apiKey: string | undefined,
  deps: ProviderChangeDeps,
): Promise<Planned> {
  const description = deps.parse(given);
  await checkBaseUrl(description, deps.addresses);
  const version = apiKey === undefined ? 0 : 1;
  const key = apiKey === undefined ? undefined : encrypt(apiKey, version, description, deps);
  const provider = toStored(description, version);
  return { provider, key, keepsKey: false, facts: factsOf(description, key) };
}

/** A key belongs to its origin: where that changes it is dropped, unless a new one is given. */
export async function planChange(
  before: StoredProvider,
  { apiKey, dropKey = false, ...changes }: ProviderChange,
  deps: ProviderChangeDeps,
): Promise<Planned> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  if (given.length === 0 && apiKey === undefined && !dropKey) throw badInput('input', 'changes nothing');
  if (apiKey !== undefined && dropKey) throw badInput('dropKey', 'contradicts apiKey');
  const past = descriptionOf(before);
  const description = deps.parse({ ...past, ...Object.fromEntries(given) });
  if (changes.baseUrl !== undefined || changes.allowPrivate !== undefined)
    await checkBaseUrl(description, deps.addresses);
  const version = before.keyVersion + (apiKey === undefined ? 0 : 1);
  const keepsKey = apiKey === undefined && !dropKey && keyOriginOf(description) === keyOriginOf(before);
  const fresh = apiKey === undefined ? undefined : encrypt(apiKey, version, description, deps);
  const key = keepsKey ? before.key : fresh;
  const outcome = keepsKey || before.key === key ? 'kept' : key ? 'set' : 'dropped';
  const facts = {
    changed: given.map(([name]) => name),
    key: outcome,
    before: factsOf(past, before.key),
    after: factsOf(description, key),
  };
  return { provider: toStored(description, version), key, keepsKey, facts };
}

/** For the audit log; a base URL may have a secret in its path. */
export function factsOf(description: ProviderDescription, key: EncryptedKey | undefined): object {
  const { kind, models = [], onlyModels, local, allowPrivate } = description;
  return {
    kind,
    origin: keyOriginOf(description),
    models: models.map(({ model }) => model),
    onlyModels,
    local,
    allowPrivate,
    keyVersion: key?.version,
  };
}

function toStored(description: ProviderDescription, keyVersion: number): Omit<StoredProvider, 'key'> {
  const { id, kind, baseUrl, ...settings } = description;
  return { id, kind, baseUrl, settings, revision: newId(), keyVersion };
}

function encrypt(
  apiKey: string,
  version: number,
  description: ProviderDescription,
  { keys }: ProviderChangeDeps,
): EncryptedKey {
  if (!API_KEY.test(apiKey)) throw badInput('apiKey', 'must be 1 to 1000 visible ASCII characters');
  if (keys.currentId === undefined)
    throw new DomainError(
      'CONFLICT',
      'No key can be stored, for there is nothing to encrypt it with. Set MCPLANE_SECRET_KEY on every instance, for ' +
        'example to the output of `openssl rand -base64 32`, and restart; or put the provider into the configuration.',
    );
  return keys.encrypt(apiKey, version, { providerId: description.id, origin: keyOriginOf(description) });
}
