// Seeing one's limits, and what administrators set in place of the settings.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type Answer, type Data, startTestApp, type TestApp, until } from '../support/app.ts';
import { SUBMIT } from '../support/requests.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';

const SEE = '{ viewer { id rateLimits { kind limit overridden remaining resetAt } } }';
const SET = `mutation ($input: SetRateLimitsInput!) {
  setRateLimits(input: $input) {
    user { id rateLimits { kind limit overridden } }
    apiKey { id }
  }
}`;
const CREATE_KEY =
  'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }';
const INPUT = { input: { prompt: 'hi' } };

const outcome = ({ errors }: Answer) =>
  errors ? (errors[0]!.extensions.limit ?? errors[0]!.extensions.code) : 'accepted';
const seen = async (app: TestApp, token?: string): Promise<Data[]> =>
  (await app.ask(SEE, {}, token)).viewer.rateLimits;
const idOf = async (app: TestApp, token: string): Promise<string> =>
  (await app.ask(SEE, {}, token)).viewer.id;

/** Submits over one socket that stays open. */
function openSocket(t: TestContext, app: TestApp, token: string) {
  const client = createClient({
    url: `${app.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    lazy: false,
    onNonLazyError() {},
    retryAttempts: 0,
  });
  t.after(() => client.dispose());
  return async (): Promise<string> => {
    const { value } = await client.iterate({ query: SUBMIT, variables: INPUT }).next();
    return outcome(value) as string;
  };
}

test('everybody sees how much of which limit is left, and when it is whole again', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, {
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    MCPLANE_USER_TOKENS_PER_MINUTE: '0',
  });
  upstream.answerWith(() => [text('a'), gate(new Promise(() => {}))]);
  const before = await seen(app);
  await app.ask(SUBMIT, INPUT);
  const fromMs = Date.now();

  const [requests, tokens, running] = await seen(app);

  assert.deepEqual(before, [
    { kind: 'REQUESTS_PER_MINUTE', limit: 600, overridden: false, remaining: 600, resetAt: null },
    { kind: 'TOKENS_PER_MINUTE', limit: null, overridden: false, remaining: null, resetAt: null },
    { kind: 'CONCURRENT_REQUESTS', limit: 100, overridden: false, remaining: 100, resetAt: null },
  ]);
  assert.deepEqual([requests.remaining, tokens.remaining, running.remaining], [599, null, 99]);
  const inMs = Date.parse(requests.resetAt) - fromMs;
  assert.ok(inMs > 0 && inMs <= 62_000, `${inMs} ms`);
});

test('what an administrator sets for a user holds at once, on open sockets too, until it is taken back', async t => {
  const app = await startTestApp(t);
  const token = await app.login('eager');
  const userId = await idOf(app, token);
  const submitBySocket = openSocket(t, app, token);
  assert.equal(await submitBySocket(), 'accepted');

  const { setRateLimits } = await app.ask(SET, {
    input: { userId, requestsPerMinute: 2, tokensPerMinute: 0 },
  });

  assert.deepEqual(setRateLimits, {
    user: {
      id: userId,
      rateLimits: [
        { kind: 'REQUESTS_PER_MINUTE', limit: 2, overridden: true },
        { kind: 'TOKENS_PER_MINUTE', limit: null, overridden: true },
        { kind: 'CONCURRENT_REQUESTS', limit: 100, overridden: false },
      ],
    },
    apiKey: null,
  });
  assert.equal(outcome(await app.send(SUBMIT, INPUT, token)), 'accepted');
  assert.equal(outcome(await app.send(SUBMIT, INPUT, token)), 'userRequestsPerMinute');
  await until(async () => (await submitBySocket()) === 'userRequestsPerMinute', 'the socket has heard of it');
  assert.equal(outcome(await app.send(SUBMIT, INPUT)), 'accepted', 'others are not concerned');
  await app.ask(SET, { input: { userId } });
  assert.equal(outcome(await app.send(SUBMIT, INPUT, token)), 'accepted');
});

test('a key has limits of its own, and keeps them when it is replaced', async t => {
  const app = await startTestApp(t);
  const { apiKey, secret } = (await app.ask(CREATE_KEY, { input: { name: 'robot' } })).createApiKey;
  await app.ask(SET, { input: { apiKeyId: apiKey.id, requestsPerMinute: 1 } });

  assert.equal(outcome(await app.send(SUBMIT, INPUT, secret)), 'accepted');
  assert.equal(outcome(await app.send(SUBMIT, INPUT, secret)), 'apiKeyRequestsPerMinute');
  const rotated = await app.ask(
    'mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { secret apiKey { rateLimits { limit } } } }',
    { input: { apiKeyId: apiKey.id } },
  );
  assert.deepEqual(rotated.rotateApiKey.apiKey.rateLimits[0], { limit: 1 });
  assert.equal(outcome(await app.send(SUBMIT, INPUT, rotated.rotateApiKey.secret)), 'accepted');
  assert.equal(
    outcome(await app.send(SUBMIT, INPUT, rotated.rotateApiKey.secret)),
    'apiKeyRequestsPerMinute',
  );
});

test('only administrators set limits, and what they set is kept in the audit log', async t => {
  const app = await startTestApp(t);
  const token = await app.login('eager');
  const userId = await idOf(app, token);

  const refused = await app.send(SET, { input: { userId, requestsPerMinute: 0 } }, token);
  await app.ask(SET, { input: { userId, requestsPerMinute: 5 } });
  await app.ask(SET, { input: { userId, requestsPerMinute: 7, concurrentRequests: 1 } });

  assert.equal(outcome(refused), 'FORBIDDEN');
  const { auditEvents } = await app.ask(
    '{ auditEvents(first: 2) { edges { node { action subject data actorName } } } }',
  );
  assert.deepEqual(auditEvents.edges[0].node, {
    action: 'rateLimits.set',
    subject: userId,
    data: { before: { requestsPerMinute: 5 }, after: { requestsPerMinute: 7, concurrentRequests: 1 } },
    actorName: 'admin',
  });
});

test('what cannot be a limit, or names nobody or two, is refused', async t => {
  const app = await startTestApp(t);
  const { id } = (await app.ask(SEE)).viewer;
  const { apiKey } = (await app.ask(CREATE_KEY, { input: { name: 'robot' } })).createApiKey;

  const codes = [];
  for (const input of [
    { userId: id, requestsPerMinute: -1 },
    { requestsPerMinute: 1 },
    { userId: id, apiKeyId: apiKey.id },
    { userId: apiKey.id },
    { apiKeyId: `key_${'0'.repeat(32)}` },
  ])
    codes.push(outcome(await app.send(SET, { input })));

  assert.deepEqual(codes, ['BAD_USER_INPUT', 'BAD_USER_INPUT', 'BAD_USER_INPUT', 'NOT_FOUND', 'NOT_FOUND']);
});
