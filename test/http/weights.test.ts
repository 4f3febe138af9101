// Operations that are more work than others count more than once, and what cannot be honest is refused before it is work.

import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { describe, test } from 'node:test';
import type { HttpLimits } from '../../src/http/limits.ts';
import { until } from '../support/app.ts';
import { post, startTestServer, type TestServer } from './test-server.ts';

async function withServer(limits: Partial<HttpLimits>, run: (server: TestServer) => Promise<void>) {
  const server = await startTestServer({ limits });
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

/** Ten operations, and hardly any more within a test. */
const TEN = { operationsBurst: 10, operationsPerSecond: 0.001 };

async function statusOf(server: TestServer, body: unknown, token = 'user'): Promise<number> {
  const response = await post(server, body, { token });
  await response.arrayBuffer();
  return response.status;
}

describe('a body', () => {
  const login = { query: 'mutation ($name: String) { login(name: $name) }' };

  test('without a valid credential is for a login, and larger ones are 401, whatever is wrong', () =>
    withServer({}, async server => {
      const large = { ...login, variables: { name: 'x'.repeat(20_000) } };
      const none = await post(server, large, { token: '' });
      const wrong = await post(server, large, { token: 'forged' });
      assert.deepEqual([none.status, none.headers.get('www-authenticate')], [401, 'Bearer']);
      assert.equal(await none.text(), await wrong.text());
      assert.equal(server.observed.logins, 0);
      assert.equal(await statusOf(server, { ...login, variables: { name: 'x' } }, ''), 200);
      assert.equal(await statusOf(server, large), 200);
    }));

  test('counts once more for each 64 kB', () =>
    withServer(TEN, async server => {
      const body = { query: '{ hello }', variables: { text: 'x'.repeat(600_000) } };
      assert.deepEqual([await statusOf(server, body), await statusOf(server, body)], [200, 429]);
    }));

  test('is not parsed when it has too many values, however small they are', () =>
    withServer({ maxJsonValues: 20_000 }, async server => {
      const list = (length: number) => `{"query":"{ hello }","variables":{"v":[${'1,'.repeat(length)}1]}}`;
      assert.equal(await statusOf(server, list(19_000)), 200);
      assert.equal(await statusOf(server, list(21_000)), 400);
      const text = JSON.stringify({ query: '{ hello }', variables: { v: '[{,"\\\\'.repeat(100_000) } });
      assert.equal(await statusOf(server, text), 200, 'what stands in a text is no value');
    }));

  test('of somebody who asks too often is not read', () =>
    withServer({ operationsBurst: 1, operationsPerSecond: 0.001 }, async server => {
      assert.equal(await statusOf(server, { query: '{ hello }' }), 200);
      // As much as this would be 413.
      assert.equal(await statusOf(server, 'x'.repeat(2_000_000)), 429);
    }));
});

describe('a document', () => {
  test('that is new counts by its length, and once as soon as it is known', () =>
    withServer(TEN, async server => {
      const query = `{ hello } # ${'x'.repeat(1_000)}`;
      assert.equal(await statusOf(server, { query }), 200);
      assert.equal(await statusOf(server, { query: '{ viewer }' }), 200);
      assert.equal(await statusOf(server, { query }), 200, 'known');
      assert.equal(await statusOf(server, { query: `${query} and another` }), 200, 'the last that is let in');
      assert.equal(await statusOf(server, { query: '{ viewer }' }), 429);
    }));

  test('of the usual length counts once', () =>
    withServer(TEN, async server => {
      for (let count = 0; count < 10; count++)
        assert.equal(await statusOf(server, { query: `{ hello } # ${'x'.repeat(400)}${count}` }), 200);
    }));
});

describe('an answer', () => {
  const query = '{ long(length: 700000) }';

  test('counts once more for each 64 kB', () =>
    withServer(TEN, async server => {
      assert.deepEqual([await statusOf(server, { query }), await statusOf(server, { query })], [200, 429]);
    }));

  test('is refused to whoever leaves others unread, until they are read or the client is gone', () =>
    withServer({ maxUnreadBytes: 1_000_000, operationsBurst: 100_000 }, async server => {
      const socket = askWithoutReading(server, '{ long(length: 30000000) }');
      await until(() => isRefused(server), 'large answers are refused');
      assert.equal(await statusOf(server, { query }, 'admin'), 200);
      assert.equal(await statusOf(server, { query: '{ hello }' }), 200, 'small ones are not counted');
      socket.destroy();
      await until(async () => !(await isRefused(server)), 'large answers are given again');
    }));

  test('that nobody takes is dropped with its connection', () =>
    withServer({ maxUnreadBytes: 1_000_000, operationsBurst: 100_000, slowReaderMs: 5_000 }, async server => {
      const socket = askWithoutReading(server, '{ long(length: 30000000) }');
      await until(() => isRefused(server), 'large answers are refused');
      await until(async () => !(await isRefused(server)), 'large answers are given again');
      socket.destroy();
    }));

  async function isRefused(server: TestServer): Promise<boolean> {
    return (await statusOf(server, { query })) === 429;
  }
});

function askWithoutReading(server: TestServer, query: string) {
  const body = JSON.stringify({ query });
  const socket = connectTcp(server.port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => {});
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer user\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}
