// Providers as operators see them: status, breakers, their history, live changes, and the reset.

import type { Catalog } from '../control/catalog.ts';
import { authorize } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { Provider } from '../domain/model.ts';
import { cancellable } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { createTopic } from '../lib/topic.ts';
import type { Store } from '../store/store.ts';
import type { Breakers } from './breakers.ts';
import type { Gateway } from './gateway.ts';

const HISTORY_MS = 24 * 60 * 60 * 1_000;
/** Transitions shown per breaker at most. */
const HISTORY_LIMIT = 100;

interface ProviderStatusDeps {
  readonly catalog: Catalog;
  readonly breakers: Breakers;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
}

type ProviderStatus = Pick<
  Gateway,
  'providers' | 'breaker' | 'breakerHistory' | 'restoreBreakers' | 'providerUpdates' | 'resetBreaker'
>;

export function createProviderStatus({
  catalog,
  breakers,
  store,
  clock,
  log,
}: ProviderStatusDeps): ProviderStatus {
  const updates = createTopic<Provider>();
  const providerById = (id: string | undefined) => catalog.providers().find(provider => provider.id === id);
  const announce = (provider: Provider | undefined) => provider && updates.publish(provider.id, provider);

  catalog.onChange(provider => {
    announce(provider);
    // A free sign of life: whoever waits behind an open breaker need not wait out its time.
    if (provider.status === 'AVAILABLE') for (const { id } of provider.deployments) breakers.probeEarly(id);
  });
  breakers.onTransition(transition => {
    announce(providerById(catalog.deployment(transition.deploymentId)?.providerId));
    store.breakers
      .append(transition)
      .catch(error => log.warn({ error }, 'a breaker transition was not recorded'));
  });

  return {
    providers: catalog.providers,
    breaker: id => (catalog.deployment(id) ? breakers.snapshot(id) : undefined),
    breakerHistory: ids => store.breakers.historyOf(ids, new Date(clock.now() - HISTORY_MS), HISTORY_LIMIT),
    async restoreBreakers() {
      const ids = catalog.deployments().map(deployment => deployment.id);
      const histories = await store.breakers.historyOf(ids, new Date(clock.now() - HISTORY_MS), 1);
      for (const [last] of histories) if (last) breakers.restore(last);
    },
    providerUpdates: () => cancellable(signal => updates.subscribe(signal)),
    async resetBreaker(actor, { deploymentId, providerId }, reason) {
      authorize(actor, 'breaker:reset');
      if ((deploymentId === undefined) === (providerId === undefined))
        throw badInput('deploymentId', 'or providerId is required, and not both');
      if (reason.trim() === '' || reason.length > 500)
        throw badInput('reason', 'must have 1 to 500 characters');
      const target = deploymentId === undefined ? undefined : catalog.deployment(deploymentId);
      const provider = providerById(target?.providerId ?? providerId);
      if (!provider || (deploymentId !== undefined && !target))
        throw new DomainError(
          'NOT_FOUND',
          `There is no ${deploymentId ? 'deployment' : 'provider'} ${deploymentId ?? providerId}.`,
        );
      const deployments = target ? [target] : provider.deployments;
      await store.audit.append({
        id: newId(),
        at: new Date(clock.now()),
        actorId: actor.userId,
        actorName: actor.username,
        action: 'breaker.reset',
        subject: deploymentId ?? provider.id,
        reason,
        data: {
          before: deployments.map(({ id }) => ({ deploymentId: id, state: breakers.snapshot(id).state })),
        },
      });
      // Whatever condemned the provider is forgiven too, or nothing would be routed to the closed breakers.
      catalog.reportSuccess(provider.id);
      for (const { id } of deployments) breakers.reset(id, reason);
      announce(provider);
      return provider;
    },
  };
}
