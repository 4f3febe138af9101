// Settings of the server, its stores, its credentials and its providers. Limits are in limit-settings.ts.

import { isIP } from 'node:net';
import { LOG_CONTENTS } from '../domain/log-content.ts';
import { ROUTING_STRATEGIES } from '../domain/routing.ts';
import { secret, setting } from './setting.ts';
import {
  choice,
  databaseUrl,
  decimal,
  flag,
  httpUrl,
  integer,
  list,
  ollamaHost,
  redisUrl,
  secretText,
  text,
  workerCount,
} from './values.ts';

const DAY_MS = 86_400_000;

export const SERVER_SETTINGS = {
  HOST: setting('http.host', text('an address to listen on'), '127.0.0.1', 'Address to listen on.'),
  PORT: setting('http.port', integer(0, 65_535), 4_000, 'Port to listen on; 0 takes any free one.'),
  NODE_ENV: setting(
    undefined,
    choice(['development', 'production', 'test']),
    'development',
    '`production` refuses what is only for trying out: an embedded database, generated secrets, plain keys in the file.',
  ),
  LOG_LEVEL: setting(
    'log.level',
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'info',
    'Least severe level that is logged.',
  ),
  MCPLANE_LOG_CONTENT: setting(
    'privacy.logContent',
    choice(LOG_CONTENTS),
    'none',
    'What the log says of each model request when it ends, at the level `info`. `none`: nothing. `metadata`: who asked, who served it, how it went, how long and how many tokens it took. `full`: also what was asked and answered, as `prompt` and `output`.',
  ),
  MCPLANE_CONFIG: setting(undefined, text('a path'), undefined, 'Path of a `mcplane.yaml`. Unset: no file.'),
  MCPLANE_DATA_DIR: setting(
    'dataDir',
    text('a path'),
    './.mcplane',
    'Directory of the embedded database and of generated secrets.',
  ),
  DATABASE_URL: secret(
    'database.url',
    databaseUrl(),
    '`postgres://…`; unset: a database embedded in the data directory; `memory:`: an embedded one that forgets.',
  ),
  MCPLANE_WORKERS: setting(
    'workers',
    workerCount(),
    1,
    'Processes that share the port, each with its own limits and connections; `auto`: one per core. More than one need a Postgres `DATABASE_URL`.',
  ),
  MCPLANE_ALLOW_EMBEDDED: setting(
    'database.allowEmbedded',
    flag(),
    false,
    'Lets `NODE_ENV=production` run on the embedded database.',
  ),
  REDIS_URL: secret(
    'redis.url',
    redisUrl(),
    '`redis://…`: what instances share and may lose, namely the events of running answers, and signals. Without it an answer is live only at the instance that runs it and comes whole from the others, and what is ordered on one reaches the others with their next heartbeat, after 1.5 s.',
  ),
  REDIS_HOST: setting('redis.host', text('a host'), undefined, 'Instead of `REDIS_URL`.'),
  REDIS_PORT: setting('redis.port', integer(1, 65_535), 6_379, 'Together with `REDIS_HOST`.'),
  JWT_SECRET_KEY: secret(
    'jwt.secret',
    secretText(),
    'Signs session tokens; at least 32 bytes. Development generates one and keeps it in the data directory; production refuses to start without.',
  ),
  JWT_SECRET_KEY_PREVIOUS: secret(
    'jwt.previousSecret',
    secretText(),
    'A second secret whose tokens are accepted too, while it is replaced; it signs none.',
  ),
  JWT_EXPIRE_MINUTES: setting(
    'jwt.expireMinutes',
    integer(1, 525_600),
    60,
    'How long a login lasts, in minutes.',
  ),
  MCPLANE_ADMIN_USERNAME: setting(
    undefined,
    text('a name'),
    undefined,
    'Creates the first administrator at start while there is none; needs the password too.',
  ),
  MCPLANE_ADMIN_PASSWORD: secret(
    undefined,
    secretText(),
    'Password of that first administrator, of which `MCPLANE_PASSWORD_MIN_LENGTH` and what follows it hold as well.',
  ),
  MCPLANE_SECRET_KEY: secret(
    undefined,
    secretText(),
    'Encrypts the keys of providers that are made through the API: a random text of at least 32 bytes, for example from `openssl rand -base64 32`, the same on all instances. Without it none can be stored; development on the embedded database generates one and keeps it in the data directory. Production refuses a weak one.',
  ),
  MCPLANE_SECRET_KEY_PREVIOUS: secret(
    undefined,
    secretText(),
    'What `MCPLANE_SECRET_KEY` was before: still decrypts, until `mcplane secrets rotate` was run.',
  ),
  MCPLANE_ALLOW_PRIVATE_PROVIDERS: setting(
    'storedProviders.allowPrivate',
    flag(),
    false,
    'Lets administrators make providers on own hardware and own networks, by `allowPrivate`. What hands out credentials of the machine stays out of reach.',
  ),
  MCPLANE_CORS_ORIGINS: setting(
    'http.corsOrigins',
    list('origins such as https://app.example.com', isOrigin),
    [],
    'Foreign origins whose pages may call the API, separated by commas.',
  ),
  MCPLANE_TRUSTED_PROXIES: setting(
    'http.trustedProxies',
    list('IP addresses or networks such as 10.0.0.0/8', isNetwork),
    [],
    'Addresses whose `X-Forwarded-For` is believed, separated by commas.',
  ),
  MCPLANE_UNLIMITED_ADDRESSES: setting(
    'http.unlimitedAddresses',
    list('IP addresses or networks such as 10.0.0.0/8', isNetwork),
    ['127.0.0.0/8', '::1'],
    'Addresses that may have any number of connections, separated by commas; this machine unless it is set.',
  ),
} as const;

export const PROVIDER_SETTINGS = {
  OPENAI_API_KEY: secret(undefined, secretText(), 'Enables the provider `openai`.'),
  OPENAI_BASE_URL: setting(
    undefined,
    httpUrl(),
    undefined,
    'Another endpoint that speaks the OpenAI API (Chat Completions); enables `openai` even without a key.',
  ),
  ANTHROPIC_API_KEY: secret(undefined, secretText(), 'Enables the provider `anthropic`.'),
  ANTHROPIC_BASE_URL: setting(
    undefined,
    httpUrl(),
    undefined,
    'Another endpoint that speaks the Anthropic API; enables `anthropic` even without a key.',
  ),
  OLLAMA_HOST: setting(
    undefined,
    ollamaHost(),
    'http://127.0.0.1:11434',
    'Where Ollama listens; looked for there without being asked.',
  ),
  LMSTUDIO_BASE_URL: setting(
    undefined,
    httpUrl(),
    'http://127.0.0.1:1234',
    'Where LM Studio listens; looked for there without being asked.',
  ),
  MCPLANE_SIMULATED: setting(
    'simulated',
    choice(['auto', 'on', 'off']),
    'auto',
    'The built-in provider that makes answers up. `auto`: only while no provider is configured and not in production.',
  ),
  MCPLANE_ROUTING_STRATEGY: setting(
    'routing.strategy',
    choice(ROUTING_STRATEGIES),
    'BALANCED',
    'Strategy of requests that name none.',
  ),
  MCPLANE_HEDGE_AFTER_MS: setting(
    'routing.hedging.afterMs',
    integer(0, DAY_MS),
    0,
    'A request without a first token for so long is sent to its second candidate too; the first to answer wins. 0: never.',
  ),
  MCPLANE_HEDGE_MAX_PERCENT: setting(
    'routing.hedging.maxPercent',
    decimal(0, 100),
    5,
    'Requests of the last 10 s that may be sent to two candidates, in percent.',
  ),
  MCPLANE_DEADLINE_CONNECT_MS: setting(
    'deadlines.connectMs',
    integer(1, DAY_MS),
    3_000,
    'Until the connection to a provider stands.',
  ),
  MCPLANE_DEADLINE_FIRST_TOKEN_MS: setting(
    'deadlines.firstTokenMs',
    integer(1, DAY_MS),
    10_000,
    'From the start of an attempt to its first token. Local providers get 60000 unless this is set.',
  ),
  MCPLANE_DEADLINE_IDLE_MS: setting(
    'deadlines.idleMs',
    integer(1, DAY_MS),
    15_000,
    'Longest silence between two pieces of an answer.',
  ),
  MCPLANE_DEADLINE_MIN_TOKENS_PER_SECOND: setting(
    'deadlines.minTokensPerSecond',
    decimal(0, 10_000),
    0,
    'Slowest bearable speed of an answer over 10 s; 0: any.',
  ),
  MCPLANE_DEADLINE_TOTAL_MS: setting(
    'deadlines.totalMs',
    integer(1, DAY_MS),
    600_000,
    'A whole request, over all attempts.',
  ),
} as const;

function isOrigin(item: string): boolean {
  return /^https?:\/\//.test(item) && URL.canParse(item) && new URL(item).origin === item;
}

function isNetwork(item: string): boolean {
  const [address = '', bits, ...rest] = item.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}
