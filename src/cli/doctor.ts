// `mcplane doctor`: looks at everything a start needs and says what to do about what is missing.

import { createServer } from 'node:net';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import type { ProviderSettings } from '../control/catalog.ts';
import { createIdentityKeys } from '../control/identity-keys.ts';
import { systemClock } from '../lib/clock.ts';
import { checkStoredKeys } from './doctor-keys.ts';
import { withStore } from './local-store.ts';
import { CommandError, columns, printable, writeJson, writeLine } from './terminal.ts';

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

const NEEDED_MAJOR = 24;
const PROBE_TIMEOUT_MS = 1_500;

export async function doctor(options: { json?: boolean }): Promise<void> {
  const findings = [checkNode(), ...(await checkConfigured())];
  if (options.json) writeJson(findings);
  else writeLine(printable(columns(findings.map(({ check, state, detail }) => [state, check, detail]))));
  if (findings.some(({ state }) => state === 'failed'))
    throw new CommandError('Something is missing: see above.');
}

function checkNode(): Finding {
  const state = Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR ? 'ok' : 'failed';
  return { check: 'node', state, detail: `${process.version}; ${NEEDED_MAJOR} or newer is needed` };
}

async function checkConfigured(): Promise<Finding[]> {
  let config: Config;
  try {
    config = loadConfig(process.env).config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ check: 'configuration', state: 'failed', detail: error.message }];
  }
  const from = process.env.MCPLANE_CONFIG || 'environment and defaults';
  return [
    { check: 'configuration', state: 'ok', detail: `${config.mode}, from ${from}` },
    await checkPort(config),
    ...(await checkDatabase(config)),
    ...(await checkIdentityProvider(config)),
    ...(await Promise.all(config.providers.map(checkProvider))),
    ...(config.providers.some(({ kind }) => kind === 'openai') ? [] : [absent('openai', 'OPENAI_API_KEY')]),
    ...(config.providers.some(({ kind }) => kind === 'anthropic')
      ? []
      : [absent('anthropic', 'ANTHROPIC_API_KEY')]),
    simulated(config),
  ];
}

async function checkPort({ http: { host, port } }: Config): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  const server = createServer().once('error', resolve);
  server.listen(port, host, () => server.close(() => resolve(undefined)));
  const error = await promise;
  const where = `${host}:${port}`;
  if (!error) return { check: 'port', state: 'ok', detail: `${where} is free` };
  if (error.code !== 'EADDRINUSE')
    return { check: 'port', state: 'failed', detail: `cannot listen on ${where}: ${error.code}` };
  const ours = await answers(`http://${where}/livez`);
  return ours === 'ok'
    ? { check: 'port', state: 'ok', detail: `a server is running on ${where}` }
    : {
        check: 'port',
        state: 'failed',
        detail: `${where} is taken by another program; set PORT to another one`,
      };
}

/** And what is stored in it. */
async function checkDatabase(config: Config): Promise<Finding[]> {
  const check = 'database';
  try {
    return await withStore(config, async store => {
      await store.ping();
      const { version, location } = store.info;
      return [
        { check, state: 'ok', detail: `${version} at ${location}` },
        await checkStoredKeys(config, store),
      ];
    });
  } catch (error) {
    const { name, message } = error as Error;
    // The running server has it: that is how it should be.
    const state = name === 'DirectoryInUseError' ? 'warning' : 'failed';
    return [{ check, state, detail: message }];
  }
}

async function checkIdentityProvider({ identityProvider: provider }: Config): Promise<Finding[]> {
  if (!provider) return [];
  let problem: string | undefined;
  const log = {
    warn({ error }: { readonly error?: Error }) {
      problem = error?.message;
    },
  };
  await createIdentityKeys({ provider, clock: systemClock, log }).refetch();
  const check = 'identity provider';
  return problem === undefined
    ? [{ check, state: 'ok', detail: `the keys of ${provider.issuer} can be had` }]
    : [{ check, state: 'failed', detail: `no keys of ${provider.issuer}: ${problem}` }];
}

const LOCAL_ADVICE: Partial<Record<ProviderSettings['kind'], string>> = {
  ollama: 'start it with `ollama serve`, then `ollama pull llama3.2`',
  lmstudio: 'start its server in LM Studio, or with `lms server start`',
};

async function checkProvider({ id, kind, baseUrl, explicit }: ProviderSettings): Promise<Finding> {
  const check = `provider ${id}`;
  const advice = LOCAL_ADVICE[kind];
  if (baseUrl === undefined || advice === undefined)
    return {
      check,
      state: 'ok',
      detail: `configured${baseUrl ? ` at ${new URL(baseUrl).origin}` : ''}; not called`,
    };
  const { origin } = new URL(baseUrl);
  const state = await answers(`${origin}/v1/models`);
  if (state === 'ok') return { check, state, detail: `answers at ${origin}` };
  const detail = `nothing usable at ${origin} (${state}): ${advice}`;
  return { check, state: explicit ? 'failed' : 'warning', detail };
}

/** `ok`, or why not. */
async function answers(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS), redirect: 'error' });
    await response.body?.cancel();
    return response.ok ? 'ok' : `HTTP ${response.status}`;
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } };
    return cause?.code ?? name;
  }
}

function absent(kind: string, variable: string): Finding {
  return { check: `provider ${kind}`, state: 'warning', detail: `${variable} is not set` };
}

function simulated(config: Config): Finding {
  const detail = config.simulated
    ? 'on: made-up answers, for trying things out'
    : 'off; `mcplane demo` starts a server that has it';
  return { check: 'provider simulated', state: 'ok', detail };
}
