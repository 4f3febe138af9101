// From the configuration to the HTTP server: limits, plugins, probes.

import type { Config } from './config.ts';
import type { Members } from './control/members.ts';
import type { StoredProviders } from './control/stored-providers.ts';
import type { Gateway } from './gateway/gateway.ts';
import { authPlugin } from './graphql/auth.ts';
import type { Context } from './graphql/context.ts';
import { createErrorMasker } from './graphql/errors.ts';
import { schema } from './graphql/schema.ts';
import { createAuthenticator } from './http/authentication.ts';
import type { HttpLimits } from './http/limits.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import type { Store } from './store/store.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { VERSION } from './wiring.ts';
import type { Workflows } from './workflows/workflows.ts';

interface HttpParts {
  readonly config: Config;
  readonly log: Log;
  readonly store: Store;
  readonly members: Members;
  readonly storedProviders: StoredProviders;
  readonly gateway: Gateway;
  readonly workflows: Workflows;
  readonly metrics: Metrics;
  /** Absent without Redis, without which the server is ready all the same. */
  readonly pingRedis: (() => Promise<void>) | undefined;
}

export function createHttp({
  config,
  log,
  store,
  members,
  storedProviders,
  gateway,
  workflows,
  metrics,
  pingRedis,
}: HttpParts): HttpServer {
  const access = authPlugin();
  return createHttpServer({
    schema,
    createContext: ({ actor, address }, charge): Context => ({
      actor,
      address,
      charge,
      gateway,
      workflows,
      members,
      storedProviders,
      store,
      maxQueryCost: config.limits.queryMaxCost,
      maxTextBytes: config.limits.queryMaxTextBytes,
    }),
    plugins: [access],
    isAdmitted: access.isAdmitted,
    maskError: createErrorMasker({
      log: (fault, facts) => log.error({ error: fault, ...facts }, 'an operation failed'),
    }),
    authenticator: createAuthenticator(members),
    members,
    metrics: metrics.exposition,
    health: {
      version: VERSION,
      async ready() {
        const [database, redis] = await Promise.all([
          answers(store.ping(), 'the database does not answer'),
          pingRedis && answers(pingRedis(), 'Redis does not answer: streams of other instances come late'),
        ]);
        return { ready: database.ready, parts: { database, ...(redis && { redis }) } };
      },
    },
    host: config.http.host,
    port: config.http.port,
    corsOrigins: config.http.corsOrigins,
    trustedProxies: config.http.trustedProxies,
    unlimitedAddresses: config.http.unlimitedAddresses,
    meter: metrics.limits,
    environment: config.mode === 'production' ? 'production' : 'development',
    limits: httpLimits(config),
    log,
  });
}

function answers(ping: Promise<void>, otherwise: string) {
  return ping.then(
    () => ({ ready: true }),
    () => ({ ready: false, detail: otherwise }),
  );
}

export function httpLimits({ limits }: Pick<Config, 'limits'>): HttpLimits {
  return {
    query: {
      maxTokens: limits.queryMaxTokens,
      maxDepth: limits.queryMaxDepth,
      maxAliases: limits.queryMaxAliases,
      maxRootFields: limits.queryMaxRootFields,
      maxDirectives: limits.queryMaxDirectives,
      maxCost: limits.queryMaxCost,
      maxValueDepth: limits.queryMaxValueDepth,
      maxOperations: limits.queryMaxOperations,
      maxRepeats: limits.queryMaxRepeats,
      maxCharacters: limits.queryMaxCharacters,
      maxErrors: limits.queryMaxErrors,
    },
    maxBodyBytes: limits.maxBodyBytes,
    maxAnonymousBodyBytes: limits.maxAnonymousBodyBytes,
    maxJsonValues: limits.maxJsonValues,
    maxUnreadBytes: limits.maxUnreadBytes,
    maxBatch: limits.batchMax,
    maxJsonDepth: limits.maxJsonDepth,
    maxErrorBytes: limits.maxErrorBytes,
    operationsPerSecond: limits.rateLimitPerSecond,
    operationsBurst: limits.rateLimitBurst,
    maxHeaderBytes: limits.maxHeaderBytes,
    headersTimeoutMs: limits.headersTimeoutMs,
    requestTimeoutMs: limits.requestTimeoutMs,
    maxConnections: limits.maxConnections,
    maxConnectionsPerAddress: limits.maxConnectionsPerAddress,
    slowReaderBytes: limits.slowReaderBytes,
    slowReaderMs: limits.slowReaderMs,
    keepAliveMs: limits.keepAliveMs,
    maxSocketMessageBytes: limits.wsMaxMessageBytes,
    socketMessagesPerSecond: limits.wsMessagesPerSecond,
    connectionInitTimeoutMs: limits.wsInitTimeoutMs,
    maxSockets: limits.wsMaxSockets,
    maxSocketsPerPrincipal: limits.wsMaxSocketsPerCaller,
    maxNewSocketsPerAddress: limits.wsMaxUninitialised,
    maxSubscriptionsPerSocket: limits.wsMaxSubscriptions,
    maxSubscriptionsPerPrincipal: limits.wsMaxSubscriptionsPerCaller,
    maxOperationsPerSocket: limits.wsMaxOperations,
  };
}
