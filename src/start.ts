// Starts one server for people: reads the configuration, opens the app, says what is there, stops on a signal.
// `npm start` and `mcplane start` both come here.

import { type App, createApp, VERSION } from './app.ts';
import { type Config, loadConfig } from './config.ts';
import type { ProviderKind } from './domain/model.ts';
import { createLog, type Log } from './telemetry/log.ts';

export interface StartOptions {
  /** Adds the simulated provider beside whatever is configured. */
  readonly demo?: boolean;
  /** One JSON object instead of lines for people. */
  readonly json?: boolean;
}

export interface RunningServer {
  readonly url: string;
  readonly app: App;
  /** Resolves when the server has stopped. */
  readonly stopped: Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws ConfigError (with all problems) before anything is opened. */
export async function startServer(env: Environment, options: StartOptions = {}): Promise<RunningServer> {
  const { config } = loadConfig(options.demo ? { ...env, MCPLANE_SIMULATED: 'on' } : env);
  const isTerminal = process.stdout.isTTY === true && !options.json;
  const log = createLog({ level: config.log.level, pretty: isTerminal });
  const say = (line: string) => (options.json ? undefined : process.stderr.write(`${line}\n`));
  say(
    `mcplane ${VERSION} · ${config.mode} · ${env.MCPLANE_CONFIG ? `config ${env.MCPLANE_CONFIG}` : 'no config file (defaults)'}`,
  );
  const app = await createApp(config, { log, say });
  const setupUrl = await setupLink(app);
  if (options.json) process.stdout.write(`${JSON.stringify(describe(app, setupUrl))}\n`);
  else for (const line of banner({ app, config, setupUrl })) say(line);
  return { url: app.url, app, stopped: stopOnSignal(app, log) };
}

/** Runs the server until it stops; the process's exit code is the answer to whoever supervises it. */
export async function runServer(env: Environment, options: StartOptions = {}): Promise<void> {
  try {
    const server = await startServer(env, options);
    await server.stopped;
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    process.exit(1);
  }
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

function describe(app: App, setupUrl: string | undefined) {
  const providers = app.gateway.providers();
  const missing = Object.entries(NOT_CONFIGURED).filter(
    ([kind]) => !providers.some(provider => provider.kind === kind),
  );
  return {
    version: VERSION,
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

function banner({
  app,
  config,
  setupUrl,
}: {
  app: App;
  config: Config;
  setupUrl: string | undefined;
}): string[] {
  const { providers, url, websocket } = describe(app, setupUrl);
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
    ...(setupUrl
      ? ['', 'No administrator yet. Create one (the link works once, for 60 minutes):', `  ${setupUrl}`]
      : []),
    '',
    'Ask something from another terminal:',
    '  npx mcplane ask "What can you do?"',
  ];
}

function shortList(ids: readonly string[]): string {
  const shown = ids.slice(0, 4).join(', ');
  return ids.length > 4 ? `${shown}, … (${ids.length - 4} more)` : shown;
}

/** The first signal drains, the second one ends the process at once: as safe as a crash, which loses nothing accepted. */
function stopOnSignal(app: App, log: Log): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(130);
    stopping = true;
    log.info({ signal }, 'stopping: letting requests finish');
    app.close().then(resolve, reject);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return promise;
}
