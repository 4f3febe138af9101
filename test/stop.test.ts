// A stop as those outside see it: the orchestrator that asks for it, clients with streams, clients that come late.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { postgresMissing, postgresTestUrl } from './support/database.ts';
import {
  type ServerProcess,
  spawnServer,
  startServerProcess,
  temporaryDirectory,
} from './support/server-process.ts';
import { gate, startUpstream, text } from './support/upstream.ts';

const skip = await postgresMissing();
const never = new Promise<never>(() => {});

async function start(t: TestContext, env: Record<string, string> = {}) {
  const upstream = await startUpstream(t);
  const server = await startServerProcess(t, temporaryDirectory(t), {
    DATABASE_URL: await postgresTestUrl(t),
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    LOG_LEVEL: 'info',
    ...env,
  });
  return { upstream, server };
}

/** Resolves when the server has begun to stop. */
async function terminate(server: ServerProcess): Promise<void> {
  server.process.kill('SIGTERM');
  await server.logged({ msg: 'stopping: letting requests finish' });
}

/** The client library that most of our clients use, with all it does of its own accord. */
function stockClient(t: TestContext, { url, token }: ServerProcess) {
  const closed = Promise.withResolvers<{ readonly code: number }>();
  const retried = Promise.withResolvers<void>();
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryWait: () => Promise.resolve(),
    on: {
      closed: event => closed.resolve(event as { code: number }),
      connecting: isRetry => isRetry && retried.resolve(),
    },
  });
  t.after(() => client.dispose());
  return { client, closed: closed.promise, retried: retried.promise };
}

test('SIGTERM: unready at once, nothing new, open streams finish, sockets go elsewhere, exit 0', {
  skip,
}, async t => {
  const { upstream, server } = await start(t);
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('almost '), gate(go.promise), text('done')]);
  const { submitRequest } = await server.client.submitRequest({ input: { prompt: 'finish me' } });
  const { client, closed, retried } = stockClient(t, server);
  // Never ends by itself: what becomes of it is seen when the socket closes.
  const feed = { query: 'subscription { requestFeed { id } }' };
  t.after(client.subscribe(feed, { next() {}, error() {}, complete() {} }));
  const query = `subscription { tokenStream(requestId: "${submitRequest.request.id}") { ... on TokenDelta { text } } }`;
  const events = client.iterate<{ tokenStream: { text?: string } }>({ query });
  const received: string[] = [];
  for await (const { data } of events) {
    received.push(data?.tokenStream.text ?? '');
    if (data?.tokenStream.text !== 'almost ') continue;

    await terminate(server);
    const [ready, live] = await Promise.all([fetch(`${server.url}/readyz`), fetch(`${server.url}/livez`)]);
    assert.deepEqual([ready.status, ready.headers.get('retry-after'), live.status], [503, '5', 200]);
    const late = server.client.submitRequest({ input: { prompt: 'too late' } });
    await assert.rejects(late, { code: 'SHUTTING_DOWN', retryable: true });
    go.resolve();
  }

  assert.equal(received.join(''), 'almost done');
  assert.equal((await closed).code, 1012);
  await retried;
  assert.equal(await server.ended, 0);
});

test('what does not finish within the grace holds the stop up no longer', { skip }, async t => {
  const { upstream, server } = await start(t, { MCPLANE_SHUTDOWN_GRACE_MS: '50' });
  upstream.enqueue([text('never '), gate(never)]);
  await server.client.submitRequest({ input: { prompt: 'endless' } });
  const call = await upstream.nextRequest();
  await terminate(server);
  await call.closed;
  assert.equal(await server.ended, 0);
});

test('a second signal ends the server at once', { skip }, async t => {
  const { upstream, server } = await start(t);
  upstream.enqueue([text('never '), gate(never)]);
  await server.client.submitRequest({ input: { prompt: 'endless' } });
  const call = await upstream.nextRequest();
  await terminate(server);
  server.process.kill('SIGTERM');
  assert.equal(await server.ended, 128 + 15);
  await call.closed;
});

test('a signal during the start ends the server, also as the first process of a container', async t => {
  const child = spawnServer(temporaryDirectory(t));
  t.after(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stderr! })) if (line.startsWith('creating')) break;
  child.kill('SIGTERM');
  // A code, not the signal: it was heard. The kernel keeps signals nobody listens for from a first process.
  assert.deepEqual(await once(child, 'exit'), [128 + 15, null]);
});
