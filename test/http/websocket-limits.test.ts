// What one client can take of the server over sockets, and when the server closes them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HttpLimits } from '../../src/http/limits.ts';
import { connect, openSocket, refusedUpgrade, subscribe } from './raw-socket.ts';
import { post, startTestServer, type TestServer } from './test-server.ts';

async function withServer(limits: Partial<HttpLimits>, run: (server: TestServer) => Promise<void>) {
  const server = await startTestServer({ limits });
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

describe('a page of another site', () => {
  test('cannot open a socket, its own and listed ones can', async () => {
    const server = await startTestServer({ corsOrigins: ['https://app.example'] });
    try {
      assert.equal(await refusedUpgrade(server.socketUrl, { origin: 'https://evil.example' }), 403);
      assert.equal(await refusedUpgrade(server.socketUrl, { origin: 'null' }), 403);
      for (const origin of [server.url, 'https://app.example']) {
        await (await openSocket(server, { headers: { origin } })).close();
      }
    } finally {
      await server.close();
    }
  });
});

describe('sockets', () => {
  test('one principal has so many, then the next is closed with 4429', () =>
    withServer({ maxSocketsPerPrincipal: 2 }, async server => {
      const [first] = [await connect(server), await connect(server)];
      const third = await openSocket(server);
      third.send({ type: 'connection_init', payload: { authorization: 'Bearer user' } });
      const closed = await third.closed;
      const admin = await connect(server, 'admin');
      await Promise.all([first.close(), admin.close()]);
      assert.equal(closed.code, 4429);
      assert.deepEqual(third.received, []);
      await (await connect(server)).close();
    }));

  test('one address has so many without init, then upgrades are 503 until one is done', () =>
    withServer({ maxNewSocketsPerAddress: 2 }, async server => {
      const waiting = [await openSocket(server), await openSocket(server)];
      assert.equal(await refusedUpgrade(server.socketUrl), 503);
      waiting[0]?.send({ type: 'connection_init', payload: { authorization: 'Bearer user' } });
      await waiting[0]?.until('connection_ack');
      await (await openSocket(server)).close();
      await Promise.all(waiting.map(raw => raw.close()));
    }));

  test('the server has so many in all, then upgrades are 503', () =>
    withServer({ maxSockets: 1 }, async server => {
      const raw = await connect(server);
      assert.equal(await refusedUpgrade(server.socketUrl), 503);
      await raw.close();
    }));
});

describe('operations of one socket', () => {
  test('a subscription too many is an error on its id, and queries still run', () =>
    withServer({ maxSubscriptionsPerSocket: 2 }, async server => {
      const raw = await connect(server);
      for (const id of ['1', '2', '3']) raw.send(subscribe(id, 'subscription { ticks }'));
      const error = await raw.until('error', '3');
      raw.send(subscribe('query', '{ hello }'), { type: 'complete', id: '1' });
      await raw.until('complete', 'query');
      raw.send(subscribe('4', 'subscription { ticks }'));
      await raw.until('next', '4');
      assert.match(JSON.stringify(error.payload), /RATE_LIMITED/);
      await raw.close();
    }));

  test('a caller has so many subscriptions over all sockets and event streams, others have theirs', async () => {
    const refused: string[] = [];
    const meter = { refused: (limit: string) => void refused.push(limit) };
    const server = await startTestServer({ limits: { maxSubscriptionsPerPrincipal: 3 }, meter });
    const [first, second] = [await connect(server), await connect(server)];
    const stream = (token: string) => {
      const options = { accept: 'text/event-stream', token };
      return post(server, { query: 'subscription { ticks }' }, options);
    };
    const events = await stream('user');
    first.send(subscribe('1', 'subscription { ticks }'));
    await first.until('next', '1');
    second.send(subscribe('1', 'subscription { ticks }'), subscribe('2', 'subscription { ticks }'));

    assert.match(JSON.stringify((await second.until('error', '2')).payload), /RATE_LIMITED/);
    assert.equal((await stream('user')).status, 429);
    assert.deepEqual(refused, ['wsMaxSubscriptionsPerCaller', 'wsMaxSubscriptionsPerCaller']);
    const others = await stream('admin');
    assert.equal(others.status, 200);
    second.send(subscribe('query', '{ hello }'));
    await second.until('complete', 'query');

    first.send({ type: 'complete', id: '1' });
    first.send(subscribe('2', 'subscription { ticks }'));
    await first.until('next', '2');
    await first.close();
    await events.body!.cancel();
    // What ends with its connection is given back when the server hears of that.
    for (let again = await stream('user'); again.status !== 200; again = await stream('user'));
    await Promise.all([second.close(), others.body!.cancel()]);
    await server.close();
  });

  test('a hundred queries in flight are fine', () =>
    withServer({}, async server => {
      const raw = await connect(server);
      for (let count = 0; count < 100; count++) raw.send(subscribe(`${count}`, '{ wait }'));
      raw.send(subscribe('last', '{ hello }'));
      await raw.until('complete', 'last');
      server.observed.release();
      await raw.until('complete', '99');
      assert.ok(!raw.received.some(message => message.type === 'error'));
      await raw.close();
    }));

  test('they count in the request rate together with those by HTTP', () =>
    withServer({ operationsBurst: 3, operationsPerSecond: 0.1 }, async server => {
      const raw = await connect(server);
      const headers = { 'content-type': 'application/json', authorization: 'Bearer user' };
      const byHttp = () => fetch(server.graphql, { method: 'POST', headers, body: '{"query":"{ hello }"}' });
      await byHttp();
      for (const id of ['1', '2', '3']) raw.send(subscribe(id, '{ hello }'));
      const error = await raw.until('error', '3');
      assert.match(JSON.stringify(error.payload), /"code":"RATE_LIMITED","retryable":true,"retryAfterMs":/);
      assert.equal((await byHttp()).status, 429);
      await raw.close();
    }));

  test('a message counts once for each 4 kB', () =>
    withServer({ socketMessagesPerSecond: 100 }, async server => {
      const raw = await connect(server);
      const payload = { text: 'x'.repeat(200_000) };
      raw.send({ type: 'ping', payload });
      await raw.until('pong');
      for (let count = 0; count < 3; count++) raw.send({ type: 'ping', payload });
      assert.equal((await raw.closed).code, 4429);
    }));

  test('all sockets of one principal send four times as much together as one of them', () =>
    withServer({ socketMessagesPerSecond: 20 }, async server => {
      const sockets = await Promise.all(Array.from({ length: 6 }, () => connect(server)));
      const other = await connect(server, 'admin');
      for (const raw of sockets) for (let count = 0; count < 15; count++) raw.send({ type: 'ping' });
      const first = await Promise.race(sockets.map(raw => raw.closed));
      assert.equal(first.code, 4429);
      other.send({ type: 'ping' });
      await other.until('pong');
      await other.close();
    }));

  test('who has not signed in may say little', () =>
    withServer({}, async server => {
      const raw = await openSocket(server);
      for (let count = 0; count < 15; count++) raw.send({ type: 'ping' });
      for (let count = 0; count < 15; count++) assert.equal((await raw.next()).type, 'pong');
      for (let count = 0; count < 10; count++) raw.send({ type: 'ping' });
      assert.equal((await raw.closed).code, 4429);
      const large = await openSocket(server);
      large.send({ type: 'ping', payload: { text: 'x'.repeat(200_000) } });
      assert.equal((await large.closed).code, 4429);
    }));

  for (const [name, send] of [
    ['messages', (raw: Awaited<ReturnType<typeof connect>>) => raw.send({ type: 'ping' })],
    ['pings of the protocol', (raw: Awaited<ReturnType<typeof connect>>) => raw.socket.ping()],
  ] as const) {
    test(`${name} over the rate close it with 4429`, () =>
      withServer({ socketMessagesPerSecond: 20 }, async server => {
        const raw = await connect(server);
        for (let count = 0; count < 40; count++) send(raw);
        assert.equal((await raw.closed).code, 4429);
      }));
  }
});

describe('peers', () => {
  test('one that answers no pings is dropped', () =>
    withServer({ keepAliveMs: 30 }, async server => {
      const raw = await connect(server);
      const lively = await connect(server);
      raw.socket.pause();
      raw.send(subscribe('1', 'subscription { ticks }'));
      await server.observed.nextEnd();
      assert.equal(lively.socket.readyState, lively.socket.OPEN);
      raw.socket.resume();
      assert.equal((await raw.closed).code, 1006);
      await lively.close();
    }));

  test('one that stops reading is dropped after a while, and held little until then', () =>
    withServer({ slowReaderMs: 100, slowReaderBytes: 300_000 }, async server => {
      const raw = await connect(server);
      const before = process.memoryUsage().rss;
      raw.socket.pause();
      for (let id = 0; id < 10; id++) raw.send(subscribe(`${id}`, 'subscription { heavy }'));
      while (server.server.openSockets > 0) await new Promise(resolve => setTimeout(resolve, 20));
      assert.ok(process.memoryUsage().rss - before < 100_000_000);
      raw.socket.terminate();
    }));
});

describe('answers that nobody reads', () => {
  test('are held up to a limit, then the socket is closed with 4429', () =>
    withServer({ maxUnreadBytes: 1_000_000 }, async server => {
      const raw = await connect(server);
      raw.socket.pause();
      // Those that fit into the buffers of the system have left the server.
      for (let id = 0; id < 60; id++) raw.send(subscribe(`${id}`, '{ long(length: 400000) }'));
      while (server.server.openSockets > 0) await new Promise(resolve => setTimeout(resolve, 20));
      raw.socket.resume();
      await raw.closed;
      assert.ok(raw.received.length < 60, `${raw.received.length} answers`);
    }));
});

describe('the end of a credential', () => {
  test('closes the socket with 4403, and others stay', () =>
    withServer({}, async server => {
      const raw = await connect(server);
      const other = await connect(server, 'admin');
      raw.send(subscribe('1', 'subscription { ticks }'));
      await raw.until('next', '1');
      const ended = server.observed.nextEnd();
      server.endCredential('user');
      assert.equal((await raw.closed).code, 4403);
      await ended;
      other.send(subscribe('1', '{ viewer }'));
      await other.until('complete', '1');
      await other.close();
    }));

  test('refuses what is sent before the close arrives', () =>
    withServer({}, async server => {
      const raw = await connect(server);
      server.endCredential('user');
      await new Promise(resolve => setImmediate(resolve));
      raw.send(subscribe('1', '{ viewer }'));
      await raw.closed;
      assert.doesNotMatch(JSON.stringify(raw.received), /"viewer":"user"/);
    }));
});
