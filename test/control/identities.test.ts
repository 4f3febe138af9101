// Whom the identity provider vouches for: users who appear with their first token, roles that follow the claims, and names
// that are not handed over.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createIdentityKeys } from '../../src/control/identity-keys.ts';
import { createIdentityTokens } from '../../src/control/identity-tokens.ts';
import type { IdentityProvider } from '../../src/domain/identity.ts';
import { toGlobalId } from '../../src/domain/ids.ts';
import { providerOf, startIdentityProvider } from '../support/identity-provider.ts';
import { ADDRESS, PASSWORD, startMembers } from '../support/members.ts';

async function start(t: TestContext, change: Partial<IdentityProvider> = {}) {
  const idp = await startIdentityProvider(t);
  const provider = { ...providerOf(idp), ...change };
  const rest = await startMembers(t, {
    identityTokens: clock =>
      createIdentityTokens({ provider, clock, keys: createIdentityKeys({ provider, clock }) }),
  });
  const token = (claims: object = {}) => idp.token(claims, { nowMs: rest.clock.now() });
  const { actor: admin } = await rest.login();
  /** What was written since the last time, newest first. */
  let seen = (await rest.audit()).length;
  const news = async () => {
    const all = await rest.audit();
    const fresh = all.slice(0, all.length - seen);
    seen = all.length;
    return fresh;
  };
  return { ...rest, idp, token, admin, news };
}

test('whoever comes for the first time becomes a user, and stays the same one', async t => {
  const { members, idp, token, admin, news } = await start(t);

  const actor = (await members.authenticate(token()))!;
  const again = (await members.authenticate(token({ preferred_username: 'Renamed' })))!;

  assert.deepEqual([actor.username, actor.role, actor.credential.kind], ['anna', 'USER', 'external']);
  assert.deepEqual([again.userId, again.username], [actor.userId, 'anna']);
  assert.deepEqual(await news(), [
    {
      action: 'user.create',
      actorName: 'anna',
      subject: toGlobalId('user', actor.userId),
      reason: 'identity provider',
      data: { username: 'anna', role: 'USER', issuer: idp.url, subject: 'subject-1' },
    },
  ]);
  const { rows } = await members.users(admin, {});
  assert.deepEqual(rows.map(({ username }) => username).sort(), ['anna', 'root.admin']);
  await assert.rejects(members.login('anna', PASSWORD, ADDRESS), { code: 'UNAUTHENTICATED' });
});

test('many first tokens at once make one user, also on another instance', async t => {
  const { members, another, token, news } = await start(t);
  const second = another();

  const actors = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      (index % 2 ? members : second).authenticate(token({ jti: index })),
    ),
  );

  assert.equal(new Set(actors.map(actor => actor!.userId)).size, 1);
  assert.equal((await news()).length, 1);
});

test('a name that somebody has here is never handed over, however it is written', async t => {
  const { members, token, admin, login, news, clock, settled } = await start(t);
  const local = await members.createUser(admin, { username: 'berta', role: 'ADMIN', password: PASSWORD });
  await news();

  for (const [index, name] of ['root.admin', 'ROOT.Admin', ' berta ', 'ｂｅｒｔａ'].entries()) {
    const sub = `subject-${index}`;
    assert.equal(await members.authenticate(token({ sub, preferred_username: name })), undefined, name);
    const [entry, ...others] = await news();
    assert.deepEqual(
      [entry?.action, entry?.reason, entry?.data],
      [
        'identity.refuse',
        'the name is taken',
        { issuer: (entry!.data as { issuer: string }).issuer, subject: sub, username: name },
      ],
    );
    assert.equal(others.length, 0);
  }
  assert.equal((await login('berta')).actor.userId, local.id, 'who had the name has it');

  // Another subject of the provider does not get it either, and hammering does not fill the log.
  assert.ok(await members.authenticate(token({ sub: 'first', preferred_username: 'carla' })));
  await news();
  const rival = { sub: 'second', preferred_username: 'carla' };
  for (let time = 0; time < 20; time += 1) {
    assert.equal(await members.authenticate(token(rival)), undefined);
    clock.advance(1_000);
  }
  await settled();
  assert.equal((await news()).length, 1);
});

test('names that cannot be one, and claims that give no role, are refused and remembered once an hour', async t => {
  const { members, token, clock, news } = await start(t);
  const reasons = async () => (await news()).map(({ action, reason }) => `${action}: ${reason}`);

  for (const name of ['Anna Smith', '', 'a\u200bb', 'x'.repeat(65)])
    assert.equal(
      await members.authenticate(token({ sub: `s ${name}`, preferred_username: name })),
      undefined,
    );
  assert.deepEqual(await reasons(), Array(4).fill('identity.refuse: the name cannot be one'));

  for (let time = 0; time < 3; time += 1)
    assert.equal(await members.authenticate(token({ roles: ['guests'], jti: time })), undefined);
  assert.deepEqual(await reasons(), ['identity.refuse: the claims give no role']);
  clock.advance(3_600_000);
  assert.equal(await members.authenticate(token({ roles: [] })), undefined);
  assert.deepEqual(await reasons(), ['identity.refuse: the claims give no role']);
});

test('the role follows the newest token, once, and an older one changes nothing', async t => {
  const { members, idp, token, clock, news, settled } = await start(t);
  const roleOf = async (each: string) => (await members.authenticate(each))?.role;
  const staff = token();
  assert.equal(await roleOf(staff), 'USER');
  const before = (await members.authenticate(staff))!;
  let ended = false;
  members.onCredentialEnd(before, () => {
    ended = true;
  });
  await news();

  clock.advance(10_000);
  const promoted = token({ roles: ['operators', 'staff'] });
  assert.equal(await roleOf(promoted), 'ADMIN');
  assert.deepEqual(
    (await news()).map(({ action, actorName, reason, data }) => ({ action, actorName, reason, data })),
    [
      {
        action: 'user.update',
        actorName: undefined,
        reason: 'identity provider',
        data: {
          before: { role: 'USER', claimed: 'USER' },
          after: { role: 'ADMIN', claimed: 'ADMIN' },
          issuer: idp.url,
        },
      },
    ],
  );
  assert.equal(await roleOf(staff), 'ADMIN', 'the older token says what it said, and is not asked');
  await settled();
  assert.equal(ended, true, 'streams that began with the old role have ended');

  clock.advance(10_000);
  assert.equal(await roleOf(token()), 'USER');
  assert.equal(await roleOf(promoted), 'USER', 'an old token is no way back');
  assert.equal((await news()).length, 1);
});

test('what an administrator decides here lasts until the claim changes; a disabled user stays refused', async t => {
  const { members, token, clock, admin } = await start(t);
  const roleOf = async (claims: object = {}) => {
    clock.advance(10_000);
    return (await members.authenticate(token(claims)))?.role;
  };
  const { userId } = (await members.authenticate(token()))!;

  await members.updateUser(admin, userId, { role: 'ADMIN' });
  assert.equal(await roleOf(), 'ADMIN');
  assert.equal(await roleOf({ roles: ['operators'] }), 'ADMIN');
  assert.equal(await roleOf(), 'USER', 'the claim has changed');

  await members.updateUser(admin, userId, { disabled: true });
  assert.equal(await roleOf(), undefined);
  assert.equal(await roleOf({ roles: ['operators'] }), undefined);
  await members.updateUser(admin, userId, { disabled: false });
  assert.equal(await roleOf({ roles: ['operators'] }), 'ADMIN');
});

test('what an administrator lets the user take holds with a token of the provider', async t => {
  const { members, token, admin } = await start(t);
  const { userId, rateLimits } = (await members.authenticate(token()))!;
  assert.equal(rateLimits, undefined);

  await members.setRateLimits(admin, { userId }, { requestsPerMinute: 1 });
  const limited = (await members.authenticate(token()))!;
  assert.equal(limited.rateLimits?.user?.requestsPerMinute, 1);

  await members.setRateLimits(admin, { userId }, {});
  assert.equal((await members.authenticate(token()))!.rateLimits, undefined);
});

test('with a token of the provider one makes keys, and neither changes a password nor logs out here', async t => {
  const { members, token, clock } = await start(t);
  const actor = (await members.authenticate(token()))!;

  const { secret } = await members.createApiKey(actor, { name: 'script' });
  assert.equal((await members.authenticate(secret))?.userId, actor.userId);
  await assert.rejects(members.logout(actor), /token of the identity provider/);
  await assert.rejects(
    members.changePassword(actor, PASSWORD, 'quite another one'),
    /no token of a login here/,
  );
  assert.deepEqual(await members.sessionsOf(actor, actor.userId), []);

  let ended = false;
  members.onCredentialEnd(actor, () => {
    ended = true;
  });
  clock.advance(3_599_000);
  assert.equal(ended, false);
  clock.advance(1_000);
  assert.equal(ended, true, 'with the token');
});

test('everybody of the provider has a role when the settings say so', async t => {
  const { members, token } = await start(t, { roles: [], defaultRole: 'SERVICE' });

  assert.equal((await members.authenticate(token({ roles: undefined })))?.role, 'SERVICE');
});
