// Providers that administrators make, change and delete while the server runs: permission, rule, write and audit entry in
// one transaction, effect, and news to the other instances.

import { type Actor, authorize } from '../domain/access.ts';
import { auditEvent } from '../domain/audit.ts';
import { DomainError } from '../domain/errors.ts';
import type { Provider, ProviderSource } from '../domain/model.ts';
import type { StoredProvider } from '../domain/stored-provider.ts';
import type { Store } from '../store/store.ts';
import { unaskedProvider } from './provider-entry.ts';
import {
  factsOf,
  type Planned,
  type ProviderChange,
  type ProviderChangeDeps,
  planChange,
  planProvider,
} from './stored-provider-change.ts';
import { createProviderFollowing, type FollowingDeps } from './stored-provider-following.ts';
import { descriptionOf, type ProviderDescription, toStoredSettings } from './stored-settings.ts';

export type { ProviderChange } from './stored-provider-change.ts';
export type { ProviderDescription } from './stored-settings.ts';

export interface StoredProviders {
  /** ADMIN. CONFLICT when the id is taken, when there are too many, or when a key cannot be encrypted. */
  create(actor: Actor, description: ProviderDescription, apiKey?: string | undefined): Promise<Provider>;
  /**
   * ADMIN. Another origin of the base URL drops the key unless a new one is given. CONFLICT for a provider of the
   * configuration, and when somebody else changed it at the same time.
   */
  update(actor: Actor, providerId: string, change: ProviderChange): Promise<Provider>;
  /** ADMIN. CONFLICT for a provider of the configuration. */
  delete(actor: Actor, providerId: string): Promise<void>;
  /** Takes up what is stored; resolves when it is in the catalog. */
  follow(): Promise<void>;
  close(): Promise<void>;
}

export interface StoredProvidersDeps extends FollowingDeps, ProviderChangeDeps {
  readonly maxProviders: number;
  /** Tells the other instances. */
  readonly onChanged: () => void;
}

export function createStoredProviders(deps: StoredProvidersDeps): StoredProviders {
  const { store, log } = deps;
  const following = createProviderFollowing(deps);

  /** Committed already: what fails here is done with the next heartbeat. */
  async function takeEffect(): Promise<void> {
    deps.onChanged();
    await following
      .follow()
      .catch(error => log.warn({ error }, 'a change of the providers takes effect with the next heartbeat'));
  }

  return {
    async create(actor, description, apiKey) {
      authorize(actor, 'provider:manage');
      refuseConfigured(description.id, deps);
      const planned = await planProvider(description, apiKey, deps);
      await store.transaction(async inside => {
        await insert(inside, planned, deps);
        await remember(inside, { action: 'provider.create', actor, planned }, deps);
      });
      await takeEffect();
      return presentState(planned, deps);
    },

    async update(actor, providerId, change) {
      authorize(actor, 'provider:manage');
      const before = await storedOrRefused(providerId, deps);
      const planned = await planChange(before, change, deps);
      const { provider, key, keepsKey } = planned;
      await store.transaction(async inside => {
        const written = await inside.storedProviders.replace(
          provider,
          keepsKey ? 'keep' : key,
          before.revision,
        );
        if (!written)
          throw new DomainError('CONFLICT', `Somebody else changed the provider ${providerId}. Try again.`);
        await remember(inside, { action: 'provider.update', actor, planned }, deps);
      });
      await takeEffect();
      return presentState(planned, deps);
    },

    async delete(actor, providerId) {
      authorize(actor, 'provider:manage');
      const provider = await storedOrRefused(providerId, deps);
      const facts = { before: factsOf(descriptionOf(provider), provider.key) };
      await store.transaction(async inside => {
        if (!(await inside.storedProviders.delete(providerId))) throw notFound(providerId);
        await remember(inside, { action: 'provider.delete', actor, planned: { provider, facts } }, deps);
      });
      await takeEffect();
    },

    follow: following.follow,
    close: following.stop,
  };
}

/** As the catalog has it; or as it will be, when it could not be taken up yet. */
function presentState({ provider, key }: Planned, deps: StoredProvidersDeps): Provider {
  const known = deps.catalog.providers().find(({ id }) => id === provider.id);
  return known ?? unaskedProvider(toStoredSettings({ ...provider, key }, deps).settings, []);
}

async function insert(into: Store, { provider, key }: Planned, { maxProviders }: StoredProvidersDeps) {
  if ((await into.storedProviders.revisions()).length >= maxProviders)
    throw new DomainError(
      'CONFLICT',
      `There are ${maxProviders} stored providers, and no more are admitted (MCPLANE_MAX_STORED_PROVIDERS). Delete one first.`,
    );
  if (!(await into.storedProviders.insert({ ...provider, key })))
    throw new DomainError('CONFLICT', `There is a provider ${provider.id} already. Choose another id.`);
}

const HOW_TO_CHANGE: Record<Exclude<ProviderSource, 'STORED'>, string> = {
  ENVIRONMENT: 'comes from environment variables. Change them and restart the server.',
  FILE: 'comes from the configuration file. Change it and restart the server.',
  BUILT_IN: 'is built in, or was found on this machine. Variables and the configuration file change it.',
};

function refuseConfigured(id: string, { catalog }: StoredProvidersDeps): void {
  const source = catalog.providers().find(provider => provider.id === id)?.source ?? 'STORED';
  if (source === 'STORED') return;
  throw new DomainError('CONFLICT', `The provider ${id} ${HOW_TO_CHANGE[source]}`, { details: { source } });
}

async function storedOrRefused(id: string, deps: StoredProvidersDeps): Promise<StoredProvider> {
  refuseConfigured(id, deps);
  const [provider] = await deps.store.storedProviders.byIds([id]);
  if (!provider) throw notFound(id);
  return provider;
}

function notFound(id: string): DomainError {
  return new DomainError('NOT_FOUND', `There is no provider ${id}.`);
}

interface ProviderAct {
  readonly action: string;
  readonly actor: Actor;
  readonly planned: Pick<Planned, 'provider' | 'facts'>;
}

function remember(
  into: Store,
  { action, actor, planned: { provider, facts } }: ProviderAct,
  { addresses: { clock } }: StoredProvidersDeps,
): Promise<void> {
  return into.audit.append(auditEvent({ action, actor, subject: provider.id, data: facts }, clock.now()));
}
