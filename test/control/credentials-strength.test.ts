// The small pure parts of identity: secrets, API keys, names, passwords.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createApiKeySecret,
  hashSecret,
  matchesHash,
  prefixOfSecret,
} from '../../src/control/api-key-secret.ts';
import {
  checkNewPassword,
  isPossiblePassword,
  parseLoginName,
  parseUsername,
} from '../../src/control/names-and-passwords.ts';
import { weakSecretReason } from '../../src/control/secret-strength.ts';
import { DEFAULT_PASSWORD_POLICY } from '../../src/domain/password-policy.ts';

test('a signing secret that is short, an example or repetitive is weak, and the reason does not quote it', () => {
  const weak = [
    '',
    'short',
    'x'.repeat(64),
    'ab'.repeat(32),
    'kV9x2LqT7wPz4RbN'.repeat(2),
    'your-256-bit-secret-goes-in-here-now',
    'your_jwt_secret_key_change_in_production',
    'super-secret-value-for-the-staging-box',
    'kV9x2LqT7wPzChangeMe4RbN8sYc1GmD5hJf',
    '0123456789abcdef0123456789abcdeF',
  ];
  for (const secret of weak) {
    const reason = weakSecretReason(secret);
    assert.ok(reason, `${secret} passes`);
    assert.ok(secret === '' || !reason.includes(secret));
  }
});

test('random secrets are strong in every usual spelling', () => {
  for (let round = 0; round < 200; round++) {
    const bytes = randomBytes(32);
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      assert.equal(weakSecretReason(bytes.toString(encoding)), undefined);
    }
  }
});

test('an API key has a public prefix, 256 random bits and a checksum, and is kept as a hash', () => {
  const { secret, prefix, hash } = createApiKeySecret();

  assert.match(secret, /^mcplane_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/);
  assert.equal(prefixOfSecret(secret), prefix);
  assert.ok(secret.startsWith(`${prefix}_`));
  assert.equal(hash, hashSecret(secret));
  assert.ok(!hash.includes(secret.slice(-20)));
  assert.equal(matchesHash(secret, hash), true);
  assert.equal(matchesHash(createApiKeySecret().secret, hash), false);
  assert.equal(matchesHash(secret, 'not a hash'), false);
});

test('a key with any one letter changed is told from a real one without the database', () => {
  const { secret } = createApiKeySecret();
  for (let index = 0; index < secret.length; index++) {
    const other = secret[index] === 'a' ? 'b' : 'a';
    assert.equal(prefixOfSecret(secret.slice(0, index) + other + secret.slice(index + 1)), undefined);
  }
  for (const junk of ['', 'mcplane_', `${secret}x`, ` ${secret}`, secret.slice(1), 'mcplane_../../_x']) {
    assert.equal(prefixOfSecret(junk), undefined);
  }
});

test('names are trimmed, composed and case-folded, and stay what they are when parsed again', () => {
  assert.equal(parseUsername('  Anna '), 'anna');
  assert.equal(parseUsername('ÅSA'), parseUsername('a\u030asa'));
  assert.equal(parseUsername('STRASSE'), parseUsername('straße'));
  assert.equal(parseUsername('STRAẞE'), parseUsername('straße'));
  assert.equal(parseUsername('ΟΔΥΣΣΕΥΣ'), parseUsername('οδυσσευς'));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 70 }), typed => {
      let name: string;
      try {
        name = parseUsername(typed);
      } catch {
        return;
      }
      assert.equal(parseUsername(name), name);
      assert.equal(parseLoginName(name), name, 'whoever has the name can log in with it');
    }),
  );
});

test('names that are empty, too long, or hide something are refused', () => {
  const bad = [
    '',
    '   ',
    'a b',
    'a\u0000b',
    'a\nb',
    'ad\u200bmin',
    'ad\u00admin',
    '\u202enimda',
    '\u3164',
    '\u2800',
    '\ud800',
    'x'.repeat(65),
    'x'.repeat(100_000),
  ];
  for (const name of bad) {
    assert.throws(() => parseUsername(name), { code: 'BAD_USER_INPUT' }, JSON.stringify(name.slice(0, 9)));
    assert.equal(parseLoginName(name), undefined);
  }
  assert.equal(parseUsername('x'.repeat(64)), 'x'.repeat(64));
});

test('at login letter case is forgiven, padding and look-alikes are not', () => {
  assert.equal(parseLoginName('Admin'), 'admin');
  assert.equal(parseLoginName(' admin'), undefined);
  assert.equal(parseLoginName('admin '), undefined);
  assert.equal(parseLoginName('ａｄｍｉｎ'), undefined);
});

test('a new password has 8 to 256 characters and is neither the name nor common', () => {
  const bad = ['', 'short77', 'x'.repeat(257), '🐴'.repeat(257), 'x'.repeat(1_000_000), '\ud800longenough'];
  bad.push(
    'anna.maria',
    'ANNA.MARIA',
    'Anna.Maria2026!',
    'admin123',
    'Password1',
    'password2026!',
    'aaaaaaaa',
    '12345678',
  );
  for (const password of bad) {
    assert.throws(
      () => checkNewPassword(DEFAULT_PASSWORD_POLICY, { password, username: 'anna.maria' }),
      { code: 'BAD_USER_INPUT' },
      password.slice(0, 20),
    );
  }
  for (const password of ['correct horse', '🐴🔋📎✂️🌧️🎈🎲🧵', `${'x7'.repeat(127)}yz`]) {
    checkNewPassword(DEFAULT_PASSWORD_POLICY, { password, username: 'anna.maria' });
  }
});

test('a new password is as long as the policy says, and one of before stays good for a login', () => {
  const policy = { minLength: 12, maxLength: 64 };
  const check = (password: string) => () => checkNewPassword(policy, { password, username: 'anna.maria' });

  for (const password of ['correct pony', '🐴🔋📎✂️🌧️🎈🎲🧵🥨🎺']) check(password)();
  for (const password of ['correct hen', `${'x7'.repeat(32)}y`])
    assert.throws(check(password), /must be 12 to 64 characters/);
  for (const password of ['8 chars!', `${'x7'.repeat(512)}`]) assert.ok(isPossiblePassword(password));
  for (const password of ['7 chars', `${'x7'.repeat(512)}y`]) assert.ok(!isPossiblePassword(password));
});
