// Users, API keys, and how the first admin comes to be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApiKeySecret } from '../../src/control/api-key-secret.ts';
import { createCredentials } from '../../src/control/credentials.ts';
import { createMembers } from '../../src/control/members.ts';
import type { Actor } from '../../src/domain/access.ts';
import { newId } from '../../src/domain/ids.ts';
import { createTestClock } from '../support/clock.ts';
import { openTestStore } from '../support/database.ts';
import { ADDRESS, PASSWORD, startMembers } from '../support/members.ts';

const DAY_MS = 86_400_000;

test('an admin makes users of every role, and every change is remembered with who did it', async t => {
  const { members, login, audit } = await startMembers(t);
  const { actor } = await login();

  const anna = await members.createUser(actor, { username: ' Anna ', role: 'USER', password: PASSWORD });
  const robot = await members.createUser(actor, { username: 'robot', role: 'SERVICE' });
  await members.updateUser(actor, anna.id, { role: 'ADMIN' });

  assert.deepEqual([anna.username, anna.role, robot.role], ['anna', 'USER', 'SERVICE']);
  const subject = `usr_${anna.id.replaceAll('-', '')}`;
  const [update, , create] = await audit();
  assert.deepEqual(create, {
    action: 'user.create',
    actorName: 'root.admin',
    subject,
    data: { username: 'anna', role: 'USER' },
  });
  assert.deepEqual(update, {
    action: 'user.update',
    actorName: 'root.admin',
    subject,
    data: {
      before: { role: 'USER', disabled: false },
      after: { role: 'ADMIN', disabled: false },
      passwordChanged: false,
    },
  });
});

test('what the audit log has of a user is for themselves and for administrators', async t => {
  const { members, login } = await startMembers(t);
  const { actor: admin } = await login();
  const [anna, berta] = await Promise.all(
    ['anna', 'berta'].map(username =>
      members.createUser(admin, { username, role: 'USER', password: PASSWORD }),
    ),
  );
  const { actor } = await login('anna');
  const actionsOf = async (by: Actor, userId: string) =>
    (await members.auditEventsOf(by, userId, { first: 10 })).rows.map(({ action }) => action);

  assert.deepEqual(await actionsOf(actor, anna!.id), ['session.begin', 'user.create']);
  assert.deepEqual(await actionsOf(admin, berta!.id), ['user.create']);
  await assert.rejects(actionsOf(actor, berta!.id), { code: 'FORBIDDEN' });
});

test('a user that cannot be is refused, and nothing is written', async t => {
  const { members, login, audit } = await startMembers(t);
  const { actor } = await login();
  const before = await audit();
  const create = (username: string, role: 'USER' | 'SERVICE', password?: string) =>
    members.createUser(actor, { username, role, password });

  await assert.rejects(create('ROOT.admin', 'USER', PASSWORD), { code: 'CONFLICT' });
  await assert.rejects(create('a b', 'USER', PASSWORD), { code: 'BAD_USER_INPUT' });
  await assert.rejects(create('anna', 'USER'), { code: 'BAD_USER_INPUT' });
  await assert.rejects(create('anna', 'USER', 'admin123'), { code: 'BAD_USER_INPUT' });
  await assert.rejects(create('robot', 'SERVICE', PASSWORD), { code: 'BAD_USER_INPUT' });
  await assert.rejects(members.updateUser(actor, newId(), { disabled: true }), { code: 'NOT_FOUND' });
  await assert.rejects(members.updateUser(actor, 'no id', { disabled: true }), { code: 'NOT_FOUND' });
  await assert.rejects(members.updateUser(actor, actor.userId, {}), { code: 'BAD_USER_INPUT' });

  assert.deepEqual(await audit(), before);
});

test('the last enabled admin stays one, also when two admins remove each other at once', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();

  for (const change of [{ role: 'USER' }, { disabled: true }] as const) {
    await assert.rejects(members.updateUser(actor, actor.userId, change), { code: 'CONFLICT' });
  }
  await members.updateUser(actor, actor.userId, { password: 'battery staple' });

  await members.createUser(actor, { username: 'second', role: 'ADMIN', password: PASSWORD });
  const first = (await login('root.admin', 'battery staple')).actor;
  const second = (await login('second')).actor;
  const results = await Promise.allSettled([
    members.updateUser(first, second.userId, { disabled: true }),
    members.updateUser(second, first.userId, { role: 'USER' }),
  ]);
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal(await members.hasAdmin(), true);
});

test('only admins manage members; everybody sees themselves', async t => {
  const { members, login } = await startMembers(t);
  const { actor: admin } = await login();
  const anna = await members.createUser(admin, { username: 'anna', role: 'USER', password: PASSWORD });
  const { actor } = await login('anna');

  const refused: Promise<unknown>[] = [
    members.createUser(actor, { username: 'eve', role: 'ADMIN', password: PASSWORD }),
    members.updateUser(actor, anna.id, { role: 'ADMIN' }),
    members.users(actor, {}),
    members.setRateLimits(actor, { userId: anna.id }, { requestsPerMinute: 0 }),
    members.apiKeysOf(actor, admin.userId),
    members.createApiKey(actor, { name: 'theirs', userId: admin.userId }),
  ];

  for (const attempt of refused) await assert.rejects(attempt, { code: 'FORBIDDEN' });
  assert.equal((await members.viewer(actor)).username, 'anna');
  assert.deepEqual(
    (await members.users(admin, { first: 10 })).rows.map(user => user.username),
    ['anna', 'root.admin'],
  );
});

test('an API key acts for its user until it is revoked or expires, and only its start is shown', async t => {
  const { members, login, clock, audit } = await startMembers(t);
  const { actor } = await login();
  const robot = await members.createUser(actor, { username: 'robot', role: 'SERVICE' });

  const expiresAt = new Date(clock.now() + DAY_MS);
  const { key, secret } = await members.createApiKey(actor, {
    name: ' nightly ',
    userId: robot.id,
    expiresAt,
  });
  const other = await members.createApiKey(actor, { name: 'daily', userId: robot.id });

  assert.deepEqual(await members.authenticate(secret), {
    userId: robot.id,
    username: 'robot',
    role: 'SERVICE',
    credential: { kind: 'apiKey', id: key.id },
    expiresAtMs: expiresAt.getTime(),
  });
  assert.equal(key.name, 'nightly');
  assert.ok(secret.startsWith(`${key.prefix}_`));
  const listed = await members.apiKeysOf(actor, robot.id);
  assert.equal(listed.find(({ id }) => id === key.id)?.lastUsedAt?.getTime(), clock.now());
  assert.ok(!JSON.stringify([listed, await audit()]).includes(secret.slice(17)));

  await members.revokeApiKey(actor, other.key.id);
  assert.equal(await members.authenticate(other.secret), undefined);
  clock.advance(DAY_MS);
  assert.equal(await members.authenticate(secret), undefined);
});

test('a key of the right form with another secret is nobody', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const one = await members.createApiKey(actor, { name: 'one' });

  assert.equal(await members.authenticate(createApiKeySecret().secret), undefined);
  assert.equal(await members.authenticate(`${one.secret.slice(0, -1)}_`), undefined);
  assert.equal(await members.authenticate('mcplane_'), undefined);
  assert.ok(await members.authenticate(one.secret));
});

test("another member's key is as unknown as one that does not exist", async t => {
  const { members, login } = await startMembers(t);
  const { actor: admin } = await login();
  await members.createUser(admin, { username: 'anna', role: 'USER', password: PASSWORD });
  const { actor } = await login('anna');
  const { key } = await members.createApiKey(admin, { name: 'of the admin' });

  const foreign = await members.revokeApiKey(actor, key.id).catch(error => error);
  const missing = await members.revokeApiKey(actor, newId()).catch(error => error);

  assert.deepEqual([foreign.code, foreign.message], [missing.code, missing.message]);
  assert.equal(foreign.code, 'NOT_FOUND');
});

test('a key cannot make one that outlives it, and keys are limited in number', async t => {
  const { members, login, clock } = await startMembers(t);
  const { actor } = await login();
  const expiresAt = new Date(clock.now() + DAY_MS);
  const { secret } = await members.createApiKey(actor, { name: 'short-lived', expiresAt });
  const keyActor = (await members.authenticate(secret)) as Actor;

  const heir = await members.createApiKey(keyActor, { name: 'heir' });
  assert.deepEqual(heir.key.expiresAt, expiresAt);
  const later = new Date(clock.now() + 2 * DAY_MS);
  await assert.rejects(members.createApiKey(keyActor, { name: 'x', expiresAt: later }), {
    code: 'BAD_USER_INPUT',
  });
  const past = new Date(clock.now());
  await assert.rejects(members.createApiKey(actor, { name: 'x', expiresAt: past }), {
    code: 'BAD_USER_INPUT',
  });
  await assert.rejects(members.createApiKey(actor, { name: ' ' }), { code: 'BAD_USER_INPUT' });
  await assert.rejects(members.logout(keyActor), { code: 'BAD_USER_INPUT' });
  await assert.rejects(members.changePassword(keyActor, PASSWORD, 'battery staple'), {
    code: 'BAD_USER_INPUT',
  });

  for (let made = 2; made < 50; made++) await members.createApiKey(actor, { name: `key ${made}` });
  await assert.rejects(members.createApiKey(actor, { name: 'one more' }), { code: 'CONFLICT' });
});

test('the setup token works once, only while there is no admin, and survives bad input', async t => {
  const store = await openTestStore(t);
  const clock = createTestClock(Date.now());
  const credentials = await createCredentials({ jwtSecretKey: 'kV9x2LqT7wPz4RbN8sYc1GmD5hJf0EaU', clock });
  const members = createMembers({ store, credentials, clock, sessionMinutes: 60 });
  const token = (await members.createSetupToken())!;

  await assert.rejects(members.setup('another token', 'root', PASSWORD), { code: 'UNAUTHENTICATED' });
  await assert.rejects(members.setup(token, 'root', 'admin123'), { code: 'BAD_USER_INPUT' });
  await assert.rejects(members.setup(token, '', PASSWORD), { code: 'BAD_USER_INPUT' });
  const both = await Promise.allSettled([
    members.setup(token, 'root', PASSWORD),
    members.setup(token, 'somebody.else', PASSWORD),
  ]);

  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const login = both.find(result => result.status === 'fulfilled')!.value;
  assert.equal((await members.authenticate(login.token))?.role, 'ADMIN');
  await assert.rejects(members.setup(token, 'third', PASSWORD), { code: 'UNAUTHENTICATED' });
  assert.equal(await members.createSetupToken(), undefined);
  await assert.rejects(members.createFirstAdmin('another', PASSWORD), { code: 'CONFLICT' });
  const [, created] = (await store.audit.page({}, { first: 10 })).rows;
  assert.deepEqual([created?.action, created?.reason], ['user.create', 'first admin']);
});

test('an older setup token, and one of an hour ago, is not valid', async t => {
  const store = await openTestStore(t);
  const clock = createTestClock(Date.now() - 61 * 60_000);
  const credentials = await createCredentials({ jwtSecretKey: 'kV9x2LqT7wPz4RbN8sYc1GmD5hJf0EaU', clock });
  const members = createMembers({ store, credentials, clock, sessionMinutes: 60 });

  const expired = (await members.createSetupToken())!;
  await assert.rejects(members.setup(expired, 'root', PASSWORD), { code: 'UNAUTHENTICATED' });
  clock.advance(61 * 60_000);
  const replaced = (await members.createSetupToken())!;
  const valid = (await members.createSetupToken())!;

  await assert.rejects(members.setup(replaced, 'root', PASSWORD), { code: 'UNAUTHENTICATED' });
  assert.equal((await members.setup(valid, 'root', PASSWORD)).user.username, 'root');
  assert.equal((await members.login('root', PASSWORD, ADDRESS)).user.role, 'ADMIN');
});
