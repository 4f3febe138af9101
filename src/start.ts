// Starts the server for people: reads the configuration, opens the app or the workers, says what is there, stops on a
// signal. `npm start` and `mcplane start` both come here. What the app imports is loaded late, so that signals are
// heard from the first moment, and that the primary of several workers stays small.

import { availableParallelism, constants } from 'node:os';
import type { App } from './app.ts';
import { type Config, loadConfig } from './config.ts';
import type { ProviderKind } from './domain/model.ts';
import { keepCompiled } from './lib/compile-cache.ts';
import { setHeapFlags } from './lib/heap-flags.ts';
import { createLog, type Log } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { announceServing, shareMetrics, workerNumber } from './worker.ts';

export interface StartOptions {
  /** Adds the simulated provider beside whatever is configured. */
  readonly demo?: boolean;
  /** One JSON object instead of lines for people. */
  readonly json?: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Start {
  readonly env: Environment;
  readonly options: StartOptions;
  readonly config: Config;
  readonly log: Log;
}

/** Runs the server until it stops; the process's exit code is the answer to whoever supervises it. */
export async function runServer(env: Environment, options: StartOptions = {}): Promise<void> {
  setHeapFlags();
  try {
    const { config } = loadConfig(options.demo ? { ...env, MCPLANE_SIMULATED: 'on' } : env);
    const isTerminal = process.stdout.isTTY === true && !options.json;
    const { level, content } = config.log;
    const log = createLog({ level, content, pretty: isTerminal, worker: workerNumber });
    const count = config.workers === 'auto' ? availableParallelism() : config.workers;
    if (count > 1 && workerNumber === undefined) {
      const { runWorkers } = await import('./workers.ts');
      process.exit(await runWorkers({ count, graceMs: config.limits.shutdownGraceMs, log }));
    }
    await serve({ env, options, config, log });
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    process.exit(1);
  }
}

/** Opens the app, and resolves when it has stopped. */
async function serve({ env, options, config, log }: Start): Promise<void> {
  const stopSignal = listenForStop(log);
  // What is the same in every worker is said by the first one.
  const isSpeaker = workerNumber === undefined || workerNumber === 1;
  const say = (line: string) => (options.json || !isSpeaker ? undefined : process.stderr.write(`${line}\n`));
  const { createApp, VERSION } = await import('./app.ts');
  say(
    `mcplane ${VERSION} · ${config.mode} · ${env.MCPLANE_CONFIG ? `config ${env.MCPLANE_CONFIG}` : 'no config file (defaults)'}`,
  );
  const metrics = createMetrics();
  const app = await createApp(config, {
    log,
    say,
    metrics: workerNumber === undefined ? metrics : shareMetrics(metrics),
  });
  if (isSpeaker) {
    const described = describe(app, VERSION, await setupLink(app));
    if (options.json) process.stdout.write(`${JSON.stringify(described)}\n`);
    else for (const line of banner(described, config)) say(line);
  }
  announceServing();
  keepCompiled();
  await stopSignal.heard();
  await app.close();
}

/** What a person can mend is told as a sentence; anything else keeps its stack. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isPlain = ['ConfigError', 'DirectoryInUseError', 'DomainError'].includes(error.name);
  // Addresses, files and databases that refuse come with a code of the system, at the latest underneath.
  const refused = [error, error.cause].some(fault => fault instanceof Error && 'code' in fault);
  return isPlain || refused ? error.message : (error.stack ?? String(error));
}

async function setupLink(app: App): Promise<string | undefined> {
  const token = await app.members.createSetupToken();
  // In the fragment, so that it reaches no log of a proxy in between.
  return token && `${app.url}/setup#token=${token}`;
}

const NOT_CONFIGURED: Partial<Record<ProviderKind, string>> = {
  openai: 'OPENAI_API_KEY is not set',
  anthropic: 'ANTHROPIC_API_KEY is not set',
};

type Description = ReturnType<typeof describe>;

function describe(app: App, version: string, setupUrl: string | undefined) {
  const providers = app.gateway.providers();
  const missing = Object.entries(NOT_CONFIGURED).filter(
    ([kind]) => !providers.some(provider => provider.kind === kind),
  );
  return {
    version,
    url: app.url,
    graphql: `${app.url}/graphql`,
    websocket: `${app.url.replace(/^http/, 'ws')}/graphql`,
    setupUrl,
    database: app.store.info,
    providers: [
      ...providers.map(({ id, kind, status, statusReason, deployments, simulated }) => ({
        id,
        kind,
        status: status as string,
        reason: statusReason,
        simulated,
        deployments: deployments.map(deployment => deployment.id),
      })),
      ...missing.map(([kind, reason]) => ({
        id: kind,
        kind,
        status: 'ABSENT',
        reason,
        simulated: false,
        deployments: [],
      })),
    ],
  };
}

function banner({ providers, url, websocket, setupUrl }: Description, config: Config): string[] {
  const providerLines = providers.map(({ id, status, reason, deployments, simulated }) => {
    const usable = deployments.length > 0 && status !== 'UNAVAILABLE' && status !== 'MISCONFIGURED';
    const models = `${deployments.length} model${deployments.length === 1 ? '' : 's'}: ${shortList(deployments)}`;
    const text = usable
      ? `${models}${simulated ? '  (SIMULATED: made-up answers, for trying things out)' : ''}`
      : reason;
    return `  ${usable ? '+' : '-'} ${id.padEnd(11)} ${text ?? status}`;
  });
  const isLocal = ['127.0.0.1', '::1', 'localhost'].includes(config.http.host);
  return [
    'Providers',
    ...providerLines,
    `GraphQL     ${url}/graphql   (GraphiQL in a browser; WebSocket ${websocket})`,
    `Health      ${url}/readyz   metrics ${url}/metrics`,
    ...(isLocal || config.mode === 'production'
      ? []
      : ['Warning     development mode listens beyond this machine; set NODE_ENV=production']),
    ...(config.workers === 1 || config.redis
      ? []
      : ['Warning     without Redis a stream is live only in the worker that runs it; set REDIS_URL']),
    ...(setupUrl ? ['', `No administrator yet. Create one (${validityOf(config)}):`, `  ${setupUrl}`] : []),
    '',
    'Ask something from another terminal:',
    '  npx mcplane ask "What can you do?"',
  ];
}

/** Each start makes a link and ends the one before; only where instances share a database is there more than one. */
function validityOf({ database }: Config): string {
  const validity = 'the link works once, for 60 minutes';
  return database.kind === 'postgres'
    ? `${validity}; of several instances, that of the one started last`
    : validity;
}

function shortList(ids: readonly string[]): string {
  const shown = ids.slice(0, 4).join(', ');
  return ids.length > 4 ? `${shown}, … (${ids.length - 4} more)` : shown;
}

/**
 * The first signal drains, the second one ends the process at once: as safe as a crash, which loses nothing accepted.
 * Before the app is open there is nothing to drain. As the first process of a container it would not even be ended by
 * a signal that nobody listens for, so listening begins with the start.
 */
function listenForStop(log: Log): { heard(): Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let serving = false;
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // A worker hears of a stop twice, from its terminal and from its primary. When it takes too long the primary ends it.
    if (stopping && workerNumber !== undefined) return;
    if (!serving || stopping) process.exit(128 + constants.signals[signal]);
    stopping = true;
    log.info({ signal }, 'stopping: letting requests finish');
    resolve();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return {
    heard() {
      serving = true;
      return promise;
    },
  };
}
