// Several processes on one port: what one of them does or suffers is not seen from outside.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text as readAll } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { restartDelayMs } from '../src/workers.ts';
import { postgresMissing, postgresTestUrl } from './support/database.ts';
import {
  type ServerProcess,
  spawnServer,
  startServerProcess,
  temporaryDirectory,
} from './support/server-process.ts';
import { gate, startUpstream, text, type Upstream } from './support/upstream.ts';

const skip = await postgresMissing();
const never = new Promise<never>(() => {});

interface Workers extends ServerProcess {
  readonly upstream: Upstream;
  readonly databaseUrl: string;
  /** The process of a worker, by its number. */
  pid(worker: number): Promise<number>;
}

/** Two workers, both serving. */
async function startWorkers(t: TestContext, env: Record<string, string> = {}): Promise<Workers> {
  const upstream = await startUpstream(t);
  const databaseUrl = await postgresTestUrl(t);
  const server = await startServerProcess(t, temporaryDirectory(t), {
    DATABASE_URL: databaseUrl,
    MCPLANE_WORKERS: '2',
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    LOG_LEVEL: 'info',
    ...env,
  });
  const pid = async (worker: number) => (await server.logged({ worker, msg: 'a worker serves' })).pid;
  await Promise.all([pid(1), pid(2)]);
  return { ...server, upstream, databaseUrl, pid };
}

/** One operation over a connection of its own, so that the next worker in turn answers it. */
async function send({ url, token }: ServerProcess, query: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, connection: 'close' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: { submitRequest: unknown }; errors?: unknown };
  assert.equal(errors, undefined);
  return data;
}

async function submit(server: ServerProcess, times: number): Promise<void> {
  const query = 'mutation { submitRequest(input: { prompt: "hello" }) { request { id } } }';
  for (let n = 0; n < times; n++) await send(server, query);
}

/** Answers one scrape: the sum of all samples of a metric. */
async function metric({ url, token }: ServerProcess, name: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, connection: 'close' };
  const body = await (await fetch(`${url}/metrics`, { headers })).text();
  const samples = [...body.matchAll(new RegExp(`^${name}(?:{.*})? (\\S+)$`, 'gm'))];
  return samples.reduce((sum, [, value]) => sum + Number(value), 0);
}

async function ownersOfRequests(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query(
    'select count(distinct owner)::int as owners from requests where status = $1',
    ['RUNNING'],
  );
  await client.end();
  return rows[0].owners;
}

/** Scrapes until the requests that were submitted are all counted: they end a little after their acceptance. */
async function countedRequests(server: ServerProcess, expected: number): Promise<number> {
  for (;;) {
    const count = await metric(server, 'mcplane_requests_total');
    if (count >= expected) return count;
  }
}

test('workers take turns, and one scrape shows the sum over all of them', { skip }, async t => {
  const server = await startWorkers(t);
  const go = Promise.withResolvers<void>();
  server.upstream.answerWith(() => [gate(go.promise), text('done')]);
  await submit(server, 6);
  assert.equal(await ownersOfRequests(server.databaseUrl), 2);
  go.resolve();

  assert.equal(await countedRequests(server, 6), 6);
  assert.equal(await metric(server, 'mcplane_request_duration_seconds_count'), 6);
  assert.equal(await metric(server, 'mcplane_workers'), 2);
  assert.equal(await metric(server, 'mcplane_breaker_state'), 0);
});

test('a worker that is killed is replaced, others answer meanwhile, and no count falls', {
  skip,
}, async t => {
  const server = await startWorkers(t);
  await submit(server, 4);
  await countedRequests(server, 4);

  process.kill(await server.pid(2), 'SIGKILL');
  const { restartMs } = await server.logged({ worker: 2, signal: 'SIGKILL' });
  await submit(server, 4);
  assert.equal(await countedRequests(server, 8), 8);
  assert.equal(restartMs, 1_000);

  await server.pid(3);
  assert.equal(await metric(server, 'mcplane_worker_restarts_total'), 1);
  assert.equal(await metric(server, 'mcplane_workers'), 2);
});

test('a worker that is stuck holds no scrape up and keeps its last count', { skip }, async t => {
  const server = await startWorkers(t);
  await submit(server, 4);
  await countedRequests(server, 4);

  process.kill(await server.pid(2), 'SIGSTOP');
  // The one in turn may be the stopped one, whose connection waits for it.
  const counts = [1, 2, 3].map(() => metric(server, 'mcplane_requests_total'));
  assert.equal(await Promise.any(counts), 4);
  process.kill(await server.pid(2), 'SIGCONT');
  assert.deepEqual(await Promise.all(counts), [4, 4, 4]);
});

test('SIGTERM lets the streams of all workers finish; then all exit and the code is 0', { skip }, async t => {
  const server = await startWorkers(t);
  const go = Promise.withResolvers<void>();
  server.upstream.answerWith(() => [text('almost '), gate(go.promise), text('done')]);
  await submit(server, 2);
  for (let n = 0; n < 2; n++) await server.upstream.nextRequest();

  server.process.kill('SIGTERM');
  await server.logged({ worker: 1, msg: 'stopping: letting requests finish' });
  await server.logged({ worker: 2, msg: 'stopping: letting requests finish' });
  go.resolve();
  assert.equal(await server.ended, 0);
  assert.equal(server.upstream.billed.calls, 2);
});

test('a second signal ends all workers at once', { skip }, async t => {
  const server = await startWorkers(t);
  server.upstream.answerWith(() => [text('never '), gate(never)]);
  await submit(server, 2);
  const calls = [await server.upstream.nextRequest(), await server.upstream.nextRequest()];

  server.process.kill('SIGTERM');
  await server.logged({ worker: 1, msg: 'stopping: letting requests finish' });
  server.process.kill('SIGTERM');
  assert.equal(await server.ended, 128 + 15);
  await Promise.all(calls.map(call => call.closed));
});

test('workers do not outlive a primary that is killed', { skip }, async t => {
  const server = await startWorkers(t);
  server.upstream.answerWith(() => [text('never '), gate(never)]);
  await submit(server, 2);
  const calls = [await server.upstream.nextRequest(), await server.upstream.nextRequest()];

  server.process.kill('SIGKILL');
  await Promise.all(calls.map(call => call.closed));
});

test('when workers cannot start at all the reason is told once and the code is 1', async t => {
  const child = spawnServer(temporaryDirectory(t), {
    DATABASE_URL: 'postgres://somebody:secret@127.0.0.1:9/none',
    MCPLANE_WORKERS: '3',
  });
  const [errors, [code]] = await Promise.all([readAll(child.stderr!), once(child, 'exit')]);
  assert.equal(code, 1);
  assert.equal(errors.match(/Postgres at 127\.0\.0\.1:9\/none cannot be used/g)?.length, 1, errors);
});

test('a place stays empty for 1 s after a failure, then twice as long each time, up to 30 s', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 60].map(restartDelayMs),
    [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
  );
});
