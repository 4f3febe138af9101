// A password that an administrator has set: good for changing it, and for nothing else, whatever one asks and however.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startTestApp, type TestApp } from '../support/app.ts';
import { rootFields } from '../support/root-fields.ts';
import { transportsOf } from '../support/transports.ts';

const CREATE = `mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id mustChangePassword } } }`;
const UPDATE = `mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { mustChangePassword } } }`;
const LOGIN = `mutation ($input: LoginInput!) { login(input: $input) { token viewer { mustChangePassword } } }`;
const CHANGE = `mutation ($input: ChangePasswordInput!) {
  changePassword(input: $input) { token viewer { mustChangePassword } } }`;
const [OWN, GIVEN, NEW] = ['a password of my own', 'a password from above', 'another of my own'];
const BEFORE = ['Query.viewer', 'Mutation.changePassword', 'Mutation.logout', 'Mutation.login'];

/** A user whose password an administrator has just set, and the token of a login with it. */
async function startWithGivenPassword(t: TestContext) {
  const app = await startTestApp(t);
  const input = { username: 'anna', role: 'ADMIN', password: OWN };
  const { user } = (await app.ask(CREATE, { input })).createUser;
  assert.equal(user.mustChangePassword, false);
  const { updateUser } = await app.ask(UPDATE, { input: { userId: user.id, password: GIVEN } });
  assert.equal(updateUser.user.mustChangePassword, true);
  const token = await logIn(app, GIVEN, true);
  return { app, userId: user.id, token };
}

async function logIn({ ask }: TestApp, password: string, mustChange: boolean): Promise<string> {
  const { login } = await ask(LOGIN, { input: { username: 'anna', password } }, null);
  assert.equal(login.viewer.mustChangePassword, mustChange);
  return login.token;
}

test('nothing of the schema is to be had with it but the change, the end and who one is', async t => {
  const { app, token } = await startWithGivenPassword(t);
  // Whoever may do it has asked before: what is remembered of that must not let anybody else in.
  for (const { query, variables } of rootFields().filter(({ operation }) => operation === 'query'))
    await app.send(query, variables);

  for (const [transport, send] of Object.entries(transportsOf(t, app)))
    for (const { name, operation, query, variables } of rootFields()) {
      if (BEFORE.includes(name) || (transport === 'HTTP' && operation === 'subscription')) continue;
      const { code } = await send({ query, variables, token });
      assert.equal(code, 'PASSWORD_CHANGE_REQUIRED', `${name} over ${transport}`);
    }

  const { status, errors } = await app.send('{ users { nodes { id } } }', {}, token);
  assert.equal(status, 403);
  assert.match(errors![0]!.message, /changePassword/);
  assert.deepEqual((await app.ask('{ viewer { username mustChangePassword } }', {}, token)).viewer, {
    username: 'anna',
    mustChangePassword: true,
  });
  for (const field of ['apiKeys', 'sessions']) {
    const refused = await app.send(`{ viewer { ${field} { id } } }`, {}, token);
    assert.equal(refused.errors?.[0]?.extensions.code, 'PASSWORD_CHANGE_REQUIRED', field);
  }
  const metrics = await fetch(`${app.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(metrics.status, 403);
});

test('when it is changed, to another one, everything is as before', async t => {
  const { app, token } = await startWithGivenPassword(t);
  const change = (newPassword: string) =>
    app.send(CHANGE, { input: { currentPassword: GIVEN, newPassword } }, token);

  assert.equal((await change(GIVEN)).errors?.[0]?.extensions.code, 'BAD_USER_INPUT');
  const { data } = await change(NEW);

  assert.equal(data.changePassword.viewer.mustChangePassword, false);
  for (const good of [data.changePassword.token, await logIn(app, NEW, false)])
    assert.ok((await app.ask('{ users { nodes { id } } }', {}, good)).users);
  assert.equal((await app.send('{ viewer { id } }', {}, token)).status, 401, 'the old session has ended');
});

test('logging out is allowed, and no way around: the next login has to change it as well', async t => {
  const { app, token } = await startWithGivenPassword(t);

  await app.ask('mutation { logout { loggedOut } }', {}, token);

  const again = await logIn(app, GIVEN, true);
  const { errors } = await app.send('{ users { nodes { id } } }', {}, again);
  assert.equal(errors?.[0]?.extensions.code, 'PASSWORD_CHANGE_REQUIRED');
});

test('administrators may set a password for good, and one to be changed for a new user', async t => {
  const { app, userId } = await startWithGivenPassword(t);

  const lasting = { userId, password: NEW, mustChangePassword: false };
  assert.equal((await app.ask(UPDATE, { input: lasting })).updateUser.user.mustChangePassword, false);
  await logIn(app, NEW, false);

  const input = { username: 'berta', role: 'USER', password: GIVEN, mustChangePassword: true };
  assert.equal((await app.ask(CREATE, { input })).createUser.user.mustChangePassword, true);
});

test('keys that the user has go on working', async t => {
  const { app, userId } = await startWithGivenPassword(t);
  const { createApiKey } = await app.ask(
    'mutation ($userId: ID!) { createApiKey(input: { name: "robot", userId: $userId }) { secret } }',
    { userId },
  );

  assert.ok((await app.ask('{ users { nodes { id } } }', {}, createApiKey.secret)).users);
});

test('every way to a new password keeps to the policy of the settings', async t => {
  const app = await startTestApp(t, { MCPLANE_PASSWORD_MIN_LENGTH: '20', MCPLANE_PASSWORD_MAX_LENGTH: '64' });
  const admin = (await app.app.members.authenticate(app.adminToken))!;
  const refused = { code: 'BAD_USER_INPUT', message: /must be 20 to 64 characters/ };

  for (const password of ['nineteen characters', 'x7'.repeat(33)]) {
    const ways = [
      app.send(CREATE, { input: { username: 'anna', role: 'USER', password } }),
      app.send(UPDATE, { input: { userId: (await app.ask('{ viewer { id } }')).viewer.id, password } }),
      app.send(CHANGE, { input: { currentPassword: 'correct horse battery staple', newPassword: password } }),
    ];
    for (const { errors } of await Promise.all(ways)) {
      assert.equal(errors?.[0]?.extensions.code, refused.code);
      assert.match(errors[0].message, refused.message);
    }
    await assert.rejects(app.app.members.setup('no token', 'berta', password), refused);
    await assert.rejects(app.app.members.createFirstAdmin('berta', password), refused);
  }
  assert.equal(admin.mustChangePassword, undefined);
});
