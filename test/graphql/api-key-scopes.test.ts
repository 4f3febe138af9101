// What an API key is for: given when it is made, told, kept when it is replaced, and never handed on enlarged.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ApiKeyScope } from '../../src/domain/access.ts';
import { startTestApp, type TestApp, until } from '../support/app.ts';
import { seedRequest } from '../support/operations.ts';
import { SUBMIT } from '../support/requests.ts';

const CREATE = `mutation ($name: String = "a key", $scopes: [ApiKeyScope!]) {
  createApiKey(input: { name: $name, scopes: $scopes }) { apiKey { id scopes } secret } }`;
const ROTATE =
  'mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id }) { apiKey { id scopes } secret } }';

async function start(t: TestContext) {
  const app = await startTestApp(t);
  const create = async (scopes: readonly ApiKeyScope[] | undefined, token = app.adminToken) =>
    (await app.ask(CREATE, { scopes }, token)).createApiKey;
  return { ...app, create };
}

/** The code and the message of the only error. */
async function refusal({ send }: TestApp, query: string, variables: object, token: string) {
  const { data, errors = [] } = await send(query, variables, token);
  assert.equal(errors.length, 1, JSON.stringify({ data, errors }));
  return [errors[0]!.extensions.code, errors[0]!.message];
}

test('a key has the scopes it was made with, a replacement too, and the audit log tells them', async t => {
  const app = await start(t);

  const narrow = await app.create(['READ', 'SUBMIT', 'READ']);
  const wide = await app.create(undefined);
  const { rotateApiKey: replacement } = await app.ask(ROTATE, { id: narrow.apiKey.id });

  assert.deepEqual(narrow.apiKey.scopes, ['SUBMIT', 'READ']);
  assert.equal(wide.apiKey.scopes, null);
  assert.deepEqual(replacement.apiKey.scopes, ['SUBMIT', 'READ']);
  const { viewer } = await app.ask('{ viewer { apiKeys { scopes } } }');
  assert.deepEqual(
    viewer.apiKeys.map((key: { scopes: unknown }) => key.scopes),
    [['SUBMIT', 'READ'], null, ['SUBMIT', 'READ']],
  );
  const { auditEvents } = await app.ask('{ auditEvents(first: 3) { nodes { action data } } }');
  assert.deepEqual(
    auditEvents.nodes.map(({ action, data }: { action: string; data: { scopes?: unknown } }) => [
      action,
      data.scopes,
    ]),
    [
      ['apiKey.rotate', ['SUBMIT', 'READ']],
      ['apiKey.create', undefined],
      ['apiKey.create', ['SUBMIT', 'READ']],
    ],
  );
  assert.deepEqual(await refusal(app, CREATE, { scopes: [] }, app.adminToken), [
    'BAD_USER_INPUT',
    'scopes must name at least one scope, or be left out',
  ]);
});

test('a key hands on no more than it has: neither when it makes a key nor when it replaces a wider one', async t => {
  const app = await start(t);
  const manager = await app.create(['READ', 'MANAGE']);
  const wide = await app.create(undefined);
  const writer = await app.create(['SUBMIT']);
  const lacking = (scope: string) => [
    'FORBIDDEN',
    `This API key lacks the scope ${scope}, which it cannot give to another.`,
  ];

  assert.deepEqual((await app.create(['READ'], manager.secret)).apiKey.scopes, ['READ']);
  assert.deepEqual((await app.create(undefined, manager.secret)).apiKey.scopes, ['READ', 'MANAGE']);
  const more = { scopes: ['READ', 'METRICS', 'SUBMIT'] };
  assert.deepEqual(await refusal(app, CREATE, more, manager.secret), lacking('METRICS, SUBMIT'));
  assert.deepEqual(await refusal(app, ROTATE, { id: wide.apiKey.id }, manager.secret), lacking('ADMIN'));
  assert.deepEqual(await refusal(app, ROTATE, { id: writer.apiKey.id }, manager.secret), lacking('SUBMIT'));
  assert.deepEqual(
    (await app.ask(ROTATE, { id: manager.apiKey.id }, manager.secret)).rotateApiKey.apiKey.scopes,
    ['READ', 'MANAGE'],
  );

  const admin = await app.create(['ADMIN']);
  assert.deepEqual((await app.create(['METRICS'], admin.secret)).apiKey.scopes, ['METRICS']);
  assert.deepEqual((await app.create(undefined, admin.secret)).apiKey.scopes, ['ADMIN']);
});

test('a key for submitting submits and cancels, and does not read what was said', async t => {
  const app = await start(t);
  const { secret } = await app.create(['SUBMIT']);

  const { request } = (await app.ask(SUBMIT, { input: { prompt: 'Why?' } }, secret)).submitRequest;
  const cancel = (selection: string) =>
    `mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { ${selection} } } }`;
  const { cancelRequest } = await app.ask(cancel('id status cost'), request, secret);

  assert.equal(cancelRequest.request.id, request.id);
  for (const field of ['output', 'prompt', 'system', 'metadata', 'messages { content }'])
    assert.deepEqual(await refusal(app, cancel(field), request, secret), [
      'FORBIDDEN',
      `ModelRequest.${field.split(' ')[0]} needs an API key with the scope READ.`,
    ]);
  assert.deepEqual(await refusal(app, 'query ($id: ID!) { request(id: $id) { id } }', request, secret), [
    'FORBIDDEN',
    'Query.request needs an API key with the scope READ.',
  ]);
  const own = '{ viewer { username apiKeys { id } } }';
  assert.deepEqual(await refusal(app, own, {}, secret), [
    'FORBIDDEN',
    'User.apiKeys needs an API key with the scope MANAGE.',
  ]);
  assert.equal((await app.ask('{ viewer { username } }', {}, secret)).viewer.username, 'admin');
});

test("an administrator's key without the scope ADMIN reaches only the administrator's own", async t => {
  const app = await start(t);
  const anna = (await app.app.members.authenticate(await app.login('anna')))!;
  const foreign = `req_${(await seedRequest(app.store, anna.userId)).replaceAll('-', '')}`;
  const { secret } = await app.create(['READ', 'SUBMIT', 'MANAGE']);
  const { secret: all } = await app.create(['ADMIN']);
  const { request: own } = (await app.ask(SUBMIT, { input: { prompt: 'Mine?' } }, secret)).submitRequest;
  const idsFor = async (token: string, filter = {}) =>
    (
      await app.ask(
        'query ($filter: RequestFilter) { requests(filter: $filter) { nodes { id } } }',
        { filter },
        token,
      )
    ).requests.nodes.map(({ id }: { id: string }) => id);

  assert.deepEqual(await idsFor(secret), [own.id]);
  assert.deepEqual((await idsFor(all)).sort(), [foreign, own.id].sort());
  const nodeOf = async (token: string) =>
    (await app.ask('query ($id: ID!) { node(id: $id) { id } }', { id: foreign }, token)).node;
  assert.deepEqual([await nodeOf(secret), await nodeOf(all)], [null, { id: foreign }]);
  const cancel = 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { id } } }';
  assert.equal((await refusal(app, cancel, { id: foreign }, secret))[0], 'NOT_FOUND');
  const annas = `usr_${anna.userId.replaceAll('-', '')}`;
  const list = 'query ($by: ID!) { requests(filter: { user: $by }) { nodes { id } } }';
  assert.deepEqual(await refusal(app, list, { by: annas }, secret), [
    'FORBIDDEN',
    'request:read-any needs an API key with the scope ADMIN.',
  ]);
  const forAnna = `mutation ($id: ID!) { createApiKey(input: { name: "hers", userId: $id }) { secret } }`;
  assert.deepEqual(await refusal(app, forAnna, { id: annas }, secret), [
    'FORBIDDEN',
    'member:manage needs an API key with the scope ADMIN.',
  ]);
});

test('a key for figures sees those of everybody, live too, but nothing of what was said', async t => {
  const app = await start(t);
  const anna = (await app.app.members.authenticate(await app.login('anna')))!;
  await seedRequest(app.store, anna.userId, { finished: {} });
  const { secret } = await app.create(['METRICS']);
  const total = async () => (await app.ask('{ metrics { total { requests } } }', {}, secret)).metrics.total;

  assert.deepEqual(await total(), { requests: 1 });
  const updates = app.follow('subscription { metricsUpdates { total { requests } } }', {}, secret);
  assert.equal((await updates.next()).value.metricsUpdates.total.requests, 1);
  await app.ask(SUBMIT, { input: { prompt: 'Why?' } });
  await until(
    async () => (await updates.next()).value.metricsUpdates.total.requests === 2,
    'two are counted',
  );
  await updates.return?.();
  const probe = '{ metrics(filter: { text: "sky" }) { total { requests } } }';
  assert.deepEqual(await refusal(app, probe, {}, secret), [
    'FORBIDDEN',
    'request:read-any needs an API key with the scope ADMIN.',
  ]);
});

test('the functions behind the schema refuse by themselves', async t => {
  const app = await start(t);
  const { gateway, members } = app.app;
  const admin = (await members.authenticate(app.adminToken))!;
  const actorFor = async (...scopes: ApiKeyScope[]) =>
    (await members.authenticate((await app.create(scopes)).secret))!;
  const [reader, submitter] = [await actorFor('READ'), await actorFor('SUBMIT')];
  const { apiKey } = await app.create(['READ']);
  const keyId = apiKey.id.replace(/^key_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const anywhere = { deploymentId: 'simulated/fast' };

  const acts: [string, () => unknown][] = [
    ['SUBMIT', () => gateway.submit(reader, { prompt: 'Why?' })],
    ['SUBMIT', () => gateway.cancel(reader, keyId)],
    ['READ', () => gateway.request(submitter, keyId)],
    ['READ', () => gateway.follow(submitter, keyId, undefined)],
    ['READ', async () => gateway.feed(submitter, {})],
    ['METRICS', async () => gateway.endings(reader)],
    ['ADMIN', () => gateway.resetBreaker(reader, anywhere, 'test')],
    ['ADMIN', () => gateway.openBreaker(reader, anywhere, 'test')],
    ['ADMIN', () => gateway.drainDeployment(reader, anywhere, 'test')],
    ['ADMIN', () => gateway.enableDeployment(reader, anywhere, 'test')],
    ['MANAGE', () => members.apiKeysOf(reader, admin.userId)],
    ['MANAGE', () => members.createApiKey(reader, { name: 'another' })],
    ['MANAGE', () => members.rotateApiKey(reader, keyId, 0)],
    ['MANAGE', () => members.revokeApiKey(reader, keyId)],
    ['MANAGE', () => members.sessionsOf(reader, admin.userId)],
    ['MANAGE', () => members.revokeSession(reader, admin.credential.id)],
    ['ADMIN', () => members.users(reader, {})],
    ['ADMIN', () => members.createUser(reader, { username: 'eva', role: 'SERVICE' })],
    ['ADMIN', () => members.updateUser(reader, admin.userId, { disabled: true })],
  ];

  for (const [scope, act] of acts)
    await assert.rejects(
      async () => act(),
      { code: 'FORBIDDEN', message: new RegExp(`with the scope ${scope}\\.$`) },
      String(act),
    );
  assert.equal((await app.send('{ viewer { id } }')).errors, undefined, 'and nothing of it was done');
});
