// Stopping: unready at once, nothing new, what runs may end, then clients are sent elsewhere.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { connect, refusedUpgrade, subscribe } from './raw-socket.ts';
import { answerOf, post, startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

test('a draining server is unready but alive, and refuses new operations retryably', async () => {
  const raw = await connect(server);
  server.server.drain();
  const [ready, live, refused] = await Promise.all([
    fetch(`${server.url}/readyz`),
    fetch(`${server.url}/livez`),
    post(server, { query: '{ hello }' }),
  ]);
  raw.send(subscribe('1', '{ hello }'));
  const error = await raw.until('error', '1');
  assert.deepEqual([ready.status, ready.headers.get('retry-after')], [503, '5']);
  assert.equal(live.status, 200);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
  assert.equal((await answerOf(refused)).errors?.[0]?.extensions.code, 'SHUTTING_DOWN');
  assert.match(JSON.stringify(error.payload), /SHUTTING_DOWN/);
  assert.equal(await refusedUpgrade(server.socketUrl), 503);
});

test('what runs may end within the grace, and close waits no longer than that', async () => {
  const raw = await connect(server);
  raw.send(subscribe('1', '{ wait }'), subscribe('2', '{ hello }'));
  await raw.until('complete', '2');
  const closed = server.server.close(60_000);
  server.observed.release();
  assert.deepEqual((await raw.until('next', '1')).payload, { data: { wait: true } });
  assert.equal((await raw.closed).code, 1012);
  await closed;
});

test('endless streams are ended after the grace: sockets with 1012, event streams without complete', async () => {
  const raw = await connect(server);
  raw.send(subscribe('1', 'subscription { ticks }'));
  const response = await post(server, { query: 'subscription { ticks }' }, { accept: 'text/event-stream' });
  const text = response.text();
  await raw.until('next', '1');
  await server.server.close(10);
  assert.equal((await raw.closed).code, 1012);
  assert.ok(!raw.received.some(message => message.type === 'complete'));
  assert.match(await text, /^:\n\nevent: next\ndata: {"data":{"ticks":1}}\n\n$/);
  assert.equal(server.observed.open, 0);
});

test('a peer that does not answer the close is cut', async () => {
  const raw = await connect(server);
  raw.socket.pause();
  const atMs = performance.now();
  await server.server.close(0);
  assert.ok(performance.now() - atMs < 2_000);
  raw.socket.terminate();
});
