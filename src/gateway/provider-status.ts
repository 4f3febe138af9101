// Providers as operators see them: status, breakers, their history, live changes. What operators do to them is in
// operator-controls.ts.

import type { Catalog } from '../control/catalog.ts';
import type { BreakerTransition } from '../domain/breaker.ts';
import type { Provider } from '../domain/model.ts';
import type { Signals } from '../events/signals.ts';
import type { Clock } from '../lib/clock.ts';
import { createTopic } from '../lib/topic.ts';
import type { Store } from '../store/store.ts';
import type { Breakers } from './breakers.ts';
import type { Capacity } from './capacity.ts';
import type { Drains } from './drains.ts';
import type { Gateway } from './gateway.ts';
import { createOperatorControls, type OperatorControls } from './operator-controls.ts';

const HISTORY_MS = 24 * 60 * 60 * 1_000;
/** Transitions shown per breaker at most. */
const HISTORY_LIMIT = 100;

interface ProviderStatusDeps {
  readonly catalog: Catalog;
  readonly breakers: Breakers;
  readonly drains: Drains;
  readonly capacity: Capacity;
  readonly store: Store;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
}

export type ProviderStatus = OperatorControls &
  Pick<
    Gateway,
    | 'providers'
    | 'capacityLoad'
    | 'breaker'
    | 'breakerHistory'
    | 'restoreBreakers'
    | 'followBreakerOrders'
    | 'providerUpdates'
  >;

export function createProviderStatus(deps: ProviderStatusDeps): ProviderStatus {
  const { catalog, breakers, store, clock, log } = deps;
  const recording = new Set<Promise<void>>();
  const updates = createTopic<Provider>();
  /** By deployment, the last act of an administrator that has taken effect here. */
  const obeyed = new Map<string, string>();
  const providerById = (id: string | undefined) => catalog.providers().find(provider => provider.id === id);
  const announce = (provider: Provider | undefined) => {
    if (provider) updates.publish(provider.id, provider);
  };

  function record(transition: BreakerTransition): void {
    if (transition.cause === 'manual') obeyed.set(transition.deploymentId, transition.id);
    const recorded = store.breakers
      .append(transition)
      .catch(error => log.warn({ error }, 'a breaker transition was not recorded'))
      .finally(() => recording.delete(recorded));
    recording.add(recorded);
  }

  catalog.onChange(provider => {
    announce(provider);
    // A free sign of life: whoever waits behind an open breaker need not wait out its time.
    if (provider.status === 'AVAILABLE') for (const { id } of provider.deployments) breakers.probeEarly(id);
  });
  breakers.onTransition(transition => {
    announce(providerById(catalog.deployment(transition.deploymentId)?.providerId));
    record(transition);
  });

  return {
    providers: catalog.providers,
    capacityLoad: deps.capacity.load,
    breaker: id => (catalog.deployment(id) ? breakers.snapshot(id) : undefined),
    breakerHistory: ids => store.breakers.historyOf(ids, new Date(clock.now() - HISTORY_MS), HISTORY_LIMIT),
    async restoreBreakers() {
      const sinceMs = clock.now() - HISTORY_MS;
      for (const last of await store.breakers.latest()) {
        // What is held stays so however long ago, and when its deployment is not there yet.
        const held = last.to === 'OPEN' && last.cause === 'manual';
        const recent = last.at.getTime() >= sinceMs && catalog.deployment(last.deploymentId) !== undefined;
        if (held || recent) breakers.restore(last);
      }
      for (const { deploymentId, id } of await store.breakers.latestManual()) obeyed.set(deploymentId, id);
    },
    async followBreakerOrders() {
      for (const order of await store.breakers.latestManual()) {
        const { deploymentId, id } = order;
        // Ids grow with time: what was done here in the meantime is the newer word.
        if (id <= (obeyed.get(deploymentId) ?? '')) continue;
        obeyed.set(deploymentId, id);
        const providerId = catalog.deployment(deploymentId)?.providerId;
        if (order.to === 'CLOSED' && providerId !== undefined) catalog.reportSuccess(providerId);
        breakers.restore(order);
        announce(providerById(providerId));
      }
    },
    providerUpdates: () => updates.subscribe(),
    ...createOperatorControls({
      ...deps,
      announce,
      record,
      recorded: async () => {
        await Promise.all(recording);
      },
    }),
  };
}
