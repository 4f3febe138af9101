// The configuration of one server, read once and frozen. Pure: the environment comes in as a value, files through
// a function. Nobody is handed all of it; app.ts gives each part what it needs.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBreakerRules } from './config/breaker-settings.ts';
import { checkBreakers, checkSettings, isSimulated } from './config/checks.ts';
import { readProviders } from './config/endpoints.ts';
import { toIdentityProvider } from './config/identity-settings.ts';
import type { Limits } from './config/limit-settings.ts';
import { LIMIT_SETTINGS } from './config/limit-settings.ts';
import { ConfigError } from './config/problems.ts';
import { type Environment, type Reading, readSettings, type Sources } from './config/read.ts';
import { ensureSecretKey, hasSecretKey, seal } from './config/secrets.ts';
import type { SettingName, Values } from './config/settings.ts';
import type { ProviderSettings } from './control/catalog.ts';
import type { BreakerRules } from './domain/breaker-rules.ts';
import type { BudgetRules } from './domain/budget.ts';
import type { IdentityProvider } from './domain/identity.ts';
import type { LogContent } from './domain/log-content.ts';
import type { Deadlines } from './domain/model.ts';
import type { PasswordPolicy } from './domain/password-policy.ts';
import type { RedactionKind } from './domain/redaction.ts';
import type { RoutingStrategy } from './domain/routing.ts';

export { breakerRulesOf } from './config/breaker-settings.ts';
export type { Limits } from './config/limit-settings.ts';
export { ConfigError, type ConfigProblem } from './config/problems.ts';
export type { SettingSource, Sources } from './config/read.ts';
export { ensureJwtSecret } from './config/secrets.ts';
export { CLIENT_VARIABLES, SETTING_NAMES, SETTINGS, type SettingName } from './config/settings.ts';

/** `url` is what openStore takes. */
export type DatabaseSettings =
  | { readonly kind: 'embedded'; readonly url: undefined; readonly directory: string }
  | { readonly kind: 'memory'; readonly url: 'memory:' }
  | { readonly kind: 'postgres'; readonly url: string };

export interface Config {
  readonly mode: 'development' | 'production' | 'test';
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly corsOrigins: readonly string[];
    readonly trustedProxies: readonly string[];
    /** May have any number of connections. */
    readonly unlimitedAddresses: readonly string[];
  };
  readonly log: { readonly level: Values['LOG_LEVEL']; readonly content: LogContent };
  readonly dataDir: string;
  readonly database: DatabaseSettings;
  /** Processes that share the port. */
  readonly workers: number | 'auto';
  /** For what instances share and may lose: events of running answers, signals. Absent: each keeps them to itself. */
  readonly redis: { readonly url: string } | undefined;
  /** Without a secret (never in production) the data directory keeps one: ensureJwtSecret. */
  readonly jwt: {
    readonly secret: string | undefined;
    /** Signs nothing; its tokens are accepted. */
    readonly previousSecret: string | undefined;
    readonly expireMinutes: number;
  };
  /** Whose tokens are accepted beside our own. */
  readonly identityProvider: IdentityProvider | undefined;
  /** The administrator to create while there is none. */
  readonly admin: { readonly username: string; readonly password: string } | undefined;
  /** Encrypts the keys of stored providers; `previous` only decrypts. Without `current`: masterSecrets. */
  readonly secretKey: { readonly current: string | undefined; readonly previous: string | undefined };
  readonly storedProviders: { readonly allowPrivate: boolean };
  readonly limits: Limits;
  readonly routing: {
    readonly strategy: RoutingStrategy;
    /** Of the deployments that have no rules of their own. */
    readonly breaker: BreakerRules;
    /** `afterMs` 0: off. */
    readonly hedging: { readonly afterMs: number; readonly maxPercent: number };
  };
  readonly budgets: BudgetRules & { readonly warningPercent: number };
  /** Of what was said in requests. */
  readonly privacy: {
    readonly contentRetentionDays: number;
    /** Off when empty. */
    readonly redact: readonly RedactionKind[];
  };
  /** Only those that the operator set for all providers; part of each provider's settings already. */
  readonly deadlines: Partial<Deadlines>;
  /** Without the simulated one. */
  readonly providers: readonly ProviderSettings[];
  readonly simulated: boolean;
}

/** The configuration that the environment and its file describe, or a ConfigError with all that is wrong. */
export function loadConfig(
  env: Environment,
  readFile: (path: string) => string = path => readFileSync(path, 'utf8'),
): { readonly config: Config; readonly sources: Sources } {
  const reading = readSettings(env, readFile);
  const problems = [...reading.problems, ...checkSettings(reading)];
  const providers = readProviders({
    values: reading.values,
    isSet: name => reading.sources[name].source !== 'default',
    deadlines: operatorDeadlines(reading),
    file: reading.file,
    problems,
  });
  problems.push(...checkBreakers(reading, providers));
  if (problems.length > 0) throw new ConfigError(problems);
  for (const { apiKey } of providers) if (apiKey !== undefined) reading.secrets.add(apiKey);
  return { config: seal(toConfig(reading, providers), reading.secrets), sources: reading.sources };
}

function toConfig(reading: Reading, providers: readonly ProviderSettings[]): Config {
  const { values } = reading;
  const { MCPLANE_ADMIN_USERNAME: username, MCPLANE_ADMIN_PASSWORD: password } = values;
  return {
    mode: values.NODE_ENV,
    http: {
      host: values.HOST,
      port: values.PORT,
      corsOrigins: [...values.MCPLANE_CORS_ORIGINS],
      trustedProxies: [...values.MCPLANE_TRUSTED_PROXIES],
      unlimitedAddresses: [...values.MCPLANE_UNLIMITED_ADDRESSES],
    },
    log: { level: values.LOG_LEVEL, content: values.MCPLANE_LOG_CONTENT },
    dataDir: values.MCPLANE_DATA_DIR,
    database: toDatabase(values),
    workers: values.MCPLANE_WORKERS,
    redis: toRedis(values),
    jwt: {
      secret: values.JWT_SECRET_KEY,
      previousSecret: values.JWT_SECRET_KEY_PREVIOUS,
      expireMinutes: values.JWT_EXPIRE_MINUTES,
    },
    identityProvider: toIdentityProvider(values),
    admin: username !== undefined && password !== undefined ? { username, password } : undefined,
    secretKey: { current: values.MCPLANE_SECRET_KEY, previous: values.MCPLANE_SECRET_KEY_PREVIOUS },
    storedProviders: { allowPrivate: values.MCPLANE_ALLOW_PRIVATE_PROVIDERS },
    limits: toLimits(values),
    routing: {
      strategy: values.MCPLANE_ROUTING_STRATEGY,
      breaker: toBreakerRules(values),
      hedging: { afterMs: values.MCPLANE_HEDGE_AFTER_MS, maxPercent: values.MCPLANE_HEDGE_MAX_PERCENT },
    },
    budgets: {
      outputTokens: values.MCPLANE_BUDGET_OUTPUT_TOKENS,
      allowUnpriced: values.MCPLANE_BUDGET_ALLOW_UNPRICED,
      warningPercent: values.MCPLANE_BUDGET_WARNING_PERCENT,
    },
    privacy: {
      contentRetentionDays: values.MCPLANE_CONTENT_RETENTION_DAYS,
      redact: [...values.MCPLANE_REDACT],
    },
    deadlines: operatorDeadlines(reading),
    providers,
    simulated: isSimulated(reading, providers),
  };
}

/** What encrypts keys: the configured secrets, or where development has an embedded database one of its own. */
export function masterSecrets({ secretKey, mode, database, dataDir }: Config): Config['secretKey'] {
  if (secretKey.current !== undefined || mode === 'production' || database.kind === 'postgres')
    return secretKey;
  // A database that forgets its keys needs no secret that lasts.
  const lasts = database.kind === 'embedded';
  return {
    current: lasts ? ensureSecretKey(dataDir) : randomBytes(32).toString('base64url'),
    previous: undefined,
  };
}

/** Of new passwords, as the limits have it. */
export function passwordPolicyOf({ limits }: Pick<Config, 'limits'>): PasswordPolicy {
  return { minLength: limits.passwordMinLength, maxLength: limits.passwordMaxLength };
}

/** The same without making any: undefined where the next start would. */
export function presentMasterSecrets(config: Config): Config['secretKey'] {
  const { secretKey, database, dataDir } = config;
  const isKept = database.kind === 'embedded' && hasSecretKey(dataDir);
  return secretKey.current === undefined && !isKept ? secretKey : masterSecrets(config);
}

function toDatabase({ DATABASE_URL: url, MCPLANE_DATA_DIR: dataDir }: Values): DatabaseSettings {
  if (url === undefined) return { kind: 'embedded', url, directory: join(dataDir, 'data') };
  return url === 'memory:' ? { kind: 'memory', url } : { kind: 'postgres', url };
}

function toRedis({ REDIS_URL: url, REDIS_HOST: host, REDIS_PORT: port }: Values): Config['redis'] {
  if (url !== undefined) return { url };
  return host === undefined ? undefined : { url: `redis://${host}:${port}` };
}

function toLimits(values: Values): Limits {
  const rows = Object.entries(LIMIT_SETTINGS) as [keyof typeof LIMIT_SETTINGS, { limit: string }][];
  return Object.fromEntries(rows.map(([name, { limit }]) => [limit, values[name]])) as unknown as Limits;
}

const DEADLINE_SETTINGS = {
  connectMs: 'MCPLANE_DEADLINE_CONNECT_MS',
  firstTokenMs: 'MCPLANE_DEADLINE_FIRST_TOKEN_MS',
  idleMs: 'MCPLANE_DEADLINE_IDLE_MS',
  minTokensPerSecond: 'MCPLANE_DEADLINE_MIN_TOKENS_PER_SECOND',
  totalMs: 'MCPLANE_DEADLINE_TOTAL_MS',
} as const satisfies Record<keyof Deadlines, SettingName>;

/** Only what was set: the defaults differ between local and remote providers and are not known here. */
function operatorDeadlines({ values, sources }: Reading): Partial<Deadlines> {
  const rows = Object.entries(DEADLINE_SETTINGS) as [
    keyof Deadlines,
    (typeof DEADLINE_SETTINGS)[keyof Deadlines],
  ][];
  return Object.fromEntries(
    rows.filter(([, name]) => sources[name].source !== 'default').map(([key, name]) => [key, values[name]]),
  );
}
