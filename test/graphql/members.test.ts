// Managing users and keys through the schema.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, toGlobalId } from '../../src/domain/ids.ts';
import { type Data, startTestApp } from '../support/app.ts';
import { startOperations } from '../support/operations.ts';

test('ADMIN creates and changes users, and the audit log tells it', async t => {
  const { ask, admin } = await startOperations(t);

  const { createUser } = await ask(
    admin,
    `mutation { createUser(input: { username: " Anna ", role: USER, password: "long enough" }) {
      user { id username role disabled } } }`,
  );
  const { updateUser } = await ask(
    admin,
    'mutation ($id: ID!) { updateUser(input: { userId: $id, disabled: true }) { user { role disabled } } }',
    { id: createUser.user.id },
  );
  const { auditEvents } = await ask(
    admin,
    'query ($by: ID!) { auditEvents(first: 2, filter: { actor: $by }) { nodes { id action subject actorId actorName } } }',
    { by: toGlobalId('user', admin.userId) },
  );

  assert.deepEqual(
    { ...createUser.user, id: '' },
    { id: '', username: 'anna', role: 'USER', disabled: false },
  );
  assert.deepEqual(updateUser.user, { role: 'USER', disabled: true });
  assert.equal(auditEvents.nodes.length, 2);
  for (const event of auditEvents.nodes) {
    assert.match(event.id, /^evt_/);
    assert.equal(event.actorName, 'admin');
    assert.equal(event.actorId, toGlobalId('user', admin.userId));
  }
});

test('refusals are typed: a taken name, an unknown user, the last admin, the wrong role', async t => {
  const { refuse, admin, user } = await startOperations(t);
  const anna = await user('anna');
  const create =
    'mutation { createUser(input: { username: "ANNA", role: USER, password: "long enough" }) { user { id } } }';
  const demote = 'mutation ($id: ID!) { updateUser(input: { userId: $id, role: USER }) { user { id } } }';

  assert.equal(await refuse(admin, create), 'CONFLICT');
  assert.equal(await refuse(admin, demote, { id: toGlobalId('user', newId()) }), 'NOT_FOUND');
  assert.equal(await refuse(admin, demote, { id: 'nonsense' }), 'NOT_FOUND');
  assert.equal(await refuse(admin, demote, { id: toGlobalId('user', admin.userId) }), 'CONFLICT');
  assert.equal(await refuse(anna, create), 'FORBIDDEN');
  assert.equal(await refuse(anna, '{ users { nodes { id } } }'), 'FORBIDDEN');
  assert.equal(await refuse(anna, '{ auditEvents { nodes { id } } }'), 'FORBIDDEN');
});

test('a key is shown once, listed for its owner and revoked by its owner alone', async t => {
  const { ask, refuse, user } = await startOperations(t);
  const [anna, berta] = [await user('anna'), await user('berta')];
  const { createApiKey } = await ask(
    anna,
    `mutation { createApiKey(input: { name: "script", expiresAt: "2099-01-01T00:00:00Z" }) {
      secret apiKey { id name prefix expiresAt revokedAt } } }`,
  );
  const { id, prefix } = createApiKey.apiKey;
  const revoke = 'mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { apiKey { id revokedAt } } }';

  assert.deepEqual(createApiKey.apiKey, {
    id,
    name: 'script',
    prefix,
    expiresAt: '2099-01-01T00:00:00.000Z',
    revokedAt: null,
  });
  assert.equal(await refuse(berta, revoke, { id }), 'NOT_FOUND');
  assert.ok(Date.parse((await ask(anna, revoke, { id })).revokeApiKey.apiKey.revokedAt) <= Date.now());
  const { viewer } = await ask(anna, '{ viewer { username apiKeys { id name } } }');
  assert.deepEqual(viewer, { username: 'anna', apiKeys: [{ id, name: 'script' }] });
});

test('a key is replaced by a new one, and both are good for a while', async t => {
  const { send, ask, login } = await startTestApp(t);
  const [anna, berta] = [await login('anna'), await login('berta')];
  const { createApiKey } = await ask(
    'mutation { createApiKey(input: { name: "laptop", expiresAt: "2099-01-01T00:00:00Z" }) { apiKey { id } secret } }',
    {},
    anna,
  );
  const rotate = `mutation ($id: ID!, $grace: Int) { rotateApiKey(input: { apiKeyId: $id, graceSeconds: $grace }) {
    apiKey { id name expiresAt } secret replaced { id expiresAt revokedAt } } }`;
  const codeOf = async (secret: string) =>
    (await send('{ viewer { username } }', {}, secret)).errors?.[0]?.extensions.code;
  const refusal = async (id: string, grace: number, token: string) =>
    (await send(rotate, { id, grace }, token)).errors?.[0]?.extensions.code;
  const { id } = createApiKey.apiKey;

  assert.equal(await refusal(id, 60, berta), 'NOT_FOUND');
  assert.equal(await refusal(id, -1, anna), 'BAD_USER_INPUT');
  const { rotateApiKey: second } = await ask(rotate, { id, grace: 60 }, anna);

  assert.deepEqual([second.apiKey.name, second.apiKey.expiresAt], ['laptop', '2099-01-01T00:00:00.000Z']);
  assert.equal(second.replaced.id, id);
  assert.ok(Date.parse(second.replaced.expiresAt) < Date.now() + 61_000);
  assert.deepEqual([await codeOf(createApiKey.secret), await codeOf(second.secret)], [undefined, undefined]);

  const { rotateApiKey: third } = await ask(rotate, { id: second.apiKey.id, grace: 0 }, anna);
  assert.deepEqual([await codeOf(second.secret), await codeOf(third.secret)], ['UNAUTHENTICATED', undefined]);
  assert.equal(await refusal(second.apiKey.id, 0, anna), 'CONFLICT');
});

test("a user's logins are listed and ended one by one, by the user or an ADMIN alone", async t => {
  const { app, send, ask, login } = await startTestApp(t);
  const [anna, berta] = [await login('anna'), await login('berta')];
  const lost = (await app.members.login('anna', 'password of anna', 'test')).token;
  const sessionsOf = async (token: string) =>
    (await ask('{ viewer { sessions { id current createdAt expiresAt } } }', {}, token)).viewer.sessions;
  const revoke = 'mutation ($id: ID!) { revokeSession(input: { sessionId: $id }) { sessionId } }';

  const sessions = await sessionsOf(anna);
  assert.deepEqual(
    sessions.map(({ current }: Data) => current),
    [false, true],
  );
  const [{ id }] = sessions;
  assert.match(id, /^ses_/);
  assert.equal((await send(revoke, { id }, berta)).errors?.[0]?.extensions.code, 'NOT_FOUND');

  assert.equal((await ask(revoke, { id }, anna)).revokeSession.sessionId, id);
  assert.equal((await send('{ viewer { id } }', {}, lost)).errors?.[0]?.extensions.code, 'UNAUTHENTICATED');
  const [{ id: own }] = await sessionsOf(anna);
  await ask(revoke, { id: own });
  assert.equal((await send('{ viewer { id } }', {}, anna)).errors?.[0]?.extensions.code, 'UNAUTHENTICATED');
});
