// How long a credential is good, and that whoever relies on it is told when it is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADDRESS, PASSWORD, startMembers } from '../support/members.ts';

test('a session ends at logout, at once, and only this one', async t => {
  const { members, login, audit } = await startMembers(t);
  const one = await login();
  const other = await login();

  await members.logout(one.actor);

  assert.equal(await members.authenticate(one.token), undefined);
  assert.equal((await members.authenticate(other.token))?.username, 'root.admin');
  assert.equal((await audit())[0]?.action, 'session.end');
  await members.logout(one.actor);
  assert.equal((await audit()).filter(({ action }) => action === 'session.end').length, 1, 'once');
});

test('a new password ends all sessions but the one it returns', async t => {
  const { members, login, audit } = await startMembers(t);
  const one = await login();
  const other = await login();

  await assert.rejects(members.changePassword(one.actor, 'wrong horse', 'battery staple'), {
    code: 'UNAUTHENTICATED',
  });
  await assert.rejects(members.changePassword(one.actor, PASSWORD, 'admin123'), { code: 'BAD_USER_INPUT' });
  const fresh = await members.changePassword(one.actor, PASSWORD, 'battery staple');

  assert.equal(await members.authenticate(one.token), undefined);
  assert.equal(await members.authenticate(other.token), undefined);
  assert.ok(await members.authenticate(fresh.token));
  assert.deepEqual(
    (await audit()).slice(0, 2).map(({ action }) => action),
    ['session.begin', 'password.change'],
  );
  await assert.rejects(members.login('root.admin', PASSWORD, ADDRESS), { code: 'UNAUTHENTICATED' });
  await login('root.admin', 'battery staple');
});

test('another instance notices within two seconds', async t => {
  const { members, another, login, clock } = await startMembers(t);
  const { token, actor } = await login();
  const elsewhere = another();
  assert.ok(await elsewhere.authenticate(token));

  await members.logout(actor);

  assert.ok(await elsewhere.authenticate(token), 'from its cache');
  clock.advance(2_000);
  assert.equal(await elsewhere.authenticate(token), undefined);
});

test('the role is that of the store, not of the token', async t => {
  const { members, login } = await startMembers(t);
  const { actor } = await login();
  const anna = await members.createUser(actor, { username: 'anna', role: 'USER', password: PASSWORD });
  const { token } = await login('anna');

  await members.updateUser(actor, anna.id, { role: 'ADMIN' });

  assert.equal(await members.authenticate(token), undefined, 'tokens of before the change are refused');
  assert.equal((await login('anna')).actor.role, 'ADMIN');
});

test('whatever ends a credential ends what waits for it, at once here and within five seconds elsewhere', async t => {
  const endings = ['logout', 'password', 'role', 'disable', 'revoke', 'key owner disabled'] as const;
  const { members, another, login, clock, settled } = await startMembers(t);
  const { actor: admin } = await login();
  let number = 0;

  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...endings), fc.boolean(), async (ending, elsewhere) => {
      const username = `user.${++number}`;
      const user = await members.createUser(admin, { username, role: 'USER', password: PASSWORD });
      const { actor } = await login(username);
      const { key, secret } = await members.createApiKey(actor, { name: 'laptop' });
      const keyActor = (await members.authenticate(secret))!;
      const watched = ending === 'revoke' || ending === 'key owner disabled' ? keyActor : actor;
      const bystander = (await login()).actor;
      const ended = Promise.withResolvers<void>();
      let hasEnded = false;
      let bystanderEnded = false;
      const watcher = elsewhere ? another() : members;
      watcher.onCredentialEnd(watched, () => {
        hasEnded = true;
        ended.resolve();
      });
      const leave = watcher.onCredentialEnd(bystander, () => {
        bystanderEnded = true;
      });
      await settled();
      assert.equal(hasEnded, false);

      if (ending === 'logout') await members.logout(actor);
      if (ending === 'password') await members.changePassword(actor, PASSWORD, 'battery staple');
      if (ending === 'role') await members.updateUser(admin, user.id, { role: 'ADMIN' });
      if (ending === 'disable') await members.updateUser(admin, user.id, { disabled: true });
      if (ending === 'revoke') await members.revokeApiKey(actor, key.id);
      if (ending === 'key owner disabled') await members.updateUser(admin, user.id, { disabled: true });

      if (elsewhere) clock.advance(5_000);
      await ended.promise;
      await settled();
      assert.equal(bystanderEnded, false, 'and nobody else');
      leave();
    }),
    { numRuns: 12, examples: endings.map(ending => [ending, false]) },
  );
});

test('who waits for the end of a credential is called at its expiry, unless it has left', async t => {
  const { members, login, clock, settled } = await startMembers(t);
  const { actor } = await login();
  const called: string[] = [];
  const leave = members.onCredentialEnd(actor, () => called.push('left'));
  members.onCredentialEnd(actor, () => called.push('stayed'));
  await settled();

  leave();
  clock.advance(actor.expiresAtMs! - clock.now() - 1);
  await settled();
  assert.deepEqual(called, []);
  clock.advance(1);

  assert.deepEqual(called, ['stayed']);
});

test('after word from another instance nothing is believed that was known before', async t => {
  const { members, another, login, settled } = await startMembers(t);
  const { token, actor } = await login();
  const other = another();
  assert.ok(await other.authenticate(token));
  let ended = false;
  other.onCredentialEnd(actor, () => {
    ended = true;
  });
  await settled();

  await members.logout(actor);
  assert.ok(await other.authenticate(token), 'the clock stands still, and so does what it knows');
  other.credentialsChangedElsewhere();
  await settled();

  assert.deepEqual([await other.authenticate(token), ended], [undefined, true]);
});
