// What an administrator does to deployments by hand: reset and open breakers, drain, enable. All go the same way:
// permission, input, audit, effect, news, also to the other instances. The audit entry is stored before anything takes effect.

import type { Catalog } from '../control/catalog.ts';
import { type Actor, authorize } from '../domain/access.ts';
import { auditEvent } from '../domain/audit.ts';
import type { BreakerTransition } from '../domain/breaker.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { Deployment, Provider } from '../domain/model.ts';
import type { Signals } from '../events/signals.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Breakers } from './breakers.ts';
import type { Drains } from './drains.ts';
import type { Gateway, OperatorTarget } from './gateway.ts';

const MAX_REASON_LENGTH = 500;

interface OperatorControlsDeps {
  readonly catalog: Catalog;
  readonly breakers: Breakers;
  readonly drains: Drains;
  readonly store: Store;
  readonly clock: Clock;
  readonly signals: Signals;
  /** Tells the subscribers of providers. */
  readonly announce: (provider: Provider | undefined) => void;
  /** Stores what was done to a breaker, for the other instances to do it too. */
  readonly record: (transition: BreakerTransition) => void;
  /** Resolves when all changes of breakers so far are stored. */
  readonly recorded: () => Promise<void>;
}

export type OperatorControls = Pick<
  Gateway,
  'resetBreaker' | 'openBreaker' | 'drainDeployment' | 'enableDeployment' | 'drainOf' | 'restoreDrains'
>;

/** An act that was allowed and understood. */
interface Order {
  readonly actor: Actor;
  readonly reason: string;
  readonly at: Date;
  readonly provider: Provider;
  readonly deployments: readonly Deployment[];
  /** The id that the administrator gave. */
  readonly subject: string;
}

export function createOperatorControls(deps: OperatorControlsDeps): OperatorControls {
  const { catalog, breakers, drains, store, signals, announce, recorded } = deps;

  async function changeBreakers(action: string, order: Order, act: () => void): Promise<Provider> {
    await remember(store, action, order, id => ({ state: breakers.snapshot(id).state }));
    act();
    // A crash after the answer must not undo it.
    await recorded();
    return announced(order);
  }

  async function changeDrains(action: string, order: Order, drained: boolean): Promise<Provider> {
    const { actor, reason, at, deployments } = order;
    const controls = deployments.map(({ id }) => ({
      deploymentId: id,
      drained,
      reason,
      actorId: actor.userId,
      at,
    }));
    await store.transaction(async inTransaction => {
      await remember(inTransaction, action, order, id => ({ drained: drains.of(id) !== undefined }));
      await inTransaction.deploymentControls.save(controls);
    });
    for (const control of controls) drains.apply(control);
    return announced(order);
  }

  /** Tells everybody; returns the provider as it is now: the act may have changed it. */
  function announced({ provider: { id: wanted }, provider }: Order): Provider {
    signals.send({ type: 'controls-changed' });
    const present = catalog.providers().find(({ id }) => id === wanted) ?? provider;
    announce(present);
    return present;
  }

  return {
    async resetBreaker(actor, target, reason) {
      authorize(actor, 'breaker:reset');
      const order = parse(actor, target, reason, deps);
      return changeBreakers('breaker.reset', order, () => {
        // Whatever condemned the provider is forgiven too, or nothing would be routed to the closed breakers.
        catalog.reportSuccess(order.provider.id);
        for (const { id } of order.deployments) {
          // Closed here already, so that nothing changes; elsewhere it may be open.
          if (breakers.snapshot(id).state === 'CLOSED') deps.record(closedAgain(id, order));
          breakers.reset(id, reason);
        }
      });
    },
    async openBreaker(actor, target, reason) {
      authorize(actor, 'breaker:open');
      const order = parse(actor, target, reason, deps);
      return changeBreakers('breaker.open', order, () => {
        for (const { id } of order.deployments) breakers.open(id, reason);
      });
    },
    async drainDeployment(actor, target, reason) {
      authorize(actor, 'deployment:drain');
      return changeDrains('deployment.drain', parse(actor, target, reason, deps), true);
    },
    async enableDeployment(actor, target, reason) {
      authorize(actor, 'deployment:enable');
      return changeDrains('deployment.enable', parse(actor, target, reason, deps), false);
    },
    drainOf: drains.of,
    async restoreDrains() {
      for (const control of await store.deploymentControls.all()) {
        const { deploymentId, drained, reason } = control;
        const isNews = drains.of(deploymentId)?.reason !== (drained ? reason : undefined);
        drains.apply(control);
        const providerId = catalog.deployment(deploymentId)?.providerId;
        if (isNews) announce(catalog.providers().find(({ id }) => id === providerId));
      }
    },
  };
}

function closedAgain(deploymentId: string, { at, reason }: Order): BreakerTransition {
  return { id: newId(), deploymentId, at, from: 'CLOSED', to: 'CLOSED', cause: 'manual', detail: reason };
}

/** All acts take the same input and refuse it the same way. */
function parse(
  actor: Actor,
  { deploymentId, providerId }: OperatorTarget,
  reason: string,
  { catalog, clock }: Pick<OperatorControlsDeps, 'catalog' | 'clock'>,
): Order {
  if ((deploymentId === undefined) === (providerId === undefined))
    throw badInput('deploymentId', 'or providerId is required, and not both');
  if (reason.trim() === '' || reason.length > MAX_REASON_LENGTH)
    throw badInput('reason', `must have 1 to ${MAX_REASON_LENGTH} characters`);
  const deployment = deploymentId === undefined ? undefined : catalog.deployment(deploymentId);
  const ownerId = deploymentId === undefined ? providerId : deployment?.providerId;
  const provider = catalog.providers().find(({ id }) => id === ownerId);
  if (!provider)
    throw new DomainError(
      'NOT_FOUND',
      `There is no ${deploymentId === undefined ? 'provider' : 'deployment'} ${deploymentId ?? providerId}.`,
    );
  return {
    actor,
    reason,
    at: new Date(clock.now()),
    provider,
    deployments: deployment ? [deployment] : provider.deployments,
    subject: deployment?.id ?? provider.id,
  };
}

function remember(
  into: Store,
  action: string,
  order: Order,
  before: (deploymentId: string) => object,
): Promise<void> {
  const { actor, reason, at, deployments, subject } = order;
  const data = { before: deployments.map(({ id }) => ({ deploymentId: id, ...before(id) })) };
  return into.audit.append(auditEvent({ action, actor, subject, reason, data }, at.getTime()));
}
