// What can serve requests: providers from the configuration, their models from their own lists, and for every
// model its price, size and capabilities from data. Knows nothing of breakers or traffic.

import type { BreakerRules } from '../domain/breaker-rules.ts';
import type {
  AliasPlace,
  Deadlines,
  Deployment,
  Provider,
  ProviderKind,
  ProviderSource,
} from '../domain/model.ts';
import type { Clock } from '../lib/clock.ts';
import type { ProviderAdapter } from '../providers/provider.ts';
import type { ProviderFault } from '../providers/provider-error.ts';
import type { Log } from '../telemetry/log.ts';
import type { PriceBook, PriceSettings } from './prices.ts';
import { createProviderEntry, type ProviderEntry } from './provider-entry.ts';

/** One model as the configuration names it; everything but the name is an override of the data. */
export interface ModelSettings {
  readonly model: string;
  readonly aliases?: readonly string[] | undefined;
  readonly aliasPlaces?: readonly AliasPlace[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly weight?: number | undefined;
  readonly maxConcurrency?: number | undefined;
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly quality?: number | undefined;
  /** USD per million tokens. */
  readonly price?: PriceSettings | undefined;
  readonly deadlines?: Partial<Deadlines> | undefined;
  /** What its breaker does otherwise than those of its provider. */
  readonly breaker?: Partial<BreakerRules> | undefined;
}

/** One endpoint with one credential. */
export interface ProviderSettings {
  readonly id: string;
  readonly source: ProviderSource;
  readonly kind: ProviderKind;
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  /** OpenAI only; absent: `responses` at the official endpoint, `chat` at any other. */
  readonly api: 'responses' | 'chat' | undefined;
  /** Offered even when the provider's own list lacks them; the only ones offered when `onlyModels`. */
  readonly models: readonly ModelSettings[];
  readonly onlyModels: boolean;
  readonly deadlines: Partial<Deadlines>;
  /** What the breakers of its deployments do otherwise than all others. */
  readonly breaker?: Partial<BreakerRules> | undefined;
  /** True when the operator asked for it; false when it is only looked for (Ollama and LM Studio on their default ports). */
  readonly explicit: boolean;
}

export interface Catalog {
  providers(): readonly Provider[];
  deployments(): readonly Deployment[];
  deployment(id: string): Deployment | undefined;
  adapterOf(deployment: Deployment): ProviderAdapter;
  /** Asks every provider for its models once; resolves when all have answered or failed. Never throws. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Traffic met a fault. One that condemns the whole provider marks it MISCONFIGURED until a refresh or a success. */
  reportFault(providerId: string, fault: ProviderFault): void;
  /** Traffic got an answer: what `reportFault` marked is taken back. */
  reportSuccess(providerId: string): void;
  /** Called after a provider's status or deployments changed; returns the way to stop it. */
  onChange(listener: (provider: Provider) => void): () => void;
  close(): Promise<void>;
}

export interface CatalogDependencies {
  readonly providers: readonly ProviderSettings[];
  readonly prices: PriceBook;
  readonly createAdapter: (settings: ProviderSettings) => ProviderAdapter;
  readonly clock: Clock;
  readonly log: Log;
  /** How often each list is asked for anew; the shorter one for local providers and those that are unavailable. */
  readonly refreshMs?: number | undefined;
  readonly localRefreshMs?: number | undefined;
}

/**
 * The catalog over the configured providers. Until the first `refresh` it offers what it would without any list;
 * from then on it asks again by itself, until it is closed.
 */
export function createCatalog(dependencies: CatalogDependencies): Catalog {
  const { log } = dependencies;
  const listeners = new Set<(provider: Provider) => void>();
  const settingsById = new Map(dependencies.providers.map(settings => [settings.id, settings]));
  const entries = new Map(
    dependencies.providers.map(settings => [
      settings.id,
      createProviderEntry(settings, dependencies, announce),
    ]),
  );
  let index = indexOf(entries);

  function announce(provider: Provider): void {
    index = indexOf(entries);
    const { id, status, statusReason, deployments } = provider;
    const facts = { provider: id, status, reason: statusReason, deployments: deployments.length };
    // A local server that is only looked for may be missing without a word.
    const expected = status === 'AVAILABLE' || !settingsById.get(id)?.explicit;
    log[expected ? 'debug' : 'warn'](facts, 'provider changed');
    for (const listener of listeners) {
      try {
        listener(provider);
      } catch (error) {
        log.error({ error, provider: id }, 'a listener of the catalog failed');
      }
    }
  }

  return {
    providers: () => [...entries.values()].map(entry => entry.current()),
    deployments: () => index.deployments,
    deployment: id => index.byId.get(id),
    adapterOf({ providerId }) {
      const entry = entries.get(providerId);
      if (!entry) throw new Error(`There is no provider ${providerId}`);
      return entry.adapter();
    },
    async refresh(signal) {
      await Promise.all([...entries.values()].map(entry => entry.refresh(signal)));
    },
    reportFault: (providerId, fault) => entries.get(providerId)?.reportFault(fault),
    reportSuccess: providerId => entries.get(providerId)?.reportSuccess(),
    onChange(listener) {
      // Its own object for every registration: the same function registered twice is called twice, and ends apart.
      const registered = (provider: Provider) => listener(provider);
      listeners.add(registered);
      return () => listeners.delete(registered);
    },
    async close() {
      listeners.clear();
      await Promise.allSettled([...entries.values()].map(entry => entry.close()));
    },
  };
}

interface CatalogIndex {
  readonly deployments: readonly Deployment[];
  readonly byId: ReadonlyMap<string, Deployment>;
}

function indexOf(entries: ReadonlyMap<string, ProviderEntry>): CatalogIndex {
  const deployments = [...entries.values()].flatMap(entry => entry.current().deployments);
  return { deployments, byId: new Map(deployments.map(deployment => [deployment.id, deployment])) };
}
