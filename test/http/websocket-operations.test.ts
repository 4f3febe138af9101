// What operations do on a socket: their messages, their ends, and that none disturbs another.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type Message, subscribe } from './raw-socket.ts';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

/** Something else on the same socket still works. */
async function assertAlive(raw: Awaited<ReturnType<typeof connect>>): Promise<void> {
  raw.send(subscribe('alive', '{ hello }'));
  assert.deepEqual((await raw.until('next', 'alive')).payload, { data: { hello: 'world' } });
  await raw.until('complete', 'alive');
}

describe('operations', () => {
  test('a query is one next and one complete', async () => {
    const raw = await connect(server);
    raw.send(subscribe('1', '{ hello viewer }'));
    await raw.until('complete', '1');
    await assertAlive(raw);
    assert.deepEqual(
      raw.received.filter(message => message.id === '1'),
      [
        { type: 'next', id: '1', payload: { data: { hello: 'world', viewer: 'user' } } },
        { type: 'complete', id: '1' },
      ],
    );
    await raw.close();
  });

  test('a finite stream is its events, then complete', async () => {
    const raw = await connect(server);
    raw.send(subscribe('1', 'subscription { countdown(from: 3) }'));
    await raw.until('complete', '1');
    const events = raw.received.filter(message => message.type === 'next').map(message => message.payload);
    assert.deepEqual(
      events,
      [3, 2, 1].map(countdown => ({ data: { countdown } })),
    );
    await raw.close();
  });

  for (const [name, query] of [
    ['a syntax error', '{'],
    ['a validation error', '{ nothing }'],
    ['an unknown operation', 'subscription A { ticks } subscription B { ticks }'],
    ['a document over the limits', `{ ${'self { '.repeat(30)} hello ${'}'.repeat(30)} }`],
  ] as const) {
    test(`${name} is one error, no complete, and the socket goes on`, async () => {
      const raw = await connect(server);
      raw.send(subscribe('1', query));
      const error = await raw.until('error', '1');
      assert.ok(Array.isArray(error.payload));
      await assertAlive(raw);
      assert.equal(raw.received.filter(message => message.id === '1').length, 1);
      await raw.close();
    });
  }

  test('a resolver error is next with a masked error, then complete', async () => {
    const raw = await connect(server);
    raw.send(subscribe('1', '{ fail }'));
    const next = await raw.until('next', '1');
    await raw.until('complete', '1');
    assert.match(JSON.stringify(next.payload), /"message":"Internal error".*"code":"INTERNAL"/);
    assert.doesNotMatch(JSON.stringify(raw.received), /hunter2|"http"/);
    await raw.close();
  });

  test('a source that throws in the middle ends its own operation only, masked', async () => {
    const raw = await connect(server);
    raw.send(subscribe('ticks', 'subscription { ticks }'), subscribe('1', 'subscription { breaks }'));
    const error = await raw.until('error', '1');
    await assertAlive(raw);
    assert.match(JSON.stringify(error.payload), /"message":"Internal error".*"code":"INTERNAL","requestId":/);
    assert.doesNotMatch(JSON.stringify(raw.received), /secret of the stream/);
    assert.deepEqual(ofId(raw.received, '1'), ['next', 'error']);
    assert.deepEqual(ofId(raw.received, 'ticks'), ['next']);
    await raw.close();
  });

  test('a second operation on the same socket is authorised anew', async () => {
    const raw = await connect(server, 'user');
    for (const id of ['1', '2']) {
      raw.send(subscribe(id, '{ adminOnly }'));
      assert.match(JSON.stringify((await raw.until('next', id)).payload), /FORBIDDEN/);
    }
    await raw.close();
  });
});

describe('ids', () => {
  for (const kind of ['subscription { ticks }', '{ wait }']) {
    test(`an id in use by ${kind} is closed with 4409`, async () => {
      const raw = await connect(server);
      raw.send(subscribe('1', kind), subscribe('1', '{ hello }'));
      assert.equal((await raw.closed).code, 4409);
      server.observed.release();
    });
  }

  test('an id is free again after complete, error, and a complete of the client in the same tick', async () => {
    const raw = await connect(server);
    raw.send(subscribe('1', '{ hello }'));
    await raw.until('complete', '1');
    raw.send(subscribe('1', '{'));
    await raw.until('error', '1');
    raw.send(
      subscribe('1', 'subscription { ticks }'),
      { type: 'complete', id: '1' },
      subscribe('1', 'subscription { countdown(from: 2) }'),
    );
    const events: unknown[] = [];
    for (let message = await raw.next(); message.type !== 'complete'; message = await raw.next()) {
      events.push(message.payload);
    }
    assert.deepEqual(
      events,
      [2, 1].map(countdown => ({ data: { countdown } })),
    );
    await raw.close();
  });

  test('names of object properties are ordinary ids', async () => {
    const raw = await connect(server);
    for (const id of ['__proto__', 'constructor', 'toString']) {
      raw.send(subscribe(id, '{ hello }'));
      await raw.until('complete', id);
    }
    await raw.close();
  });
});

describe('cancelling', () => {
  test('complete reaches the source of an endless subscription at once', async () => {
    const raw = await connect(server);
    raw.send(subscribe('1', 'subscription { ticks }'));
    await raw.until('next', '1');
    const ended = server.observed.nextEnd();
    const atMs = performance.now();
    raw.send({ type: 'complete', id: '1' });
    assert.ok((await ended) - atMs < 100);
    assert.equal(server.server.openSubscriptions, 0);
    await assertAlive(raw);
    assert.deepEqual(ofId(raw.received, '1'), ['next']);
    await raw.close();
  });

  test('nothing comes after a complete sent in the same tick as subscribe', async () => {
    const raw = await connect(server);
    raw.send(subscribe('1', 'subscription { ticks }'), { type: 'complete', id: '1' });
    raw.send(subscribe('2', '{ wait }'), { type: 'complete', id: '2' }, { type: 'complete', id: 'unknown' });
    await assertAlive(raw);
    server.observed.release();
    await assertAlive(raw);
    assert.deepEqual(ofId(raw.received, '1'), []);
    assert.deepEqual(ofId(raw.received, '2'), []);
    await raw.close();
  });

  test('a source that never answers is left all the same, and its id is free', async () => {
    const raw = await connect(server);
    raw.send(subscribe('1', 'subscription { stuck }'));
    await assertAlive(raw);
    raw.send({ type: 'complete', id: '1' }, subscribe('1', '{ hello }'));
    await raw.until('complete', '1');
    assert.equal(server.server.openSubscriptions, 0);
    await raw.close();
  });

  test('churn leaves nothing running', async () => {
    const churned = await startTestServer({
      limits: { socketMessagesPerSecond: 10_000, operationsBurst: 5_000 },
    });
    try {
      const raw = await connect(churned);
      for (let count = 0; count < 1_000; count++) {
        raw.send(subscribe(`${count % 7}`, 'subscription { ticks }'), {
          type: 'complete',
          id: `${count % 7}`,
        });
      }
      raw.send(subscribe('last', 'subscription { countdown(from: 1) }'));
      await raw.until('complete', 'last');
      assert.equal(churned.observed.open, 0);
      assert.equal(churned.server.openSubscriptions, 0);
      await raw.close();
    } finally {
      await churned.close();
    }
  });

  test('losing the socket ends its subscriptions', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => connect(server)));
    for (const raw of sockets) raw.send(subscribe('1', 'subscription { ticks }'));
    await Promise.all(sockets.map(raw => raw.until('next', '1')));
    assert.equal(server.observed.open, 20);
    const atMs = performance.now();
    for (const raw of sockets) raw.socket.terminate();
    while (server.observed.open > 0) await server.observed.nextEnd();
    assert.ok(performance.now() - atMs < 1_000);
  });
});

function ofId(messages: readonly Message[], id: string): string[] {
  return messages.filter(message => message.id === id).map(message => message.type);
}
