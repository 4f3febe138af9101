// Who may run what over HTTP, and how much at once: credentials, introspection, batches, the request rate.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DomainError } from '../../src/domain/errors.ts';
import { answerOf, post, startTestServer, type TestServer } from './test-server.ts';

const RESPONSE_JSON = 'application/graphql-response+json';
const JSON_TYPE = 'application/json';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

describe('access', () => {
  test('without a credential only public fields run', async () => {
    const open = await post(server, { query: '{ hello }' }, { token: '' });
    const closed = await post(server, { query: '{ hello viewer }' }, { token: '' });
    assert.deepEqual(await open.json(), { data: { hello: 'world' } });
    assert.equal(closed.status, 401);
    assert.equal(closed.headers.get('www-authenticate'), 'Bearer');
  });

  test('a bad credential is answered exactly as none', async () => {
    const none = await post(server, { query: '{ viewer }' }, { token: '' });
    const bad = await post(server, { query: '{ viewer }' }, { token: 'forged' });
    assert.equal(bad.status, 401);
    assert.equal(await bad.text(), await none.text());
  });

  test('a credential that cannot be looked at is a refusal as of any operation, and tells nothing', async () => {
    const failures = [
      new DomainError('OVERLOADED', 'Try again.', { retryAfterMs: 1_000 }),
      new Error('connect ECONNREFUSED 10.0.0.7'),
    ];
    const failing = await startTestServer({
      authenticator: {
        authenticate: () => Promise.reject(failures.shift()),
        authenticateSocket: () => Promise.reject(new Error('not asked')),
      },
    });
    try {
      const overloaded = await post(failing, { query: '{ viewer }' }, { accept: RESPONSE_JSON });
      assert.equal(overloaded.status, 503);
      assert.equal(overloaded.headers.get('retry-after'), '1');
      assert.deepEqual((await overloaded.json()).errors[0].extensions, {
        code: 'OVERLOADED',
        retryable: true,
        retryAfterMs: 1_000,
      });
      const broken = await post(failing, { query: '{ viewer }' }, { accept: RESPONSE_JSON });
      assert.equal(broken.status, 500);
      const { errors } = await broken.json();
      assert.equal(errors[0].extensions.code, 'INTERNAL');
      assert.equal(errors[0].message, 'Internal error');
    } finally {
      await failing.close();
    }
  });

  test('a missing role is 403 in both media types', async () => {
    for (const accept of [JSON_TYPE, RESPONSE_JSON]) {
      assert.equal((await post(server, { query: '{ forbidden }' }, { accept })).status, 403);
    }
  });

  for (const query of [
    '{ __typename }',
    '{ __schema { types { name } } }',
    '{ hello __type(name: "Query") { name } }',
  ]) {
    test(`anonymous ${query} is 401`, async () => {
      const response = await post(server, { query }, { token: '' });
      assert.equal(response.status, 401);
      assert.equal((await answerOf(response)).errors?.[0]?.extensions.code, 'UNAUTHENTICATED');
    });
  }

  test('introspection in production is for administrators', async () => {
    const production = await startTestServer({ environment: 'production' });
    try {
      const query = '{ __schema { queryType { name } } }';
      assert.equal((await post(production, { query })).status, 403);
      assert.equal((await post(production, { query }, { token: 'admin' })).status, 200);
      assert.equal((await post(server, { query })).status, 200);
    } finally {
      await production.close();
    }
  });
});

describe('batches', () => {
  test('a bad entry does not fail the others', async () => {
    const response = await post(server, [{ query: '{ hello }' }, { query: '{' }, 7, { query: '{ viewer }' }]);
    const answers = (await response.json()) as { data?: unknown; errors?: unknown[] }[];
    assert.equal(response.status, 200);
    assert.deepEqual(answers[0], { data: { hello: 'world' } });
    assert.equal(answers[1]?.errors?.length, 1);
    assert.equal(answers[2]?.errors?.length, 1);
    assert.deepEqual(answers[3], { data: { viewer: 'user' } });
  });

  test('a batch over the limit is refused and nothing of it runs', async () => {
    const before = server.observed.counter;
    const response = await post(server, Array(6).fill({ query: 'mutation { count }' }));
    assert.equal(response.status, 400);
    assert.equal(server.observed.counter, before);
  });

  test('a request has one login, not several by alias or batch, and else none runs', async () => {
    const aliases = 'mutation { a: login(name: "x") b: login(name: "x") }';
    const entry = { query: 'mutation { login(name: "x") }' };
    for (const body of [{ query: aliases }, [entry, entry]]) {
      const response = await post(server, body, { token: '' });
      assert.equal(response.status, 400);
    }
    assert.equal(server.observed.logins, 0);
    assert.equal((await post(server, entry, { token: '' })).status, 200);
  });
});

describe('the request rate', () => {
  test('over the burst is 429 with Retry-After, and the connection stays usable', async () => {
    const slow = await startTestServer({ limits: { operationsBurst: 3, operationsPerSecond: 0.5 } });
    try {
      const statuses: number[] = [];
      for (let count = 0; count < 4; count++)
        statuses.push((await post(slow, { query: '{ hello }' })).status);
      const refused = await post(slow, { query: '{ hello }' });
      const answer = await answerOf(refused);
      const other = await post(slow, { query: '{ hello }' }, { token: 'admin' });
      assert.deepEqual(statuses, [200, 200, 200, 429]);
      assert.equal(refused.headers.get('retry-after'), '2');
      assert.equal(answer.errors?.[0]?.extensions.code, 'RATE_LIMITED');
      assert.equal(other.status, 200);
    } finally {
      await slow.close();
    }
  });

  test('each entry of a batch counts', async () => {
    const slow = await startTestServer({ limits: { operationsBurst: 4, operationsPerSecond: 0.5 } });
    try {
      const batch = Array(3).fill({ query: '{ hello }' });
      assert.equal((await post(slow, batch)).status, 200);
      assert.equal((await post(slow, batch)).status, 429);
    } finally {
      await slow.close();
    }
  });
});
