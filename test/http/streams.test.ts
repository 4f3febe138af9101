// Subscriptions with the stock clients: graphql-sse and graphql-ws; resuming and leaving on both transports.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient as createEventClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { post, startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer({ limits: { keepAliveMs: 20 } });
});
after(() => server.close());

const EVENT_STREAM = { accept: 'text/event-stream' };

describe('the graphql-sse client', () => {
  const client = () =>
    createEventClient({ url: server.graphql, headers: { authorization: 'Bearer user' }, retryAttempts: 0 });

  test('gets the events of a subscription and its end', async () => {
    const numbers: unknown[] = [];
    for await (const { data } of client().iterate({ query: 'subscription { countdown(from: 3) }' })) {
      numbers.push(data);
    }
    assert.deepEqual(
      numbers,
      [3, 2, 1].map(countdown => ({ countdown })),
    );
  });

  test('gets the result of a query', async () => {
    const results = client().iterate({ query: '{ viewer }' });
    assert.deepEqual((await results.next()).value, { data: { viewer: 'user' } });
    assert.equal((await results.next()).done, true);
  });

  test('gets errors of the document as GraphQL errors', async () => {
    const { value } = await client().iterate({ query: 'subscription { nothing }' }).next();
    assert.match(JSON.stringify(value), /Cannot query field.*BAD_USER_INPUT/);
  });

  test('leaving reaches an endless source at once', async () => {
    const results = client().iterate({ query: 'subscription { ticks }' });
    await results.next();
    const ended = server.observed.nextEnd();
    const atMs = performance.now();
    void results.return?.();
    assert.ok((await ended) - atMs < 100);
  });
});

describe('event streams', () => {
  test('are kept alive with comments', async () => {
    const response = await post(server, { query: 'subscription { ticks }' }, EVENT_STREAM);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!/"ticks":1}}\n\n:\n\n:\n\n/.test(text)) text += (await reader.read()).value;
    await reader.cancel();
    assert.equal(response.headers.get('cache-control'), 'no-cache, no-transform');
  });

  test('without a credential are 401, by GET too', async () => {
    const query = 'subscription { ticks }';
    const byPost = await post(server, { query }, { token: '', ...EVENT_STREAM });
    const byGet = await fetch(`${server.graphql}?query=${encodeURIComponent(query)}`, {
      headers: EVENT_STREAM,
    });
    assert.deepEqual([byPost.status, byGet.status], [401, 401]);
  });

  test('a source that fails says so, masked, and ends', async () => {
    const text = await (await post(server, { query: 'subscription { breaks }' }, EVENT_STREAM)).text();
    assert.match(
      text,
      /"breaks":1}}\n\nevent: next\ndata: {"errors":\[{"message":"Internal error".*\n\nevent: complete/s,
    );
    assert.doesNotMatch(text, /secret of the stream/);
  });

  test('one principal has so many, then the next is 429', async () => {
    const few = await startTestServer({ limits: { maxSocketsPerPrincipal: 1 } });
    try {
      const first = await post(few, { query: 'subscription { ticks }' }, EVENT_STREAM);
      const second = await post(few, { query: 'subscription { ticks }' }, EVENT_STREAM);
      assert.deepEqual([first.status, second.status], [200, 429]);
      await first.body?.cancel();
    } finally {
      await few.close();
    }
  });
});

describe('the graphql-ws client', () => {
  test('resumes after a cut without gap or double, by the last cursor in its payload', async () => {
    const client = createSocketClient({
      url: server.socketUrl,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: 'Bearer user' },
      retryAttempts: 10,
      retryWait: async () => {},
      shouldRetry: () => true,
    });
    let socket: WebSocket | undefined;
    client.on('connected', opened => {
      socket = opened as WebSocket;
    });
    const variables: { after: number | null } = { after: null };
    const query = 'subscription ($after: Int) { countdown(from: 30, after: $after) }';
    const seen: number[] = [];
    for await (const { data } of client.iterate<{ countdown: number }>({ query, variables })) {
      seen.push(data!.countdown);
      variables.after = data!.countdown;
      if (data!.countdown % 10 === 0) socket?.terminate();
    }
    await client.dispose();
    assert.deepEqual(
      seen,
      Array.from({ length: 30 }, (_, index) => 30 - index),
    );
  });

  test('leaving reaches an endless source at once', async () => {
    const client = createSocketClient({
      url: server.socketUrl,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: 'Bearer user' },
    });
    const results = client.iterate({ query: 'subscription { ticks }' });
    await results.next();
    const ended = server.observed.nextEnd();
    const atMs = performance.now();
    void results.return?.();
    assert.ok((await ended) - atMs < 100);
    await client.dispose();
  });
});
