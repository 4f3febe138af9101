// Connections by address: one that opens many has its own end, and nobody else notices. Loopback has many addresses.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { HttpLimits } from '../../src/http/limits.ts';
import { post, startTestServer, type TestServer } from './test-server.ts';

const ATTACKER = '127.0.0.2';
const HONEST = '127.0.0.3';
const OPERATION = `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer user\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n{"query":"{hello}"}`;

async function start(t: TestContext, limits: Partial<HttpLimits>, exempt: readonly string[] = []) {
  const refused: string[] = [];
  const server = await startTestServer({
    limits,
    trustedProxies: ['127.0.0.9'],
    unlimitedAddresses: exempt,
    meter: { refused: limit => void refused.push(limit) },
  });
  t.after(() => server.close());
  return { server, refused };
}

interface Visitor {
  readonly socket: Socket;
  /** The status line of the answer to an operation, or undefined when the connection was closed without one. */
  ask(): Promise<string | undefined>;
}

async function visit(t: TestContext, { port }: TestServer, from: string): Promise<Visitor> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  const closed = new Promise<undefined>(resolve => socket.once('close', () => resolve(undefined)));
  await Promise.race([new Promise<void>(resolve => socket.once('connect', resolve)), closed]);
  return {
    socket,
    ask() {
      const answer = new Promise<string>(resolve => socket.once('data', data => resolve(String(data))));
      if (!socket.destroyed) socket.write(OPERATION);
      return Promise.race([answer.then(text => text.split('\r\n', 1)[0]), closed]);
    },
  };
}

test('an address over its connections is closed at once, while others are served', async t => {
  const { server, refused } = await start(t, { maxConnectionsPerAddress: 3 });
  const attackers: Visitor[] = [];
  for (let count = 0; count < 8; count++) attackers.push(await visit(t, server, ATTACKER));

  const answers = await Promise.all(attackers.map(attacker => attacker.ask()));

  assert.deepEqual(answers.slice(0, 3), Array(3).fill('HTTP/1.1 200 OK'));
  assert.deepEqual(answers.slice(3), Array(5).fill(undefined));
  assert.deepEqual(refused, Array(5).fill('maxConnectionsPerAddress'));
  assert.equal(await (await visit(t, server, HONEST)).ask(), 'HTTP/1.1 200 OK');
  assert.equal((await post(server, { query: '{ hello }' })).status, 200);

  const gone = once(attackers[0]!.socket, 'close');
  attackers[0]!.socket.destroy();
  await gone;
  // The server may hear of it a moment later than we do.
  while ((await (await visit(t, server, ATTACKER)).ask()) === undefined);
});

test('idle connections that say nothing count too', async t => {
  const { server } = await start(t, { maxConnectionsPerAddress: 2 });
  for (let count = 0; count < 2; count++) await visit(t, server, ATTACKER);

  assert.equal(await (await visit(t, server, ATTACKER)).ask(), undefined);
  assert.equal(await (await visit(t, server, HONEST)).ask(), 'HTTP/1.1 200 OK');
});

test('addresses that stand for many have no such end: proxies, and those that the settings name', async t => {
  const { server, refused } = await start(t, { maxConnectionsPerAddress: 1 }, ['127.0.0.2/31']);

  for (const address of ['127.0.0.9', ATTACKER])
    for (let count = 0; count < 4; count++)
      assert.equal(await (await visit(t, server, address)).ask(), 'HTTP/1.1 200 OK', address);

  assert.deepEqual(refused, []);
});

test('connections over all that the server takes are counted as such', async t => {
  const { server, refused } = await start(t, { maxConnections: 2 });
  for (const address of [ATTACKER, HONEST]) await visit(t, server, address);

  assert.equal(await (await visit(t, server, '127.0.0.4')).ask(), undefined);
  assert.deepEqual(refused, ['maxConnections']);
});
