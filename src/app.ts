// The composition root: every part in the order of start. What is opened registers its end; a failure half-way closes
// what was opened, and `close` runs it all in reverse. How each part is made from the configuration: wiring.ts.

import type { Config } from './config.ts';
import type { Catalog } from './control/catalog.ts';
import type { Members } from './control/members.ts';
import type { StoredProviders } from './control/stored-providers.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { Store } from './store/store.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import {
  openCatalog,
  openEvents,
  openGateway,
  openInstances,
  openMembers,
  openStoreOf,
  type Surroundings,
} from './wiring.ts';
import { createHttp } from './wiring-http.ts';
import { openLimits, openSharing } from './wiring-limits.ts';
import { followingAlong, openStoredProviders } from './wiring-providers.ts';
import { openWorkflows } from './wiring-workflows.ts';
import type { Workflows } from './workflows/workflows.ts';

export { VERSION } from './wiring.ts';

/** How long the last events may take to reach subscribers when the server stops. */
const LAST_EVENTS_MS = 1_000;

export interface AppOptions extends Surroundings {
  /** Already open; absent: the one that the configuration names. */
  readonly store?: Store | undefined;
  /** Absent: those of this process alone. */
  readonly metrics?: Metrics | undefined;
}

export interface App {
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  readonly catalog: Catalog;
  readonly gateway: Gateway;
  readonly members: Members;
  readonly storedProviders: StoredProviders;
  readonly workflows: Workflows;
  /** Refuses new work, lets requests finish for the grace time, then closes everything. */
  close(graceMs?: number): Promise<void>;
}

export async function createApp(config: Config, options: AppOptions): Promise<App> {
  await using stack = new AsyncDisposableStack();
  const { log } = options;
  const metrics = options.metrics ?? createMetrics();

  const store = options.store ?? (await openStoreOf(config, options));
  stack.defer(() => store.close());

  const catalog = await openCatalog(config, options);
  stack.defer(() => catalog.close());

  const { events, signals, ...shared } = openEvents(config, {
    log,
    metrics,
    onFenced: requestId => gateway.fenceRequest(requestId),
  });
  stack.defer(() => shared.close());

  const storedProviders = await openStoredProviders(config, { ...options, store, catalog, signals });
  stack.defer(() => storedProviders.close());

  const sharing = openSharing(config, { redis: shared.redis, log, metrics });
  stack.defer(() => sharing?.close());
  const judging = { sharing, metrics, instances: () => instances.count() };

  const members = await openMembers(config, { store, signals, log, gateway: () => gateway, ...judging });
  const workflows = openWorkflows(config, { store, log, metrics, gateway: () => gateway });
  const limits = openLimits(config, judging);
  stack.defer(() => limits.close());

  const state = { stopped: false };
  stack.defer(() => {
    state.stopped = true;
  });
  const gateway: Gateway = openGateway(config, {
    store,
    events,
    signals,
    catalog,
    limits,
    metrics,
    log,
    owner: () => instances.id(),
    stopped: () => state.stopped,
    runWorkflow: workflows.run,
  });

  await gateway.restoreBreakers();
  await gateway.restoreDrains();

  const onBeat = followingAlong(storedProviders, log, gateway.review);
  const instances = openInstances(config, { store, log, gateway, limits, onBeat });
  await instances.start();
  stack.defer(() => instances.stop());
  stack.defer(() => gateway.drain(0));

  const http = createHttp({
    config,
    log,
    store,
    members,
    storedProviders,
    gateway,
    workflows,
    metrics,
    pingRedis: shared.ping,
  });
  observe(metrics, gateway, () => http.openSubscriptions);
  const { url, port } = await http.listen();
  stack.defer(() => http.close(0));

  const parts = { url, port, store, catalog, gateway, members, storedProviders, workflows };
  return { ...parts, close: closing(config, { gateway, http, opened: stack.move() }) };
}

interface ClosingParts {
  readonly gateway: Gateway;
  readonly http: ReturnType<typeof createHttp>;
  readonly opened: AsyncDisposableStack;
}

function closing({ limits }: Config, { gateway, http, opened }: ClosingParts): App['close'] {
  return async (graceMs = limits.shutdownGraceMs) => {
    http.drain();
    await gateway.drain(graceMs);
    // Subscribers get the last events of what has just ended before their connections close.
    await http.close(Math.min(graceMs, LAST_EVENTS_MS));
    await opened.disposeAsync();
  };
}

function observe(metrics: Metrics, gateway: Gateway, subscriptions: () => number): void {
  const deployments = () => gateway.providers().flatMap(provider => provider.deployments);
  metrics.observe({
    load: gateway.load,
    subscriptions,
    deployments: () => deployments().map(({ id }) => ({ id, ...gateway.capacityLoad(id) })),
  });
}
