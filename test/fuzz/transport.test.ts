// Frames and bytes that are none: the server answers what is left of the protocol, or closes, and serves the next one.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { schema } from '../../src/graphql/schema.ts';
import { startTestApp } from '../support/app.ts';
import { makeOperation, type Operation } from './documents.ts';
import { anyValue, CASES, createLuck, damaged, type Luck, nastyText, SEED } from './luck.ts';
import { mutatedOperation } from './sdk-operations.ts';
import { type FuzzedApp, startFuzzedApp } from './world.ts';

const HANGS_MS = 20_000;
/** What the protocol and ws close with; 1006: we cut it ourselves. */
const CLOSES = new Set([1002, 1003, 1006, 1007, 1009, 4400, 4401, 4403, 4408, 4409, 4429]);
const FRAMES = 8;

function message(luck: Luck, { adminToken: token, ids }: FuzzedApp): Record<string, unknown> {
  const type = luck.pick([
    'connection_init',
    'subscribe',
    'subscribe',
    'complete',
    'ping',
    'pong',
    'next',
    nastyText(luck),
  ]);
  const payload =
    type === 'connection_init'
      ? { authorization: `Bearer ${luck.chance(0.8) ? token : nastyText(luck)}` }
      : type === 'subscribe'
        ? operation(luck, ids)
        : anyValue(luck);
  return { id: luck.chance(0.8) ? luck.pick(['1', '2', '3']) : anyValue(luck), type, payload };
}

function operation(luck: Luck, ids: readonly string[]): Operation {
  return luck.chance(0.3)
    ? mutatedOperation(schema, luck, ids)
    : makeOperation(schema, luck, luck.pick(['query', 'mutation', 'subscription', 'subscription']), ids);
}

function frame(luck: Luck, app: FuzzedApp): string | Buffer {
  const made = message(luck, app);
  if (luck.chance(0.2)) made[luck.pick(['id', 'type', 'payload'])] = anyValue(luck);
  const text = JSON.stringify(made);
  if (luck.chance(0.1)) return damaged(luck, text);
  return luck.chance(0.05) ? Buffer.from(luck.some(200, () => luck.whole(256))) : text;
}

test(`any frames are answered or end their socket alone (seed ${SEED})`, async t => {
  const app = await startFuzzedApp(t);
  const { url, adminToken, follow, ask } = app;
  for (let number = 0; number < CASES / 4; number += 1) {
    const luck = createLuck(SEED + number);
    const what = `FUZZ_SEED=${SEED + number}`;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const closed = new Promise<number>(resolve => socket.on('close', code => resolve(code)));
    socket.on('message', data => {
      const text = String(data);
      assert.ok(!text.includes('"INTERNAL"'), `${text.slice(0, 500)}: ${what}`);
    });
    socket.on('error', () => {});
    await new Promise(resolve => socket.on('open', resolve));
    if (luck.chance(0.8))
      socket.send(
        JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${adminToken}` } }),
      );
    for (let sent = 0; sent < FRAMES && socket.readyState === WebSocket.OPEN; sent += 1) {
      socket.send(frame(luck, app));
      if (luck.chance(0.3)) await new Promise(resolve => setImmediate(resolve));
    }
    socket.close();
    const timer = setTimeout(() => assert.fail(`the socket hangs: ${what}`), HANGS_MS);
    const code = await closed;
    clearTimeout(timer);
    assert.ok(CLOSES.has(code) || code === 1005, `closed with ${code}: ${what}`);
  }

  const { submitRequest } = await ask(
    'mutation { submitRequest(input: { prompt: "[[echo]] still here" }) { request { id } } }',
  );
  let text = '';
  const query = 'subscription ($id: ID!) { tokenStream(requestId: $id) { ... on TokenDelta { text } } }';
  for await (const { tokenStream } of follow(query, { id: submitRequest.request.id }))
    text += tokenStream.text ?? '';
  assert.match(text, /still here/);
});

const HEADS = [
  'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"query":"{ a }"}   ',
  'GET /graphql?query={viewer{id}} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n',
  'GET /readyz?verbose HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
  'OPTIONS /graphql HTTP/1.1\r\nHost: x\r\nOrigin: https://elsewhere.example\r\n\r\n',
  'POST /setup HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
];

test(`any bytes are answered below 500, or the connection ends (seed ${SEED})`, async t => {
  const { app, ask } = await startTestApp(t, {
    MCPLANE_HEADERS_TIMEOUT_MS: '300',
    MCPLANE_REQUEST_TIMEOUT_MS: '400',
  });
  const { port } = new URL(app.url);
  const attack = async (number: number) => {
    const luck = createLuck(SEED + number);
    const bytes = luck.chance(0.2)
      ? Buffer.from(luck.some(400, () => luck.whole(256)))
      : Buffer.from(damaged(luck, luck.pick(HEADS)), 'latin1');
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.on('data', data => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => {});
    const closed = new Promise(resolve => socket.on('close', resolve));
    socket.write(bytes);
    // What is left open by an answer that keeps the connection is closed by us.
    const timer = setTimeout(() => socket.destroy(), 3_000);
    if (luck.chance(0.7)) socket.end();
    await closed;
    clearTimeout(timer);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
    assert.ok(
      status < 500,
      `${status}: FUZZ_SEED=${SEED + number}: ${JSON.stringify(bytes.toString('latin1'))}`,
    );
  };
  for (let number = 0; number < CASES; number += 20)
    await Promise.all(Array.from({ length: 20 }, (_, index) => attack(number + index)));

  assert.deepEqual(await ask('{ viewer { username } }'), { viewer: { username: 'admin' } });
});
