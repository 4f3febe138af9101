import assert from 'node:assert/strict';
import test from 'node:test';
import { sql } from 'kysely';
import { newId } from '../../src/domain/ids.ts';
import type { ApiKey } from '../../src/domain/member.ts';
import { onBothStores } from './both-stores.ts';
import { aUser } from './samples.ts';

const inAnHour = () => new Date(Date.now() + 3600e3);

onBothStores(open => {
  test('a username is taken once, also by two at the same time', async t => {
    const { store } = await open(t);
    const rivals = Array.from({ length: 6 }, () => aUser({ username: 'ada' }));

    const created = await Promise.all(rivals.map(user => store.members.createUser(user, 'hash')));

    assert.equal(created.filter(Boolean).length, 1);
    const winner = rivals[created.indexOf(true)]!;
    assert.deepEqual(await store.members.userByName('ada'), { user: winner, passwordHash: 'hash' });
    assert.deepEqual(await store.members.usersByIds([newId(), winner.id]), [undefined, winner]);
    assert.equal(await store.members.passwordHash(winner.id), 'hash');
    assert.equal(await store.members.userByName("ada' or '1'='1"), undefined);
    assert.equal(await store.members.userByName('a\0da'), undefined);
  });

  test('tokens become invalid with a new role, a new password and a ban, and with nothing else', async t => {
    const { store } = await open(t);
    const user = aUser({ tokenVersion: 1 });
    await store.members.createUser(user, 'hash');
    const version = async (change: Parameters<typeof store.members.updateUser>[1]) =>
      (await store.members.updateUser(user.id, change))?.tokenVersion;

    assert.equal(await version({}), 1);
    assert.equal(await version({ role: 'USER' }), 1);
    assert.equal(await version({ role: 'ADMIN' }), 2);
    assert.equal(await version({ passwordHash: 'new' }), 3);
    assert.equal(await version({ disabled: true }), 4);
    assert.equal(await version({ disabled: true }), 4);
    assert.equal(await version({ disabled: false }), 4);
    assert.equal(await version({ role: 'USER', disabled: true, passwordHash: 'x' }), 5);
    assert.equal(await store.members.updateUser(newId(), { disabled: true }), undefined);
    assert.equal(await store.members.updateUser('no id', { disabled: true }), undefined);
  });

  test('two admins who demote each other at once do not both succeed', async t => {
    const { store } = await open(t);
    const admins = [aUser({ role: 'ADMIN' }), aUser({ role: 'ADMIN' })];
    for (const admin of admins) await store.members.createUser(admin, 'hash');

    await Promise.all(
      admins.map(({ id }) =>
        store.transaction(async ({ members }) => {
          if ((await members.countAdmins()) > 1) await members.updateUser(id, { role: 'USER' });
        }),
      ),
    );

    assert.equal(await store.members.countAdmins(), 1);
  });

  test('a disabled admin does not count', async t => {
    const { store } = await open(t);
    await store.members.createUser(aUser({ role: 'ADMIN', disabled: true }), undefined);

    assert.equal(await store.members.countAdmins(), 0);
  });

  test('a session is valid until it is revoked, and expired ones go with the next login', async t => {
    const { store, db } = await open(t);
    const user = aUser();
    await store.members.createUser(user, 'hash');
    const [first, second] = [newId(), newId()];
    await store.members.createSession({ id: first, userId: user.id, expiresAt: inAnHour() });

    assert.deepEqual(await store.members.session(first), { user, revoked: false });
    assert.equal(await store.members.revokeSession(first), true);
    assert.equal(await store.members.revokeSession(first), false);
    assert.deepEqual(await store.members.session(first), { user, revoked: true });
    assert.equal(await store.members.session(newId()), undefined);
    assert.equal(await store.members.session('forged'), undefined);

    await db.updateTable('sessions').set({ expires_at: sql`now() - interval '1 second'` }).execute();
    await store.members.createSession({ id: second, userId: user.id, expiresAt: inAnHour() });
    assert.equal(await store.members.session(first), undefined);
  });

  test('an API key is found by its prefix with its user', async t => {
    const { store } = await open(t);
    const user = aUser({ role: 'SERVICE' });
    await store.members.createUser(user, undefined);
    const key: ApiKey = {
      id: newId(),
      userId: user.id,
      name: 'nightly job',
      prefix: 'mcp_abc123',
      scopes: ['READ', 'METRICS'],
      createdAt: new Date('2026-03-01T12:00:00Z'),
      expiresAt: undefined,
      lastUsedAt: undefined,
      revokedAt: undefined,
    };
    await store.members.createApiKey(key, 'secret hash');

    assert.deepEqual(await store.members.apiKeyByPrefix(key.prefix), {
      key,
      secretHash: 'secret hash',
      user,
    });
    assert.equal(await store.members.apiKeyByPrefix('mcp_other'), undefined);
    assert.deepEqual(await store.members.apiKeysOf(user.id), [key]);
    await assert.rejects(store.members.createApiKey({ ...key, id: newId() }, 'x'), { code: '23505' });

    const usedAt = new Date('2026-03-02T12:00:00Z');
    await store.members.touchApiKey(key.id, usedAt);
    await store.members.touchApiKey(key.id, new Date('2026-03-01T13:00:00Z'));
    assert.deepEqual((await store.members.apiKeyById(key.id))?.lastUsedAt, usedAt);
    assert.equal(await store.members.revokeApiKey(key.id), true);
    assert.equal(await store.members.revokeApiKey(key.id), false);
    assert.ok((await store.members.apiKeyByPrefix(key.prefix))?.key.revokedAt);
  });

  test('a setup link works once, replaces the one before, and not once there is an admin', async t => {
    const { store, db } = await open(t);
    await store.members.saveSetupToken('first', inAnHour());
    await store.members.saveSetupToken('second', inAnHour());

    assert.equal(await store.members.consumeSetupToken('first'), false);
    const spent = await Promise.all([1, 2, 3].map(() => store.members.consumeSetupToken('second')));
    assert.equal(spent.filter(Boolean).length, 1);

    await store.members.saveSetupToken('late', inAnHour());
    await db.updateTable('setup_tokens').set({ expires_at: sql`now() - interval '1 second'` }).execute();
    assert.equal(await store.members.consumeSetupToken('late'), false);

    await store.members.saveSetupToken('third', inAnHour());
    await store.members.createUser(aUser({ role: 'ADMIN' }), 'hash');
    assert.equal(await store.members.consumeSetupToken('third'), false);
  });
});
