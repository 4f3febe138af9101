// Everything beside /graphql: health, metrics, the setup of the first administrator, GraphiQL, the start page.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { answerOf, post, SETUP_TOKEN, startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, { headers });

describe('health', () => {
  test('livez and readyz are 200, with parts on demand', async () => {
    assert.deepEqual(await (await get('/livez')).json(), { status: 'ok', version: '1.2.3' });
    assert.deepEqual(await (await get('/readyz')).json(), { status: 'ready' });
    assert.deepEqual(await (await get('/healthz?verbose')).json(), {
      status: 'ready',
      version: '1.2.3',
      parts: { database: { ready: true } },
    });
  });

  test('what is not ready, or does not answer, is 503 with Retry-After', async () => {
    const failing = await startTestServer({
      health: {
        version: '1.2.3',
        ready: async () => {
          throw new Error('connect ECONNREFUSED 10.0.0.7');
        },
      },
    });
    try {
      const response = await fetch(`${failing.url}/readyz?verbose`);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get('retry-after'), '5');
      assert.doesNotMatch(await response.text(), /10\.0\.0\.7/);
      assert.equal((await fetch(`${failing.url}/livez`)).status, 200);
    } finally {
      await failing.close();
    }
  });

  test('other methods are 405, HEAD has no body', async () => {
    const response = await fetch(`${server.url}/livez`, { method: 'POST' });
    const head = await fetch(`${server.url}/livez`, { method: 'HEAD' });
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD']);
    assert.deepEqual([head.status, await head.text()], [200, '']);
  });
});

describe('metrics', () => {
  test('are for ADMIN and SERVICE', async () => {
    const scrape = (token: string) => get('/metrics', { authorization: `Bearer ${token}` });
    const statuses = [
      await get('/metrics'),
      await scrape('forged'),
      await scrape('user'),
      await scrape('admin'),
    ];
    const served = await scrape('service');
    assert.deepEqual(
      statuses.map(response => response.status),
      [401, 401, 403, 200],
    );
    assert.equal(served.headers.get('content-type'), 'text/plain; version=0.0.4');
    assert.equal(await served.text(), 'mcplane_up 1\n');
  });

  test('are for everybody when the setting says so', async () => {
    const open = await startTestServer({ metricsPublic: true });
    try {
      assert.equal((await fetch(`${open.url}/metrics`)).status, 200);
    } finally {
      await open.close();
    }
  });
});

describe('setup', () => {
  const setUp = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/setup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const input = { token: SETUP_TOKEN, username: 'ada', password: 'long enough' };

  test('the page runs its own script only', async () => {
    const response = await get('/setup');
    const html = await response.text();
    const nonce = /<script nonce="([^"]+)">/.exec(html)?.[1];
    assert.ok(nonce);
    assert.ok(response.headers.get('content-security-policy')?.includes(`script-src 'nonce-${nonce}'`));
    assert.doesNotMatch(response.headers.get('content-security-policy') ?? '', /unsafe/);
  });

  test('refuses what is not complete, a wrong token and other sites', async () => {
    const answers = [
      await setUp('{'),
      await setUp({ token: SETUP_TOKEN }),
      await setUp({ ...input, password: 7 }),
      await setUp({ ...input, token: 'guessed' }),
      await setUp(input, { origin: 'https://evil.example' }),
      await setUp('x'.repeat(20_000)),
    ];
    assert.deepEqual(
      answers.map(response => response.status),
      [400, 400, 400, 401, 403, 400],
    );
    assert.match(await (await get('/setup')).text(), /Create the first administrator/);
  });

  test('spends the token, answers with a login, and the page then says that it is done', async () => {
    const response = await setUp(input);
    assert.equal(response.status, 201);
    assert.deepEqual(await response.json(), {
      username: 'ada',
      token: 'admin',
      expiresAt: '1970-01-01T00:00:00.000Z',
    });
    assert.match(await (await get('/setup')).text(), /Already set up/);
  });

  test('guessing is limited', async () => {
    const slow = await startTestServer({ limits: { operationsBurst: 20, operationsPerSecond: 0.1 } });
    try {
      const statuses: number[] = [];
      for (let count = 0; count < 3; count++) {
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ ...input, token: `guess${count}` });
        statuses.push((await fetch(`${slow.url}/setup`, { method: 'POST', headers, body })).status);
      }
      assert.deepEqual(statuses, [401, 401, 429]);
    } finally {
      await slow.close();
    }
  });
});

describe('pages', () => {
  const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

  test('a browser at /graphql gets GraphiQL: one page, nothing from elsewhere, cached by its tag', async () => {
    const response = await get('/graphql', HTML);
    const html = await response.text();
    const etag = response.headers.get('etag') ?? '';
    const again = await get('/graphql', { ...HTML, 'if-none-match': etag });
    const plain = await get('/graphql', { ...HTML, 'accept-encoding': 'identity' });
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    assert.match(html, /connectionParams: function \(\) \{/);
    assert.doesNotMatch(html, /<(script|link)[^>]+(src|href)="http/);
    assert.match(response.headers.get('content-security-policy') ?? '', /script-src 'sha256-/);
    assert.equal(again.status, 304);
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal((await plain.text()).length, html.length);
  });

  test('count as operations of their address', async () => {
    const few = await startTestServer({ limits: { operationsBurst: 6, operationsPerSecond: 0.001 } });
    try {
      const page = await fetch(`${few.url}/graphql`, { headers: HTML });
      const setup = await fetch(`${few.url}/setup`, { headers: HTML });
      await Promise.all([page.text(), setup.text()]);
      assert.deepEqual([page.status, setup.status], [200, 200]);
      for (const path of ['/graphql', '/setup']) {
        const refused = await fetch(`${few.url}${path}`, { headers: HTML });
        assert.equal(refused.status, 429);
        assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
        assert.match(await refused.text(), /"code":"RATE_LIMITED"/);
      }
      assert.equal((await post(few, { query: '{ viewer }' })).status, 200, 'not of a caller with a token');
    } finally {
      await few.close();
    }
  });

  test('a program at / gets links, a browser a page', async () => {
    const links = (await (await get('/')).json()) as { links: object };
    assert.equal((links.links as { graphql: string }).graphql, '/graphql');
    assert.match(await (await get('/', HTML)).text(), /href="\/graphql"/);
  });
});

describe('addresses', () => {
  test('a forwarded address counts only when it comes from a trusted proxy', async () => {
    const limits = { operationsBurst: 1, operationsPerSecond: 0.1 };
    const forwarded = (target: TestServer, from: string) =>
      post(target, { query: '{ hello }' }, { token: '', headers: { 'x-forwarded-for': from } });
    const plain = await startTestServer({ limits });
    const behind = await startTestServer({ limits, trustedProxies: ['127.0.0.0/8'] });
    try {
      const forged = [await forwarded(plain, '203.0.113.1'), await forwarded(plain, '203.0.113.2')];
      const real = [
        await forwarded(behind, '203.0.113.1'),
        await forwarded(behind, '203.0.113.2'),
        await forwarded(behind, '6.6.6.6, 203.0.113.2'),
      ];
      assert.deepEqual(
        forged.map(response => response.status),
        [200, 429],
      );
      assert.deepEqual(
        real.map(response => response.status),
        [200, 200, 429],
      );
      assert.equal((await answerOf(real[2]!)).errors?.[0]?.extensions.code, 'RATE_LIMITED');
    } finally {
      await Promise.all([plain.close(), behind.close()]);
    }
  });
});
