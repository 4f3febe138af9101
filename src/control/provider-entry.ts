// One provider of the catalog: how it stands, what it offers, and the loop that asks it again. Tells its owner of
// every change that somebody could see, and of nothing else.

import { isDeepStrictEqual } from 'node:util';
import { keyHintOf } from '../domain/key-hint.ts';
import type { Deployment, Provider } from '../domain/model.ts';
import type { DiscoveredModel, ProviderAdapter } from '../providers/provider.ts';
import type { ProviderFault } from '../providers/provider-error.ts';
import type { CatalogDependencies, ProviderSettings } from './catalog.ts';
import { configurationReason, discover, type Finding } from './discovery.ts';
import { holdAdapter } from './held-adapter.ts';
import { isLocal, offeredDeployments, originOf } from './offer.ts';

const REFRESH_MS = 60_000;
/** Local servers come and go with their user, and a question to them costs nothing. */
const LOCAL_REFRESH_MS = 15_000;
/** After traffic condemned the provider. */
const FAULT_RECHECK_MS = 5_000;

type Standing = Pick<Provider, 'status' | 'statusReason'>;

export interface ProviderEntry {
  readonly settings: ProviderSettings;
  current(): Provider;
  adapter(): ProviderAdapter;
  /** Asks once; a refresh that is under way is joined. Afterwards it asks again by itself, until closed. */
  refresh(signal: AbortSignal): Promise<void>;
  reportFault(fault: ProviderFault): void;
  reportSuccess(): void;
  /** Asks no more. Calls go on. */
  stop(): void;
  /** Resolves as soon as no call is under way; calls are counted only of what is stored. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export function createProviderEntry(
  settings: ProviderSettings,
  dependencies: CatalogDependencies,
  onChange: (provider: Provider) => void,
): ProviderEntry {
  const { prices, clock, createAdapter } = dependencies;
  const held = holdAdapter(() => createAdapter(settings), settings.source === 'STORED');
  const lifetime = new AbortController();
  let listed: readonly DiscoveredModel[] | undefined;
  let refreshing: Promise<void> | undefined;
  let cancelTimer = () => {};
  /** How it stood before traffic showed a fault; undefined while it has not. */
  let beforeFault: Standing | undefined;
  let provider = unaskedProvider(settings, offered());

  function offered(): Deployment[] {
    return offeredDeployments(settings, listed, prices, new Date(clock.now()));
  }

  function change(next: Provider): void {
    const { checkedAt: _, ...before } = provider;
    const { checkedAt: __, ...after } = next;
    const changed = !isDeepStrictEqual(before, after);
    provider = changed ? next : { ...provider, checkedAt: next.checkedAt };
    if (changed) onChange(next);
  }

  async function ask(signal: AbortSignal): Promise<void> {
    cancelTimer();
    const either = AbortSignal.any([signal, lifetime.signal]);
    const finding = await discover(settings, held.get, clock, either);
    if (lifetime.signal.aborted) return;
    if (finding) {
      // A remote provider that fails to list keeps what it listed before; a local one that is gone offers nothing.
      if (finding.listed || isLocal(settings.kind)) listed = finding.listed;
      beforeFault = undefined;
      const deployments = offered();
      const checkedAt = new Date(clock.now());
      change({ ...provider, ...standingOf(settings, finding, deployments), checkedAt, deployments });
    }
    const delayMs = refreshDelayMs(provider, dependencies);
    cancelTimer = clock.after(delayMs, () => void entry.refresh(lifetime.signal));
  }

  const entry: ProviderEntry = {
    settings,
    current: () => provider,
    adapter: held.get,
    refresh(signal) {
      refreshing ??= ask(signal).finally(() => (refreshing = undefined));
      return refreshing;
    },
    reportFault(fault) {
      const statusReason = configurationReason(fault, settings);
      if (statusReason === undefined) return;
      beforeFault ??= provider;
      change({ ...provider, status: 'MISCONFIGURED', statusReason });
      // Nothing is routed there now, so no traffic can prove the fault over: the free list is asked soon.
      cancelTimer();
      cancelTimer = clock.after(FAULT_RECHECK_MS, () => void entry.refresh(lifetime.signal));
    },
    reportSuccess() {
      if (!beforeFault) return;
      const { status, statusReason } = beforeFault;
      beforeFault = undefined;
      change({ ...provider, status, statusReason });
    },
    stop() {
      lifetime.abort();
      cancelTimer();
    },
    idle: held.idle,
    async close() {
      entry.stop();
      await refreshing;
      await held.close();
    },
  };
  return entry;
}

function refreshDelayMs({ kind, status }: Provider, dependencies: CatalogDependencies): number {
  const { refreshMs = REFRESH_MS, localRefreshMs = LOCAL_REFRESH_MS } = dependencies;
  return isLocal(kind) || status === 'UNAVAILABLE' ? localRefreshMs : refreshMs;
}

/** As it stands before it was asked anything. */
export function unaskedProvider(settings: ProviderSettings, deployments: readonly Deployment[]): Provider {
  const { id, kind, source, defect } = settings;
  return {
    id,
    kind,
    source,
    origin: originOf(settings),
    keyHint: keyHintOf(settings.apiKey),
    local: settings.local ?? isLocal(kind),
    simulated: kind === 'simulated',
    status: defect === undefined ? 'UNKNOWN' : 'MISCONFIGURED',
    statusReason: defect ?? 'it was not asked yet',
    checkedAt: undefined,
    deployments,
  };
}

function standingOf(
  settings: ProviderSettings,
  finding: Finding,
  deployments: readonly Deployment[],
): Standing {
  if (finding.status === 'AVAILABLE' && deployments.length === 0) {
    const remedy = settings.kind === 'ollama' ? '; `ollama pull` gets one' : '';
    return { status: 'DEGRADED', statusReason: `it answers, but offers no model for chat${remedy}` };
  }
  return { status: finding.status, statusReason: finding.reason };
}
