// The server that canaries are planted in: a process of its own that logs all it can, with Postgres and Redis where there
// are any, and providers from the environment, from the file and from the database.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ADMIN, type Data } from '../support/app.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { redisMissing, startRedis } from '../support/redis.ts';
import { type ServerProcess, startServerProcess, temporaryDirectory } from '../support/server-process.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { type Canaries, watchRedis } from './canaries.ts';

export interface CanaryServer extends ServerProcess {
  readonly canaries: Canaries;
  /** Behind all providers. */
  readonly upstream: Upstream;
  readonly database: { readonly url: string | undefined; readonly dataDir: string };
  /** What it was started with. */
  readonly env: Record<string, string>;
  /** Everything that it has printed. */
  output(): string;
  /** One operation over HTTP; the texts of its errors are searched. */
  send(query: string, variables?: object, token?: string | null): Promise<Data>;
  /** Any HTTP request; the answer is searched like an error unless `isPrivate`. */
  fetch(path: string, init?: RequestInit, isPrivate?: boolean): Promise<string>;
}

const SECRETS = [
  'JWT_SECRET_KEY',
  'MCPLANE_SECRET_KEY',
  'MCPLANE_SECRET_KEY_PREVIOUS',
  'OPENAI_API_KEY',
] as const;

export async function startCanaryServer(t: TestContext, canaries: Canaries): Promise<CanaryServer> {
  const upstream = await startUpstream(t, { models: [{ id: 'alpha' }] });
  const dataDir = temporaryDirectory(t);
  const url = (await postgresMissing()) ? undefined : await postgresTestUrl(t);
  const redisUrl = redisMissing() ? undefined : await startWatchedRedis(t, canaries);
  const config = join(dataDir, 'mcplane.yaml');
  writeFileSync(config, fileOf(upstream, canaries));
  canaries.add('password of the administrator', ADMIN.password);
  const printed: Buffer[] = [];
  const env = {
    LOG_LEVEL: 'trace',
    MCPLANE_CONFIG: config,
    MCPLANE_ALLOW_PRIVATE_PROVIDERS: 'true',
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    ...Object.fromEntries(SECRETS.map(name => [name, `${canaries.plant(name)}+kV9x2LqT7w`])),
    ...(url && { DATABASE_URL: url }),
    ...(redisUrl && { REDIS_URL: redisUrl }),
  };
  const server = await startServerProcess(t, dataDir, env, child => {
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', chunk => printed.push(chunk));
  });
  canaries.add('session of the administrator', server.token);
  const fetchText: CanaryServer['fetch'] = async (path, init = {}, isPrivate = false) => {
    const response = await fetch(`${server.url}${path}`, init);
    const answer = await response.text();
    if (!isPrivate) canaries.search('errors', `${answer} ${JSON.stringify([...response.headers])}`);
    return answer;
  };
  return {
    ...server,
    canaries,
    upstream,
    database: { url, dataDir },
    env: { PATH: process.env.PATH ?? '', PORT: '0', MCPLANE_DATA_DIR: dataDir, ...env },
    output: () => Buffer.concat(printed).toString(),
    fetch: fetchText,
    async send(query, variables = {}, token = server.token) {
      const headers = {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      };
      const body = JSON.stringify({ query, variables });
      const answer = JSON.parse(await fetchText('/graphql', { method: 'POST', headers, body }, true));
      canaries.search('errors', JSON.stringify(answer.errors ?? []));
      return answer;
    },
  };
}

async function startWatchedRedis(t: TestContext, canaries: Canaries): Promise<string> {
  const password = canaries.plant('password of Redis');
  const { url } = await startRedis(t, '--requirepass', password);
  const withPassword = url.replace('redis://', `redis://:${password}@`);
  await watchRedis(t, withPassword, canaries.search);
  return withPassword;
}

function fileOf({ url }: Upstream, canaries: Canaries): string {
  return `
providers:
  - { kind: openai, id: filed, baseUrl: "${url}/${canaries.plant('path of a base URL')}/v1", apiKey: ${canaries.plant('key in the file')},
      models: [alpha], onlyModels: true }
`;
}
