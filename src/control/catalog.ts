// What can serve requests: the providers of the configuration and those that come and go while the server runs, their
// models from their own lists, and for every model its price, size and capabilities from data. Knows nothing of breakers
// or traffic.

import type { BreakerRules } from '../domain/breaker-rules.ts';
import type {
  AliasPlace,
  Deadlines,
  Deployment,
  Provider,
  ProviderKind,
  ProviderSource,
} from '../domain/model.ts';
import { type Clock, pause } from '../lib/clock.ts';
import type { ProviderAdapter } from '../providers/provider.ts';
import type { ProviderFault } from '../providers/provider-error.ts';
import type { Log } from '../telemetry/log.ts';
import type { PriceBook, PriceSettings } from './prices.ts';
import { createProviderEntry, type ProviderEntry } from './provider-entry.ts';

/** Whoever has chosen a provider before it was taken away begins the call by then. */
const RETIRE_MS = 1_000;

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
  /** Whether it keeps to a JSON Schema that is sent with the call. */
  readonly structuredOutput?: boolean | undefined;
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
  /** On own hardware: prompts stay in the house; absent: as its kind says. */
  readonly local?: boolean | undefined;
  /** Why it cannot be used, and what to do about it: it offers nothing and is not asked. */
  readonly defect?: string | undefined;
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

export type CreateAdapter = (settings: ProviderSettings) => ProviderAdapter;

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
  /**
   * Adds a provider, or replaces the one of this id. It counts from the moment it was asked for its models, or has left
   * that unanswered for some seconds; then this resolves. Never throws. Calls under way finish where they are.
   */
  put(settings: ProviderSettings, createAdapter: CreateAdapter): Promise<void>;
  /** Takes a provider away at once, if there is one. Calls under way finish. Listeners see it without deployments. */
  remove(providerId: string): void;
  /** Called after a provider's status or deployments changed; returns the way to stop it. */
  onChange(listener: (provider: Provider) => void): () => void;
  close(): Promise<void>;
}

export interface CatalogDependencies {
  readonly providers: readonly ProviderSettings[];
  readonly prices: PriceBook;
  readonly createAdapter: CreateAdapter;
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
  const listeners = createListeners(log);
  const entries = new Map(
    dependencies.providers.map(settings => [settings.id, open(settings, dependencies.createAdapter)]),
  );
  /** Replaced or removed, until their last call has ended. */
  const retired = new Set<ProviderEntry>();
  let index = indexOf(entries);
  const lifetime = new AbortController();

  function open(settings: ProviderSettings, createAdapter: CreateAdapter): ProviderEntry {
    const entry = createProviderEntry(settings, { ...dependencies, createAdapter }, provider => {
      if (entries.get(provider.id) === entry) announce(provider);
    });
    return entry;
  }

  async function retire(entry: ProviderEntry): Promise<void> {
    retired.add(entry);
    entry.stop();
    await pause(dependencies.clock, RETIRE_MS);
    await entry.idle();
    await entry.close();
    retired.delete(entry);
  }

  function announce(provider: Provider): void {
    index = indexOf(entries);
    const { id, status, statusReason, deployments } = provider;
    const facts = { provider: id, status, reason: statusReason, deployments: deployments.length };
    // A local server that is only looked for may be missing without a word.
    const expected = status === 'AVAILABLE' || entries.get(id)?.settings.explicit !== true;
    log[expected ? 'debug' : 'warn'](facts, 'provider changed');
    listeners.tell(provider);
  }

  return {
    providers: () => [...entries.values()].map(entry => entry.current()),
    deployments: () => index.deployments,
    deployment: id => index.byId.get(id),
    adapterOf({ providerId }) {
      // Chosen a moment ago, and removed since: the call may still be made.
      const entry =
        entries.get(providerId) ?? [...retired].find(({ settings }) => settings.id === providerId);
      if (!entry) throw new Error(`There is no provider ${providerId}`);
      return entry.adapter();
    },
    async refresh(signal) {
      await Promise.all([...entries.values()].map(entry => entry.refresh(signal)));
    },
    reportFault: (providerId, fault) => entries.get(providerId)?.reportFault(fault),
    reportSuccess: providerId => entries.get(providerId)?.reportSuccess(),
    async put(settings, createAdapter) {
      const entry = open(settings, createAdapter);
      await entry.refresh(lifetime.signal);
      if (lifetime.signal.aborted) return entry.close();
      const before = entries.get(settings.id);
      entries.set(settings.id, entry);
      if (before) void retire(before);
      announce(entry.current());
    },
    remove(providerId) {
      const entry = entries.get(providerId);
      if (!entry) return;
      entries.delete(providerId);
      void retire(entry);
      announce(withdrawn(entry.current()));
    },
    onChange: listeners.add,
    async close() {
      listeners.clear();
      lifetime.abort();
      await Promise.allSettled([...entries.values(), ...retired].map(entry => entry.close()));
    },
  };
}

type Listener = Parameters<Catalog['onChange']>[0];

function createListeners(log: Log) {
  const listeners = new Set<Listener>();
  return {
    add(listener: Listener): () => void {
      // Its own object for every registration: the same function registered twice is called twice, and ends apart.
      const registered = (provider: Provider) => listener(provider);
      listeners.add(registered);
      return () => listeners.delete(registered);
    },
    tell(provider: Provider): void {
      for (const listener of listeners) {
        try {
          listener(provider);
        } catch (error) {
          log.error({ error, provider: provider.id }, 'a listener of the catalog failed');
        }
      }
    },
    clear: () => listeners.clear(),
  };
}

/** What is there to see of a provider that is gone. */
function withdrawn(provider: Provider): Provider {
  return { ...provider, status: 'UNAVAILABLE', statusReason: 'it was deleted', deployments: [] };
}

interface CatalogIndex {
  readonly deployments: readonly Deployment[];
  readonly byId: ReadonlyMap<string, Deployment>;
}

function indexOf(entries: ReadonlyMap<string, ProviderEntry>): CatalogIndex {
  const deployments = [...entries.values()].flatMap(entry => entry.current().deployments);
  return { deployments, byId: new Map(deployments.map(deployment => [deployment.id, deployment])) };
}
