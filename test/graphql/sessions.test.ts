// Logging in and out, and that one operation tries one password.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN } from '../support/app.ts';
import { startOperations } from '../support/operations.ts';

const LOGIN = `mutation ($input: LoginInput!) { login(input: $input) {
  token expiresAt viewer { username role } } }`;

test('a login gives a token that is valid until it says', async t => {
  const { run } = await startOperations(t);

  const { data, errors } = await run(null, LOGIN, { input: ADMIN });

  assert.deepEqual(errors, []);
  assert.deepEqual(data.login.viewer, { username: 'admin', role: 'ADMIN' });
  assert.ok(Date.parse(data.login.expiresAt) > Date.now());
  assert.match(data.login.token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
});

test('a wrong name and a wrong password are one and the same refusal', async t => {
  const { run } = await startOperations(t);

  const wrongName = await run(null, LOGIN, { input: { ...ADMIN, username: 'nobody' } });
  const wrongPassword = await run(null, LOGIN, { input: { ...ADMIN, password: 'not the password' } });

  assert.deepEqual(wrongName, wrongPassword);
  assert.equal(wrongName.data, null);
  assert.equal(wrongName.errors[0]!.extensions.code, 'UNAUTHENTICATED');
});

const MANY_LOGINS = {
  aliases:
    'mutation ($input: LoginInput!) { a: login(input: $input) { token } b: login(input: $input) { token } }',
  fragments: `mutation ($input: LoginInput!) { ...One ... on Mutation { b: login(input: $input) { token } } }
    fragment One on Mutation { ...Two } fragment Two on Mutation { a: login(input: $input) { token } }`,
  'one that is skipped': `mutation ($input: LoginInput!) { a: login(input: $input) { token }
    b: login(input: $input) @skip(if: true) { token } }`,
};
for (const [how, document] of Object.entries(MANY_LOGINS))
  test(`an operation with several logins runs none of them: ${how}`, async t => {
    const { run, ask, admin } = await startOperations(t);

    const { data, errors } = await run(null, document, { input: ADMIN });

    assert.equal(data, null);
    assert.equal(errors[0]!.extensions.code, 'BAD_USER_INPUT');
    const { auditEvents } = await ask(admin, '{ auditEvents { nodes { action } } }');
    const sessions = auditEvents.nodes.filter(({ action }: { action: string }) =>
      action.startsWith('session.'),
    );
    assert.equal(sessions.length, 1, 'the fixture has logged in, and nobody else has tried');
  });

test('the same login twice is one login', async t => {
  const { run } = await startOperations(t);

  const { errors } = await run(
    null,
    `mutation ($input: LoginInput!) { login(input: $input) { token } login(input: $input) { expiresAt } }`,
    { input: ADMIN },
  );

  assert.deepEqual(errors, []);
});

test('a changed password ends earlier tokens and gives a new one; logging out ends that', async t => {
  const { run, ask, user } = await startOperations(t);
  const anna = await user('anna');
  const input = { username: 'anna', password: 'a new password' };
  const change = `mutation ($current: String!) { changePassword(input: {
    currentPassword: $current, newPassword: "a new password" }) { token viewer { username } } }`;

  const refused = await run(anna, change, { current: 'wrong' });
  assert.equal(refused.errors[0]!.extensions.code, 'UNAUTHENTICATED');
  const { changePassword } = await ask(anna, change, { current: 'password of anna' });
  assert.deepEqual(changePassword.viewer, { username: 'anna' });
  assert.deepEqual((await run(null, LOGIN, { input })).errors, []);
  assert.deepEqual(await ask(anna, 'mutation { logout { loggedOut } }'), { logout: { loggedOut: true } });
});
