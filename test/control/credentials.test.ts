// Tokens an attacker may send, passwords, and the queue that keeps hashing from taking the machine.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import argon2 from 'argon2';
import jwt, { type SignOptions } from 'jsonwebtoken';
import { argon2idHasher, createCredentials, type PasswordHasher } from '../../src/control/credentials.ts';
import { createTestClock } from '../support/clock.ts';

const SECRET = 'kV9x2LqT7wPz4RbN8sYc1GmD5hJf0EaU';
const CLAIMS = { userId: 'user-1', sessionId: 'session-1', tokenVersion: 3, expiresAtMs: 0 };

/** Hashes nothing and remembers what it was asked. */
function createCountingHasher() {
  const verified: string[] = [];
  const hasher: PasswordHasher = {
    hash: async password => `hash of ${password}`,
    verify: async (hash, password) => {
      verified.push(hash);
      return hash === `hash of ${password}`;
    },
    needsRehash: () => false,
  };
  return { hasher, verified };
}

async function createTokens(secret = SECRET) {
  const clock = createTestClock();
  const { hasher } = createCountingHasher();
  const credentials = await createCredentials({ jwtSecretKey: secret, clock, hasher });
  const claims = { ...CLAIMS, expiresAtMs: clock.now() + 60_000 };
  return { clock, credentials, claims, token: credentials.signSession(claims) };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());

test('a genuine token gives its claims until the second it expires, also from the cache', async () => {
  const { clock, credentials, claims, token } = await createTokens();

  assert.deepEqual(credentials.verifySession(token), claims);
  assert.deepEqual(credentials.verifySession(token), claims);

  clock.advance(59_999);
  assert.deepEqual(credentials.verifySession(token), claims);
  clock.advance(1);
  assert.equal(credentials.verifySession(token), undefined);
});

test('the token names issuer, audience, kind and times, and no role', async () => {
  const { clock, token } = await createTokens();

  const payload = decode(token.split('.')[1]!);

  assert.deepEqual(payload, {
    typ: 'session',
    ver: 3,
    iat: clock.now() / 1_000,
    exp: clock.now() / 1_000 + 60,
    iss: 'mcplane',
    aud: 'mcplane-api',
    sub: 'user-1',
    jti: 'session-1',
  });
});

test('every forged, altered or incomplete token is refused without a throw', async t => {
  const { clock, credentials, token } = await createTokens();
  const [head, body, signature] = token.split('.') as [string, string, string];
  const header = decode(head);
  const payload = decode(body);
  const seconds = clock.now() / 1_000;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });

  /** Signed with the right key, with these claims and header instead of ours. */
  const signed = (claims: object | string, extraHeader: object = {}, options: SignOptions = {}) =>
    jwt.sign(claims, SECRET, {
      algorithm: 'HS256',
      ...options,
      header: { alg: 'HS256', typ: 'JWT', kid: header.kid, ...extraHeader },
    });
  const without = (name: string) => {
    const { [name]: _, ...rest } = payload;
    return jwt.sign(rest, SECRET, { noTimestamp: name === 'iat', keyid: header.kid });
  };
  const unsigned = (alg: unknown) => `${encode({ ...header, alg })}.${body}.`;

  const attacks: Record<string, string> = {
    'alg none': unsigned('none'),
    'alg NoNe': unsigned('NoNe'),
    'alg empty': unsigned(''),
    'alg missing': unsigned(undefined),
    'alg a number': unsigned(1),
    'alg none with the old signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
    'no signature': `${head}.${body}.`,
    'two parts': `${head}.${body}`,
    'four parts': `${token}.x`,
    'five parts, as a JWE': `${head}.${body}.${signature}.a.b`,
    'signature cut': token.slice(0, -1),
    'signature with another last letter': `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
    'signature with trailing bits set': `${token.slice(0, -1)}${String.fromCharCode(token.charCodeAt(token.length - 1) + 1)}`,
    'other subject, old signature': `${head}.${encode({ ...payload, sub: 'user-2' })}.${signature}`,
    'key empty': jwt.sign(payload, '\0', { keyid: header.kid }),
    'key common': jwt.sign(payload, 'secret', { keyid: header.kid }),
    HS384: signed(payload, { alg: 'HS384' }, { algorithm: 'HS384' }),
    HS512: signed(payload, { alg: 'HS512' }, { algorithm: 'HS512' }),
    'RS256 by a stranger': jwt.sign(payload, rsa.privateKey, { algorithm: 'RS256', keyid: header.kid }),
    'ES256 with a signature of zeros': `${encode({ ...header, alg: 'ES256' })}.${body}.${Buffer.alloc(64).toString('base64url')}`,
    'kid missing': jwt.sign(payload, SECRET),
    'kid path': signed(payload, { kid: '../../../../dev/null' }),
    'kid __proto__': signed(payload, { kid: '__proto__' }),
    'kid SQL': signed(payload, { kid: "' or 1=1 --" }),
    'kid URL': signed(payload, { kid: 'http://127.0.0.1/key' }),
    'kid empty': signed(payload, { kid: '' }),
    'kid object': `${encode({ ...header, kid: { a: 1 } })}.${body}.${signature}`,
    'jwk in the header': signed(payload, { jwk: { kty: 'oct', k: 'AA' } }),
    'jku in the header': signed(payload, { jku: 'http://127.0.0.1/keys' }),
    'crit in the header': signed(payload, { crit: ['exp'] }),
    'b64 false': signed(payload, { b64: false }),
    'header null': `${encode(null)}.${body}.${signature}`,
    'header a number': `${encode(1)}.${body}.${signature}`,
    'header not JSON': `${Buffer.from('{').toString('base64url')}.${body}.${signature}`,
    'payload a string': signed('user-1'),
    'payload null': signed('null'),
    'payload an array': signed('[]'),
    'exp past': signed({ ...payload, exp: seconds - 1 }),
    'exp now': signed({ ...payload, exp: seconds }),
    'exp negative': `${head}.${encode({ ...payload, exp: -1 })}.${signature}`,
    'exp a fraction': signed(JSON.stringify({ ...payload, exp: seconds + 60.5 })),
    'exp a string': signed(JSON.stringify({ ...payload, exp: String(seconds + 60) })),
    'exp null': signed(JSON.stringify({ ...payload, exp: null })),
    'nbf ahead': signed({ ...payload, nbf: seconds + 60 }),
    'exp missing': without('exp'),
    'iat missing': without('iat'),
    'iss missing': without('iss'),
    'aud missing': without('aud'),
    'sub missing': without('sub'),
    'jti missing': without('jti'),
    'typ missing': without('typ'),
    'ver missing': without('ver'),
    'iss wrong': signed({ ...payload, iss: 'https://evil.test' }),
    'aud wrong': signed({ ...payload, aud: 'mcplane' }),
    'aud one of several': signed({ ...payload, aud: ['mcplane-api', 'other'] }),
    'sub an object': signed(JSON.stringify({ ...payload, sub: { $ne: null } })),
    'typ of another kind': signed({ ...payload, typ: 'setup' }),
    'ver a string': signed({ ...payload, ver: '3' }),
    'a token of tens of kB': signed({ ...payload, padding: 'x'.repeat(40_000) }),
    'space inside': `${head} .${body}.${signature}`,
    'space after': `${token} `,
    'NUL after': `${token}\0`,
    'JSON serialisation': JSON.stringify({ protected: head, payload: body, signature }),
    empty: '',
    dots: '..',
    deep: `${Buffer.from('['.repeat(700)).toString('base64url')}.${body}.${signature}`,
  };
  for (const [name, attack] of Object.entries(attacks)) {
    await t.test(name, () => assert.equal(credentials.verifySession(attack), undefined));
  }
  assert.equal(credentials.verifySession(token)?.userId, 'user-1', 'the genuine token works after all that');
  assert.ok(credentials.verifySession(signed(payload)), 'and the attacks were signed with the right key');
});

test('a token of another secret is refused', async () => {
  const ours = await createTokens();
  const theirs = await createTokens('AnotherSecretOf32BytesOrMore9x7z');

  assert.equal(ours.credentials.verifySession(theirs.token), undefined);
});

test('while the secret is replaced tokens of both are accepted until they expire, and the new one signs', async () => {
  const [old, fresh] = [SECRET, 'AnotherSecretOf32BytesOrMore9x7z'];
  const clock = createTestClock();
  const { hasher } = createCountingHasher();
  const start = (jwtSecretKey: string, previousJwtSecretKey?: string) =>
    createCredentials({ jwtSecretKey, previousJwtSecretKey, clock, hasher });
  const [before, announced, swapped, after] = [
    await start(old),
    await start(old, fresh),
    await start(fresh, old),
    await start(fresh),
  ];
  const claims = { ...CLAIMS, expiresAtMs: clock.now() + 60_000 };
  const [ofOld, ofNew] = [announced.signSession(claims), swapped.signSession(claims)];
  const verdicts = (token: string) =>
    [before, announced, swapped, after].map(each => each.verifySession(token)?.userId);

  assert.equal(before.signSession(claims), ofOld);
  assert.equal(after.signSession(claims), ofNew);
  assert.deepEqual(verdicts(ofOld), ['user-1', 'user-1', 'user-1', undefined]);
  assert.deepEqual(verdicts(ofNew), [undefined, 'user-1', 'user-1', 'user-1']);
  const [head, body] = ofOld.split('.') as [string, string];
  const crossed = jwt.sign(decode(body), fresh, { keyid: decode(head).kid });
  assert.deepEqual(verdicts(crossed), Array(4).fill(undefined), "signed with one under the other's name");

  clock.advance(60_000);
  assert.deepEqual([...verdicts(ofOld), ...verdicts(ofNew)], Array(8).fill(undefined));
});

test('passwords are kept as argon2id with the parameters of today', async () => {
  const hash = await argon2idHasher.hash('correct horse');

  assert.match(hash, /^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
  assert.equal(await argon2idHasher.verify(hash, 'correct horse'), true);
  assert.equal(await argon2idHasher.verify(hash, 'wrong horse'), false);
  assert.equal(argon2idHasher.needsRehash(hash), false);
  const weaker = await argon2.hash('correct horse', { memoryCost: 8_192, timeCost: 2, parallelism: 1 });
  assert.equal(argon2idHasher.needsRehash(weaker), true);
});

test('a hash that is garbage, and no hash at all, verify as wrong', async () => {
  const credentials = await createCredentials({ jwtSecretKey: SECRET, clock: createTestClock() });

  assert.equal(await credentials.verifyPassword('garbage', 'correct horse'), false);
  assert.equal(await credentials.verifyPassword('', 'correct horse'), false);
  assert.equal(await credentials.verifyPassword(undefined, 'correct horse'), false);
});

test('somebody who does not exist costs one verification, like everybody else', async () => {
  const { hasher, verified } = createCountingHasher();
  const credentials = await createCredentials({ jwtSecretKey: SECRET, clock: createTestClock(), hasher });

  assert.equal(await credentials.verifyPassword(undefined, 'correct horse'), false);
  assert.equal(await credentials.verifyPassword('hash of another horse', 'correct horse'), false);

  assert.equal(verified.length, 2);
  assert.match(verified[0]!, /^hash of [\w-]{43}$/, 'of a random password made at start');
});

test('the same password composed differently is the same', async () => {
  const { hasher } = createCountingHasher();
  const credentials = await createCredentials({ jwtSecretKey: SECRET, clock: createTestClock(), hasher });

  const hash = await credentials.hashPassword('caf\u00e9 au lait');

  assert.equal(await credentials.verifyPassword(hash, 'cafe\u0301 au lait'), true);
});

test('two passwords are hashed at a time, 32 wait their turn, and the next is told to come back', async () => {
  let running = 0;
  let most = 0;
  const releases: (() => void)[] = [];
  const hasher: PasswordHasher = {
    hash: async () => 'the hash',
    async verify() {
      most = Math.max(most, ++running);
      await new Promise<void>(resolve => releases.push(resolve));
      running -= 1;
      return true;
    },
    needsRehash: () => false,
  };
  const credentials = await createCredentials({ jwtSecretKey: SECRET, clock: createTestClock(), hasher });

  const logins = Array.from({ length: 34 }, () => credentials.verifyPassword('the hash', 'pw'));
  await assert.rejects(credentials.verifyPassword('the hash', 'pw'), {
    code: 'RATE_LIMITED',
    retryAfterMs: 1_000,
  });

  for (let done = 0; done < 34; ) {
    const batch = releases.splice(0);
    for (const release of batch) release();
    done += batch.length;
    await new Promise(resolve => setImmediate(resolve));
  }
  assert.deepEqual(new Set(await Promise.all(logins)), new Set([true]));
  assert.equal(most, 2);
  const afterwards = credentials.verifyPassword('the hash', 'pw');
  releases.pop()?.();
  assert.equal(await afterwards, true, 'and there is room again');
});
