// Managing users and keys through the schema.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, toGlobalId } from '../../src/domain/ids.ts';
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
