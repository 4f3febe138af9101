// Our own server as a process, on a Postgres database made for the run, with the bench's provider and an administrator.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresTestUrl } from '../../test/support/postgres.ts';
import { type Server, startServer } from './processes.ts';
import type { ProcessorShare } from './processor-share.ts';

const ADMIN = { username: 'admin', password: 'correct horse battery staple' };

export interface OwnServer extends Server {
  /** Of the administrator. */
  readonly token: string;
}

export interface OwnOptions {
  readonly name: string;
  readonly upstream: string;
  /** Default: a Postgres database of its own; `memory:` for one that is neither durable nor shared. */
  readonly database?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** For node, before the program. */
  readonly nodeArgs?: readonly string[];
  /** Which it may not exceed, with all its workers. */
  readonly share?: ProcessorShare;
}

export async function startOurs({
  name,
  upstream,
  database,
  env = {},
  nodeArgs = [],
  share,
}: OwnOptions): Promise<OwnServer> {
  await using stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'mcplane-bench-'));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const url = database ?? (await postgresTestUrl({ after: end => stack.defer(end as () => Promise<void>) }));
  const server = await startServer({
    name,
    args: [...nodeArgs, join(import.meta.dirname, '../../src/main.ts')],
    share,
    address: /GraphQL\s+(http:\/\/[\d.]+:\d+)\/graphql/,
    env: {
      PORT: '0',
      DATABASE_URL: url,
      JWT_SECRET_KEY: 'for the benchmark only, and for nothing else at all',
      MCPLANE_DATA_DIR: dataDir,
      MCPLANE_ADMIN_USERNAME: ADMIN.username,
      MCPLANE_ADMIN_PASSWORD: ADMIN.password,
      OPENAI_API_KEY: 'bench',
      OPENAI_BASE_URL: `${upstream}/v1`,
      OLLAMA_HOST: 'http://127.0.0.1:9',
      LMSTUDIO_BASE_URL: 'http://127.0.0.1:9',
      LOG_LEVEL: 'warn',
      // One caller stands for many: what is measured is the gateway, not its limits per caller.
      MCPLANE_RATE_LIMIT_PER_SECOND: '1000000',
      MCPLANE_RATE_LIMIT_BURST: '1000000',
      MCPLANE_USER_REQUESTS_PER_MINUTE: '0',
      MCPLANE_USER_TOKENS_PER_MINUTE: '0',
      MCPLANE_USER_CONCURRENT_REQUESTS: '0',
      MCPLANE_WS_MESSAGES_PER_SECOND: '1000000',
      MCPLANE_WS_MAX_SUBSCRIPTIONS: '10000',
      MCPLANE_WS_MAX_SUBSCRIPTIONS_PER_CALLER: '100000',
      MCPLANE_MAX_RUNNING_REQUESTS: '5000',
      MCPLANE_MAX_QUEUED_REQUESTS: '100000',
      ...env,
    },
  });
  stack.defer(() => server.stop());
  const token = await login(server.url);
  const opened = stack.move();
  return { ...server, token, stop: () => opened.disposeAsync() };
}

async function login(url: string): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation ($input: LoginInput!) { login(input: $input) { token } }',
      variables: { input: ADMIN },
    }),
  });
  const { data } = (await response.json()) as { data: { login: { token: string } } };
  return data.login.token;
}
