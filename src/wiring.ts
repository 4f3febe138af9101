// From the configuration to each part: the only place, with wiring-http.ts and wiring-limits.ts, that names implementations and sees the
// configuration whole.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { hostname } from 'node:os';
import { SIMULATED } from './config/endpoints.ts';
import { workflowBoundsOf } from './config/workflow-settings.ts';
import { breakerRulesOf, type Config, ensureJwtSecret, passwordPolicyOf } from './config.ts';
import { watchBudgets } from './control/budget-watch.ts';
import { type Catalog, createCatalog } from './control/catalog.ts';
import { createCredentials } from './control/credentials.ts';
import { createIdentityKeys } from './control/identity-keys.ts';
import { createIdentityTokens, type IdentityTokens } from './control/identity-tokens.ts';
import { createMembers, type Members } from './control/members.ts';
import { createPriceBook } from './control/prices.ts';
import type { IdentityProvider } from './domain/identity.ts';
import { DEFAULT_DEADLINES } from './domain/model.ts';
import { createRedactText, type RedactText } from './domain/redaction.ts';
import { createInstances, type Instances } from './engine/instances.ts';
import type { EventLog } from './events/event-log.ts';
import { type OpenedEvents, openEventLog } from './events/open.ts';
import type { Signals } from './events/signals.ts';
import { Admission } from './gateway/admission.ts';
import { createBreakers } from './gateway/breakers.ts';
import { createCapacity } from './gateway/capacity.ts';
import { createDrains } from './gateway/drains.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import { createHealth } from './gateway/health.ts';
import { createHedging } from './gateway/hedging.ts';
import { createPlanning } from './gateway/planning.ts';
import { createRetryBudget } from './gateway/retry-budget.ts';
import type { RunWorkflow } from './gateway/steps.ts';
import { systemClock } from './lib/clock.ts';
import type { CallerLimits } from './limits/limits.ts';
import { LOGIN_SCRIPTS } from './limits/login-scripts.ts';
import { LIMIT_SCRIPTS } from './limits/scripts.ts';
import { loadAdapters } from './providers/registry.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { createRequestLog } from './telemetry/request-log.ts';
import { type LimitsParts, openLoginThrottle } from './wiring-limits.ts';

export const VERSION: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;

/** Slow model lists do not hold the start up; they are asked again in the background. */
const DISCOVERY_MS = 4_000;

export interface Surroundings {
  readonly log: Log;
  /** Progress for people: what a slow step of the start is doing. */
  readonly say?: ((line: string) => void) | undefined;
  /** Multiplies the waits of the simulated provider; 0 for none. */
  readonly simulatedDelayFactor?: number | undefined;
  /** Finds the addresses of providers that are made through the API; absent: the system. */
  readonly lookup?: LookupFunction | undefined;
}

interface GatewayParts {
  readonly store: Store;
  readonly events: EventLog;
  readonly signals: Signals;
  readonly catalog: Catalog;
  readonly limits: CallerLimits;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly owner: () => string;
  readonly stopped: () => boolean;
  readonly runWorkflow: RunWorkflow;
}

export function openGateway(config: Config, parts: GatewayParts): Gateway {
  const { catalog, metrics, log } = parts;
  const { limits } = config;
  const clock = systemClock;
  watchBudgets({ ...parts, ...config.budgets, onWarning: metrics.budgets.warned });
  const { content } = config.log;
  const logRequest = createRequestLog({ log, content, maxCharacters: limits.logMaxCharacters });
  const health = createHealth({ clock });
  const drains = createDrains();
  const breakers = createBreakers(
    {},
    {
      clock,
      rulesOf: breakerRulesOf(config.routing.breaker, config.providers),
      onTransition: ({ deploymentId, to }) => metrics.breakerChanged(deploymentId, to),
      onForgotten: metrics.breakerForgotten,
      onListenerError: error => log.error({ error }, 'a listener of the breakers failed'),
    },
  );
  return createGateway({
    ...parts,
    clock,
    health,
    capacity: createCapacity({ health, clock }),
    breakers,
    drains,
    planning: createPlanning({ catalog, breakers, health, drains, clock, budgetRules: config.budgets }),
    budgetRules: config.budgets,
    onBudgetExceeded: metrics.budgets.exceeded,
    retryLimits: limits,
    retryBudget: createRetryBudget({
      clock,
      percent: limits.retryBudgetPercent,
      minPerSecond: limits.retryBudgetMinPerSecond,
      onDecision: metrics.retryDecided,
    }),
    hedging: createHedging(clock, config.routing.hedging),
    admission: new Admission(
      { maxRunning: limits.maxRunningRequests, maxQueued: limits.maxQueuedRequests },
      error => log.warn({ error }, 'the queue could not be read; it is tried again'),
    ),
    submissionLimits: { ...limits, workflow: workflowBoundsOf(limits) },
    defaultStrategy: config.routing.strategy,
    totalDeadlineMs: config.deadlines.totalMs ?? DEFAULT_DEADLINES.totalMs,
    maxOutputBytes: limits.maxAnswerBytes,
    maxSchemaCheckMs: limits.maxSchemaCheckMs,
    maxQueued: limits.maxQueuedRequests,
    maxDeaths: limits.maxDeaths,
    contentRetentionDays: config.privacy.contentRetentionDays,
    redact: redactorOf(config),
    overhead: metrics.overhead,
    onFinished(request, attempts, exchange) {
      metrics.requestFinished(request, attempts);
      logRequest(request, attempts, exchange);
    },
  });
}

/** Undefined: nothing is to be redacted. */
export function redactorOf({ privacy: { redact } }: Config): RedactText | undefined {
  return redact.length === 0 ? undefined : createRedactText(redact);
}

export function openStoreOf(config: Config, { log, say }: Surroundings): Promise<Store> {
  const { database } = config;
  return openStore({
    url: database.kind === 'postgres' ? database.url : database.kind === 'memory' ? 'memory:' : undefined,
    dataDir: config.dataDir,
    log: line => (say ? say(line) : log.info(line)),
  });
}

interface EventsParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Another instance owns the request now: stop its execution here. */
  readonly onFenced: (requestId: string) => void;
}

/** The event log and the signals between instances: through Redis where there is one. Does not wait for it. */
export function openEvents({ redis }: Config, { log, metrics, onFenced }: EventsParts): OpenedEvents {
  const scripts = [...Object.values(LIMIT_SCRIPTS), ...Object.values(LOGIN_SCRIPTS)];
  const shared = redis && { url: redis.url, log, meter: metrics.redis(), scripts, onFenced };
  return openEventLog({ clock: systemClock, redis: shared });
}

interface InstancesParts {
  readonly store: Store;
  readonly log: Log;
  readonly gateway: Gateway;
  readonly limits: CallerLimits;
  /** After each heartbeat. */
  readonly onBeat: () => Promise<void>;
}

export function openInstances(
  config: Config,
  { store, log, gateway, limits, onBeat }: InstancesParts,
): Instances {
  return createInstances(
    {
      store,
      clock: systemClock,
      log,
      version: VERSION,
      host: { hostname: hostname(), pid: process.pid },
      onRecovered(recovered) {
        limits.recovered({ ...recovered, failed: [...recovered.failed, ...recovered.cancelled] });
        void gateway.changedElsewhere([...recovered.requeued, ...recovered.failed, ...recovered.cancelled]);
      },
      onBeat,
      onFenced: gateway.fence,
      onAlive: gateway.start,
    },
    { maxDeaths: config.limits.maxDeaths },
  );
}

interface MembersParts extends LimitsParts {
  readonly store: Store;
  readonly signals: Signals;
  readonly log: Log;
  readonly gateway: () => Gateway;
}

export async function openMembers(config: Config, parts: MembersParts): Promise<Members> {
  const { store, signals, log, metrics } = parts;
  const { limits } = config;
  // A database that forgets its sessions needs no secret that lasts.
  const forgets = config.database.kind === 'memory';
  const generated = () => (forgets ? randomBytes(32).toString('base64url') : ensureJwtSecret(config.dataDir));
  const jwtSecretKey = config.jwt.secret ?? generated();
  const credentials = await createCredentials({
    jwtSecretKey,
    previousJwtSecretKey: config.jwt.previousSecret,
    clock: systemClock,
    hashLimits: { maxHashes: limits.loginMaxHashes, maxWaiting: limits.loginMaxWaiting },
    onRefused: () => metrics.limits.refused('loginMaxWaiting'),
  });
  const throttle = openLoginThrottle(config, { ...parts, secret: jwtSecretKey });
  const members = createMembers({
    store,
    credentials,
    identityTokens: config.identityProvider && openIdentityTokens(config.identityProvider, log),
    clock: systemClock,
    sessionMinutes: config.jwt.expireMinutes,
    passwordPolicy: passwordPolicyOf(config),
    throttle,
    onCredentialsChanged: () => signals.send({ type: 'credentials-changed' }),
    deleteContentOf: userId => parts.gateway().deleteContentOf(userId),
    log,
  });
  signals.onSignal(({ type }) => {
    if (type === 'credentials-changed') members.credentialsChangedElsewhere();
  });
  if (config.admin && !(await members.hasAdmin())) await createFirstAdmin(members, config.admin);
  return members;
}

/** Does not wait for the keys: an identity provider that is away does not hold the start up. */
function openIdentityTokens(provider: IdentityProvider, log: Log): IdentityTokens {
  const keys = createIdentityKeys({ provider, clock: systemClock, log });
  void keys.refetch();
  return createIdentityTokens({ provider, keys, clock: systemClock });
}

/** Of several instances that start at once on an empty database, one creates it and the others find it there. */
async function createFirstAdmin(members: Members, admin: NonNullable<Config['admin']>): Promise<void> {
  try {
    await members.createFirstAdmin(admin.username, admin.password);
  } catch (error) {
    if (!(await members.hasAdmin())) throw error;
  }
}

export async function openCatalog(
  config: Config,
  { log, simulatedDelayFactor }: Surroundings,
): Promise<Catalog> {
  const providers = config.simulated ? [...config.providers, SIMULATED] : config.providers;
  const createAdapter = await loadAdapters(
    providers.map(provider => provider.kind),
    { simulatedDelayFactor },
  );
  const catalog = createCatalog({
    providers,
    prices: createPriceBook(),
    createAdapter,
    clock: systemClock,
    log,
  });
  await catalog.refresh(AbortSignal.timeout(DISCOVERY_MS));
  return catalog;
}
