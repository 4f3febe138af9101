// graphql-transport-ws, message by message, with a client that knows nothing of the protocol.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { connect, openSocket, refusedUpgrade, subscribe } from './raw-socket.ts';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

const INIT = { type: 'connection_init', payload: { authorization: 'Bearer user' } };

describe('the handshake', () => {
  test('the subprotocol is chosen among those offered', async () => {
    const raw = await openSocket(server, { protocols: ['graphql-ws', 'graphql-transport-ws'] });
    assert.equal(raw.socket.protocol, 'graphql-transport-ws');
    await raw.close();
  });

  test('no subprotocol is closed with 4406, only the legacy one is refused', async () => {
    const raw = await openSocket(server, { protocols: [] });
    assert.equal((await raw.closed).code, 4406);
    await assert.rejects(openSocket(server, { protocols: ['graphql-ws'] }), /no subprotocol/);
  });

  test('another path is 404', async () => {
    assert.equal(await refusedUpgrade(server.socketUrl.replace('/graphql', '/other')), 404);
  });

  test('a wrong version is refused, and an offer of HTTP/2 is answered as plain HTTP', async () => {
    const upgrade = { connection: 'upgrade', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    const version = await statusOf({ ...upgrade, upgrade: 'websocket', 'sec-websocket-version': '7' });
    const http2 = await statusOf({ connection: 'upgrade', upgrade: 'h2c' });
    assert.equal(version, 400);
    assert.equal(http2, 400, 'a GET without a query');
  });
});

describe('connection_init', () => {
  test('none in time is closed with 4408', async t => {
    // Of its own: a busy machine may take longer than this for what the other tests send.
    const impatient = await startTestServer({ limits: { connectionInitTimeoutMs: 100 } });
    t.after(() => impatient.close());
    const raw = await openSocket(impatient);
    assert.equal((await raw.closed).code, 4408);
  });

  test('a second one, back to back, is closed with 4429', async () => {
    const raw = await openSocket(server);
    raw.send(INIT, INIT);
    assert.equal((await raw.closed).code, 4429);
  });

  test('subscribe before the ack is closed with 4401', async () => {
    const raw = await openSocket(server);
    raw.send(subscribe('1', '{ hello }'));
    assert.equal((await raw.closed).code, 4401);
  });

  test('a credential that is not valid is closed with 4403 and nothing is served', async () => {
    const raw = await openSocket(server);
    raw.send(
      { type: 'connection_init', payload: { Authorization: 'Bearer forged' } },
      subscribe('1', '{ hello }'),
    );
    const { code } = await raw.closed;
    assert.ok(code === 4403 || code === 4401, `closed with ${code}`);
    assert.deepEqual(raw.received, []);
  });

  test('a missing credential is closed with 4403: what is public is served over HTTP', async () => {
    const raw = await openSocket(server);
    raw.send({ type: 'connection_init' });
    assert.equal((await raw.closed).code, 4403);
    assert.deepEqual(raw.received, []);
  });

  test('the credential may come as a header of the upgrade', async () => {
    const raw = await openSocket(server, { headers: { authorization: 'Bearer admin' } });
    raw.send({ type: 'connection_init' });
    await raw.until('connection_ack');
    raw.send(subscribe('1', '{ viewer }'));
    assert.deepEqual((await raw.until('next', '1')).payload, { data: { viewer: 'admin' } });
    await raw.close();
  });
});

describe('ping and pong', () => {
  test('a ping is answered with its payload, also before init', async () => {
    const raw = await openSocket(server);
    raw.send({ type: 'ping', payload: { at: 7 } }, { type: 'pong' });
    assert.deepEqual(await raw.next(), { type: 'pong', payload: { at: 7 } });
    await raw.close();
  });

  test('pings of the WebSocket protocol are answered', async () => {
    const raw = await openSocket(server);
    const pong = new Promise<Buffer>(resolve => raw.socket.once('pong', resolve));
    raw.socket.ping('beat');
    assert.equal(String(await pong), 'beat');
    await raw.close();
  });
});

describe('messages that are none are closed with 4400', () => {
  const query = '{ hello }';
  const messages: [string, unknown][] = [
    ['no JSON', '{"type":'],
    ['an empty frame', ''],
    ['a number', '7'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no type', { id: '1' }],
    ['an unknown type', { type: 'hello' }],
    ['a legacy start', { type: 'start', id: '1', payload: { query } }],
    ['a server-only connection_ack', { type: 'connection_ack' }],
    ['a server-only next', { type: 'next', id: '1', payload: {} }],
    ['a server-only error', { type: 'error', id: '1', payload: [{ message: 'x' }] }],
    ['subscribe without id', { type: 'subscribe', payload: { query } }],
    ['subscribe with an empty id', { type: 'subscribe', id: '', payload: { query } }],
    ['subscribe with a number as id', { type: 'subscribe', id: 1, payload: { query } }],
    ['subscribe without payload', { type: 'subscribe', id: '1' }],
    ['subscribe without query', { type: 'subscribe', id: '1', payload: {} }],
    ['a query that is no string', { type: 'subscribe', id: '1', payload: { query: 7 } }],
    ['variables that are a list', { type: 'subscribe', id: '1', payload: { query, variables: [] } }],
    ['extensions that are a string', { type: 'subscribe', id: '1', payload: { query, extensions: 'x' } }],
    [
      'an operationName that is no string',
      { type: 'subscribe', id: '1', payload: { query, operationName: 1 } },
    ],
    ['complete without id', { type: 'complete' }],
    ['a ping whose payload is a string', { type: 'ping', payload: 'x' }],
    [
      'a ping too deep to be sent back',
      `{"type":"ping","payload":{"a":${'['.repeat(9_000)}${']'.repeat(9_000)}}}`,
    ],
    ['more values than are parsed', `{"type":"ping","payload":{"a":[${'1,'.repeat(30_000)}1]}}`],
    ['an init whose payload is a list', { type: 'connection_init', payload: [] }],
  ];
  for (const [name, message] of messages) {
    test(name, async () => {
      const raw = await connect(server);
      raw.send(message);
      assert.equal((await raw.closed).code, 4400);
    });
  }
});

describe('frames', () => {
  test('broken UTF-8 is closed with 1007', async () => {
    const raw = await connect(server);
    raw.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    assert.equal((await raw.closed).code, 1007);
  });

  test('a message over the limit is closed with 1009, also in fragments', async () => {
    const small = await startTestServer({ limits: { maxSocketMessageBytes: 1_000 } });
    try {
      const whole = await connect(small);
      whole.send(subscribe('1', `{ hello } #${'x'.repeat(1_000)}`));
      assert.equal((await whole.closed).code, 1009);
      const split = await connect(small);
      for (let count = 0; count < 3; count++) split.socket.send('x'.repeat(400), { fin: false });
      assert.equal((await split.closed).code, 1009);
    } finally {
      await small.close();
    }
  });

  test('a message in more pieces than any client makes is closed', async () => {
    const raw = await connect(server);
    for (let count = 0; count < 1_100; count++) raw.socket.send(count === 0 ? '{' : '', { fin: false });
    assert.equal((await raw.closed).code, 1008);
  });

  test('a text in fragments is joined', async () => {
    const raw = await connect(server);
    const text = JSON.stringify(subscribe('1', '{ hello }'));
    raw.socket.send(text.slice(0, 20), { fin: false });
    raw.socket.send(text.slice(20), { fin: true });
    assert.deepEqual((await raw.until('next', '1')).payload, { data: { hello: 'world' } });
    await raw.close();
  });
});

test('a close with 1000 is answered with 1000', async () => {
  const raw = await connect(server);
  raw.socket.close(1000);
  assert.equal((await raw.closed).code, 1000);
});

function statusOf(headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(server.graphql, { headers }, response => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject).end();
  });
}
