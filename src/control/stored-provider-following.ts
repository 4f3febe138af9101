// Brings the catalog in step with the providers that are stored, wherever they were changed: at the start, with each
// heartbeat, and at once where a signal comes. One round at a time; one that is asked for meanwhile follows it.

import type { StoredProvider } from '../domain/stored-provider.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Catalog, CreateAdapter } from './catalog.ts';
import { type StoredSettings, type StoredSettingsDeps, toStoredSettings } from './stored-settings.ts';

export interface FollowingDeps extends StoredSettingsDeps {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly log: Log;
  /** Loads what the kind needs. */
  readonly loadAdapter: (settings: StoredSettings) => Promise<CreateAdapter>;
}

export interface ProviderFollowing {
  /** Resolves when everything that was stored before is in the catalog. */
  follow(): Promise<void>;
  /** No round begins any more; resolves when there is none under way. */
  stop(): Promise<void>;
}

/** What of a stored provider is in effect here. */
interface Applied {
  readonly revision: string;
  readonly defect: string | undefined;
}

export function createProviderFollowing(deps: FollowingDeps): ProviderFollowing {
  const { store, catalog, log } = deps;
  const applied = new Map<string, Applied>();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let stopped = false;

  async function round(): Promise<void> {
    if (stopped) return;
    const stored = await store.storedProviders.revisions();
    const ids = new Set(stored.map(({ id }) => id));
    for (const id of applied.keys()) if (!ids.has(id)) withdraw(id);
    // With a defect it is tried again: a new envelope changes nothing else.
    const isNews = ({ id, revision }: { id: string; revision: string }) =>
      applied.get(id)?.revision !== revision || applied.get(id)?.defect !== undefined;
    const news = stored.filter(isNews).map(({ id }) => id);
    await Promise.all((await store.storedProviders.byIds(news)).map(take));
  }

  function withdraw(id: string): void {
    applied.delete(id);
    if (!configured(id)) catalog.remove(id);
  }

  /** The configuration's own; what is stored under the same id waits until it is gone from there. */
  function configured(id: string): boolean {
    return catalog.providers().some(provider => provider.id === id && provider.source !== 'STORED');
  }

  async function take(provider: StoredProvider): Promise<void> {
    const { id, revision } = provider;
    const before = applied.get(id);
    if (configured(id)) {
      applied.set(id, { revision, defect: undefined });
      log.warn({ provider: id }, 'a stored provider is not used: the configuration has one of the same id');
      return;
    }
    const { settings, cause } = toStoredSettings(provider, deps);
    const { defect } = settings;
    if (before?.revision === revision && before.defect === defect) return;
    if (defect !== undefined)
      log.error({ error: cause, provider: id, defect }, 'a stored provider cannot be used');
    await catalog.put(settings, await deps.loadAdapter(settings));
    applied.set(id, { revision, defect });
  }

  function follow(): Promise<void> {
    if (running === undefined) {
      running = round().finally(() => (running = undefined));
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return follow();
      });
    return next;
  }

  return {
    follow,
    async stop() {
      stopped = true;
      await (next ?? running)?.catch(() => {});
    },
  };
}
