// Login: what it gives, its silence about what was wrong, and its throttle.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDRESS, PASSWORD, startMembers } from '../support/members.ts';

test('a login gives a token whose actor has the name, role and end of the session', async t => {
  const { members, clock, store } = await startMembers(t);

  const login = await members.login('Root.Admin', PASSWORD, ADDRESS);
  const actor = await members.authenticate(login.token);

  assert.equal(login.user.username, 'root.admin');
  assert.equal(login.expiresAt.getTime(), Math.floor(clock.now() / 1_000) * 1_000 + 3_600_000);
  assert.equal(actor?.role, 'ADMIN');
  assert.equal(actor.userId, login.user.id);
  assert.equal(actor.expiresAtMs, login.expiresAt.getTime());
  assert.equal((await store.members.session(actor.credential.id))?.revoked, false);
  clock.advance(3_600_000);
  assert.equal(await members.authenticate(login.token), undefined);
});

test('every failed login gives the same answer for the price of one hash', async t => {
  const { members, login, verified } = await startMembers(t);
  const { actor } = await login();
  const gone = await members.createUser(actor, { username: 'gone', role: 'USER', password: PASSWORD });
  await members.updateUser(actor, gone.id, { disabled: true });
  await members.createUser(actor, { username: 'robot', role: 'SERVICE' });
  const former = await members.createUser(actor, { username: 'former', role: 'USER', password: PASSWORD });
  await members.updateUser(actor, former.id, { role: 'SERVICE' });

  const answers: unknown[] = [];
  for (const [username, password] of [
    ['nobody', PASSWORD],
    ['root.admin', 'wrong horse'],
    ['gone', PASSWORD],
    ['robot', PASSWORD],
    ['former', PASSWORD],
    [' root.admin', PASSWORD],
    ["' or 1=1 --", PASSWORD],
    ['{"$ne":null}', PASSWORD],
  ] as const) {
    verified.length = 0;
    const error = await members.login(username, password, ADDRESS).catch(error => error);
    answers.push({ code: error.code, message: error.message });
    assert.equal(verified.length, 1, `${username} costs one verification`);
  }

  const same = { code: 'UNAUTHENTICATED', message: 'The username or the password is wrong.' };
  assert.deepEqual(
    answers,
    answers.map(() => same),
  );
});

test('somebody who does not exist is slowed down like somebody who does', async t => {
  const { members, verified } = await startMembers(t);
  const tries = async (username: string, address: string) => {
    verified.length = 0;
    const answers: unknown[] = [];
    for (let round = 0; round < 12; round++) {
      const { code, message, details } = await members
        .login(username, 'wrong horse', address)
        .catch(error => error);
      answers.push({ code, message, details });
    }
    return { answers, hashes: verified.length };
  };

  const real = await tries('root.admin', '192.0.2.10');
  const unreal = await tries('nobody', '192.0.2.11');

  assert.deepEqual(unreal, real);
  assert.equal(real.hashes, 10);
});

test('a new password is hashed only when it may be one', async t => {
  const { members, login, hashed } = await startMembers(t);
  const { actor } = await login();

  for (const password of ['short', 'x'.repeat(257), 'y'.repeat(1_000_000)]) {
    const refused = { code: 'BAD_USER_INPUT' };
    await assert.rejects(members.createUser(actor, { username: 'anna', role: 'USER', password }), refused);
    await assert.rejects(members.updateUser(actor, actor.userId, { password }), refused);
    await assert.rejects(members.changePassword(actor, PASSWORD, password), refused);
  }

  assert.deepEqual(hashed, []);
});

test('a password that nobody can have is wrong without being hashed', async t => {
  const { members, verified } = await startMembers(t);

  for (const password of ['', 'short', 'x'.repeat(1_025), 'x'.repeat(1_000_000), '\ud800 lone half']) {
    await assert.rejects(members.login('root.admin', password, ADDRESS), { code: 'UNAUTHENTICATED' });
  }

  assert.deepEqual(verified, []);
});

test('good and bad logins are remembered, without passwords and without names of nobody', async t => {
  const { members, audit, store } = await startMembers(t);

  const { user } = await members.login('root.admin', PASSWORD, ADDRESS);
  await members.login('root.admin', 'wrong horse', ADDRESS).catch(() => {});
  await members.login('my secret typed here', PASSWORD, ADDRESS).catch(() => {});

  const subject = `usr_${user.id.replaceAll('-', '')}`;
  const data = { address: ADDRESS };
  assert.deepEqual((await audit()).slice(0, 3), [
    { action: 'session.refuse', actorName: undefined, subject: undefined, data },
    { action: 'session.refuse', actorName: undefined, subject, data },
    { action: 'session.begin', actorName: 'root.admin', subject, data },
  ]);
  const everything = JSON.stringify((await store.audit.page({}, { first: 100 })).rows);
  assert.ok(!everything.includes('horse') && !everything.includes('my secret'));
});

test('the eleventh failure in a quarter of an hour waits, even with the right password', async t => {
  const { members, clock, login, verified } = await startMembers(t);
  for (let round = 0; round < 10; round++) {
    await assert.rejects(members.login('root.admin', 'wrong', ADDRESS), { code: 'UNAUTHENTICATED' });
    clock.advance(1_000);
  }
  verified.length = 0;

  await assert.rejects(members.login('Root.ADMIN', PASSWORD, ADDRESS), {
    code: 'RATE_LIMITED',
    retryAfterMs: 15 * 60_000 - 10_000,
  });
  assert.deepEqual(verified, [], 'a refused login costs no hash');
  await login('root.admin', PASSWORD, '198.51.100.7');

  clock.advance(15 * 60_000 - 10_000);
  await login();
});

test('a good login forgets the failures of its account, not those of its address', async t => {
  const { members, login } = await startMembers(t);
  const fail = (username: string) => members.login(username, 'wrong', ADDRESS).catch(error => error.code);
  for (let round = 0; round < 9; round++) await fail('root.admin');

  await login();
  for (let round = 0; round < 10; round++) assert.equal(await fail('root.admin'), 'UNAUTHENTICATED');
  for (let round = 0; round < 81; round++) assert.equal(await fail(`user-${round}`), 'UNAUTHENTICATED');

  assert.equal(await fail('somebody.else'), 'RATE_LIMITED', 'one hundred failures from one address');
  await assert.rejects(members.login('root.admin', PASSWORD, ADDRESS), { code: 'RATE_LIMITED' });
});

test('guesses sent all at once are no way around the throttle', async t => {
  const { members, verified } = await startMembers(t);

  const guesses = Array.from({ length: 30 }, (_, index) =>
    members.login('root.admin', `guess number ${index}`, ADDRESS).catch(error => error.code),
  );
  const codes = await Promise.all(guesses);

  assert.equal(codes.filter(code => code === 'UNAUTHENTICATED').length, 10);
  assert.equal(codes.filter(code => code === 'RATE_LIMITED').length, 20);
  assert.equal(verified.length, 10);
});

test('addresses of one IPv6 network count as one', async t => {
  const { members } = await startMembers(t);
  for (let round = 0; round < 10; round++) {
    await members.login('root.admin', 'wrong', `2001:db8:1:2::${round}`).catch(() => {});
  }

  const from = (address: string) =>
    members.login('root.admin', PASSWORD, address).then(
      () => 'in',
      error => error.code,
    );

  assert.equal(await from('2001:db8:1:2:ffff::1'), 'RATE_LIMITED');
  assert.equal(await from('2001:db8:1:3::1'), 'in');
});

test('a login that finds no place in the queue of hashes is no failed one', async t => {
  const { members } = await startMembers(t, { hashLimits: { maxHashes: 1, maxWaiting: 0 } });
  const codeOf = (password: string) =>
    members.login('root.admin', password, ADDRESS).then(
      () => 'in',
      error => error.details?.limit ?? error.code,
    );

  // Five at once count as five until they are withdrawn.
  for (let round = 0; round < 5; round++) {
    const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf('wrong horse')));
    assert.equal(codes.filter(code => code === 'loginMaxWaiting').length, 4);
    assert.equal(codes.filter(code => code === 'UNAUTHENTICATED').length, 1);
  }

  assert.equal(await codeOf(PASSWORD), 'in');
});
