// Two instances as processes of their own, on a Postgres and a Redis that a test may harm, in front of a provider that
// counts its calls. Each instance reaches Postgres through a network of its own, which can be frozen.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import pg from 'pg';
import type { ModelStream } from '../../src/sdk/client.ts';
import { BOUNDLESS_CALLERS } from '../support/app.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type ServerProcess, startServerProcess, temporaryDirectory } from '../support/server-process.ts';
import { startUpstream, text, type Upstream, type UpstreamRequest, waitMs } from '../support/upstream.ts';

export interface Instance extends ServerProcess {
  /** Its way to Postgres. */
  readonly network: TcpProxy;
}

export interface Cluster {
  readonly upstream: Upstream;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly instances: readonly [Instance, Instance];
  /** Rows, past the instances and their networks. */
  rows<Row extends object>(query: string, ...values: unknown[]): Promise<Row[]>;
  /** Asks until there is a row. */
  row<Row extends object>(query: string, ...values: unknown[]): Promise<Row>;
}

/** Between two words of an answer; when a prompt is asked again, the test has waited long enough. */
const WORD_MS = 50;
const AGAIN_WORD_MS = 5;

/** An instance that has not lived through so many milliseconds of unbroken heartbeats declares nobody dead. */
const SWEEP_GRACE_MS = 9_000;

export async function startCluster(
  t: TestContext,
  { withRedis = true, env = {} }: { withRedis?: boolean; env?: Record<string, string> } = {},
): Promise<Cluster> {
  const [upstream, postgres, redis] = await Promise.all([startUpstream(t), startPostgres(t), startRedis(t)]);
  upstream.answerWith(({ body }) => {
    const prompt: string = body.messages.at(-1).content;
    const isFirst =
      upstream.modelCalls.filter(call => call.body.messages.at(-1).content === prompt).length === 1;
    return wordsOf(prompt).flatMap(word => [text(word), waitMs(isFirst ? WORD_MS : AGAIN_WORD_MS)]);
  });

  async function startInstance(): Promise<Instance> {
    const network = await startProxy(t, postgres.port);
    const url = new URL(postgres.url);
    url.port = String(network.port);
    const server = await startServerProcess(t, temporaryDirectory(t), {
      DATABASE_URL: url.href,
      JWT_SECRET_KEY: 'bm90IGEgc2VjcmV0LCBvbmx5IGZvciB0ZXN0cywgNDggYnl0ZXM',
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      ...BOUNDLESS_CALLERS,
      ...(withRedis ? { REDIS_URL: redis.url } : {}),
      ...env,
    });
    return { ...server, network };
  }

  async function rows<Row extends object>(query: string, ...values: unknown[]): Promise<Row[]> {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    try {
      return (await client.query<Row>(query, values)).rows;
    } finally {
      await client.end();
    }
  }

  return {
    upstream,
    postgres,
    redis,
    instances: await Promise.all([startInstance(), startInstance()]),
    rows,
    async row<Row extends object>(query: string, ...values: unknown[]) {
      for (;;) {
        const [row] = await rows<Row>(query, ...values);
        if (row) return row;
        await pause(50);
      }
    },
  };
}

/** Resolves when the instance may declare others dead. */
export async function untilItJudges({ rows }: Cluster): Promise<void> {
  const [{ waited }] = (await rows<{ waited: number }>(
    'select extract(epoch from clock_timestamp() - max(started_at)) * 1000 as waited from instances',
  )) as [{ waited: number }];
  await pause(SWEEP_GRACE_MS - waited);
}

/** Reads to the end; counts how often the answer was begun again. */
export async function readToEnd(stream: ModelStream): Promise<{ text: string; restarts: number }> {
  let restarts = 0;
  for await (const event of stream.events()) if (event.__typename === 'StreamRestarted') restarts += 1;
  return { text: (await stream.final()).text, restarts };
}

/** The next call of the model; lists are asked for besides. */
export async function nextCall({ upstream }: Cluster): Promise<UpstreamRequest> {
  for (;;) {
    const request = await upstream.nextRequest();
    if (request.api) return request;
  }
}

/** `3 x apple` is answered with `apple0 apple1 apple2 `. */
function wordsOf(prompt: string): string[] {
  const [, count, word] = /^(\d+) x (.*)$/.exec(prompt) ?? assert.fail(prompt);
  return Array.from({ length: Number(count) }, (_, index) => `${word}${index} `);
}

/** The whole answer. */
export function textOf(prompt: string): string {
  return wordsOf(prompt).join('');
}

export function pause(delayMs: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, delayMs));
}
