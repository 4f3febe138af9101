// Bytes made to hurt: cross-site requests, bodies, slow clients, smuggling, odd paths. Over raw connections where a
// well-behaved client could not send them.

import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { post, startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer({ limits: { maxBodyBytes: 10_000 }, corsOrigins: ['https://app.example'] });
});
after(() => server.close());

const EVIL = { origin: 'https://evil.example' };
const JSON_TYPE = { 'content-type': 'application/json' };
const MUTATION = '{"query":"mutation { login(name: \\"x\\") }"}';

/** Sends bytes as they are and returns all that comes back until the server closes the connection. */
function rawExchange(...chunks: string[]): Promise<string> {
  return rawExchangeWith(server, ...chunks);
}

function rawExchangeWith({ port }: TestServer, ...chunks: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connectTcp(port, '127.0.0.1', () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.on('data', data => {
      received += data;
    });
    socket.on('close', () => resolve(received));
    socket.on('error', error =>
      'code' in error && error.code === 'ECONNRESET' ? resolve(received) : reject(error),
    );
  });
}

const HEAD =
  'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer user\r\n';

describe('pages of another site', () => {
  test('cannot run anything without a token, whatever they send', async () => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
      const headers = { 'content-type': type, ...EVIL };
      const response = await fetch(server.graphql, { method: 'POST', headers, body: MUTATION });
      assert.equal(response.status, 403);
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    }
    assert.equal(server.observed.logins, 0);
  });

  test('cannot read or stream by a simple GET', async () => {
    const url = `${server.graphql}?query=${encodeURIComponent('{ hello }')}`;
    const crossSite: Record<string, string>[] = [
      EVIL,
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of crossSite) {
      assert.equal((await fetch(url, { headers })).status, 403);
      const stream = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' } });
      assert.equal(stream.status, 403);
    }
  });

  test('are allowed when listed, without credentials', async () => {
    const origin = 'https://app.example';
    const response = await post(server, { query: '{ viewer }' }, { headers: { origin } });
    const preflight = await fetch(server.graphql, { method: 'OPTIONS', headers: { origin } });
    const foreign = await fetch(server.graphql, { method: 'OPTIONS', headers: EVIL });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('access-control-allow-origin'), origin);
    assert.equal(response.headers.get('access-control-allow-credentials'), null);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization/);
    assert.equal(foreign.headers.get('access-control-allow-origin'), null);
    assert.equal(foreign.headers.get('access-control-allow-headers'), null);
  });

  test('a login from a program or the own page is plain JSON', async () => {
    for (const headers of [JSON_TYPE, { ...JSON_TYPE, origin: server.url }]) {
      assert.equal((await fetch(server.graphql, { method: 'POST', headers, body: MUTATION })).status, 200);
    }
  });
});

describe('bodies', () => {
  test('over the limit are 413 and the connection is closed, by length or in chunks', async () => {
    const body = JSON.stringify({ query: `{ hello } #${'x'.repeat(20_000)}` });
    const byLength = await rawExchange(`${HEAD}Content-Length: ${body.length}\r\n\r\n`, body);
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
    const chunked = await rawExchange(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`, ...Array(5).fill(chunk));
    for (const answer of [byLength, chunked]) {
      assert.match(answer, /^HTTP\/1.1 413 /);
      assert.match(answer, /connection: close/i);
      assert.match(answer, /"code":"BAD_USER_INPUT"/);
    }
  });

  test('a length that is a lie is refused before a byte of it is read', async () => {
    const atMs = performance.now();
    const answer = await rawExchange(`${HEAD}Content-Length: 99999999\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 413 /);
    assert.ok(performance.now() - atMs < 2_000);
  });

  test('a refused request leaves the connection usable for the next', async () => {
    const next = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const refused = HEAD.replace('application/json', 'text/plain');
    const answer = await rawExchange(`${refused}Content-Length: 5\r\n\r\nhello${next}`);
    assert.match(answer, /^HTTP\/1.1 415 [\s\S]*HTTP\/1.1 200 /);
  });
});

describe('slow and broken clients', () => {
  let impatient: TestServer;
  before(async () => {
    impatient = await startTestServer({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
  });
  after(() => impatient.close());

  test('slow headers are closed', async () => {
    const answer = await rawExchangeWith(impatient, 'POST /graphql HTTP/1.1\r\nHost: x\r\n');
    assert.match(answer, /^HTTP\/1.1 408 /);
  });

  test('a slow body is closed', async () => {
    const answer = await rawExchangeWith(impatient, `${HEAD}Content-Length: 100\r\n\r\n{"query":`);
    assert.match(answer, /^HTTP\/1.1 408 /);
  });

  test('a long answer is not affected by the timeouts of requests', async () => {
    const response = await post(
      impatient,
      { query: 'subscription { ticks }' },
      { accept: 'text/event-stream' },
    );
    const reader = response.body!.getReader();
    await reader.read();
    await rawExchangeWith(impatient, `${HEAD}Content-Length: 100\r\n\r\n{"query":`);
    assert.equal(impatient.observed.open, 1);
    const ended = impatient.observed.nextEnd();
    await reader.cancel();
    await ended;
  });

  test('headers over the limit are 431', async () => {
    const answer = await rawExchange(`${HEAD}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 431 /);
  });

  const smuggled: Record<string, string> = {
    'length and chunks': 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'two lengths': 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    'an unknown coding': 'Transfer-Encoding: nonsense\r\n\r\nhello',
    'a chunk that is none': 'Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n',
  };
  for (const [name, rest] of Object.entries(smuggled)) {
    test(`${name}: 400, closed`, async () => {
      assert.match(await rawExchange(HEAD + rest), /^HTTP\/1.1 400 /);
    });
  }
});

describe('paths and headers', () => {
  for (const path of [
    '/.env',
    '/.git/config',
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/graphql/../setup',
    '//evil.example/graphql',
    '/src/main.ts',
    '/graphql%00',
    '/unknown',
  ]) {
    test(`${path} is 404 in JSON`, async () => {
      const answer = await rawExchange(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(
        answer,
        /^HTTP\/1.1 404 [\s\S]*{"error":{"code":"NOT_FOUND","message":"Nothing is here."}}\n$/,
      );
    });
  }

  test('every answer carries the security headers and no name of the software', async () => {
    const answers = await Promise.all([
      post(server, { query: '{ hello }' }),
      fetch(`${server.url}/setup`),
      fetch(`${server.url}/livez`),
      fetch(`${server.url}/unknown`),
      fetch(`${server.url}/graphql`, { method: 'OPTIONS' }),
      fetch(`${server.url}/graphql`, { method: 'DELETE' }),
      post(server, { query: 'subscription { count(to: 1) }' }, { accept: 'text/event-stream' }),
    ]);
    for (const { headers } of answers) {
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
      assert.equal(headers.get('x-powered-by'), null);
      assert.equal(headers.get('server'), null);
    }
  });
});
