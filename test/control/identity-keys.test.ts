// Fetching the keys of an identity provider: from where, how often, how much, and what remains when that fails.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ALGORITHMS, createIdentityKeys } from '../../src/control/identity-keys.ts';
import { createTestClock } from '../support/clock.ts';
import {
  createSigningKey,
  providerOf,
  startIdentityProvider,
  type TestIdentityProvider,
  toJwk,
} from '../support/identity-provider.ts';

async function start(t: TestContext, { discovered = false, fetchTimeoutMs = 5_000 } = {}) {
  const idp = await startIdentityProvider(t);
  const clock = createTestClock();
  const warnings: string[] = [];
  const provider = { ...providerOf(idp), ...(discovered && { jwksUrl: undefined }) };
  const log = { warn: ({ error }: { error?: Error }) => void warnings.push(error!.message) };
  return { idp, clock, warnings, keys: createIdentityKeys({ provider, clock, log, fetchTimeoutMs }) };
}

test('keys are fetched once and kept, and found by their id and algorithm', async t => {
  const { idp, keys } = await start(t);

  await Promise.all([keys.refetch(), keys.refetch(), keys.refetch()]);

  const found = keys.find('first', 'ES256');
  assert.ok(found);
  assert.ok(found.equals(idp.key.publicKey));
  assert.equal(keys.has(found), true);
  assert.equal(keys.find('first', 'RS256'), undefined);
  assert.equal(keys.find('second', 'ES256'), undefined);
  assert.equal(keys.find('__proto__', 'ES256'), undefined);
  assert.deepEqual(idp.asked, ['/keys']);
});

test('where they are is read in the discovery document, which has to be of the issuer', async t => {
  const { idp, keys, clock, warnings } = await start(t, { discovered: true });

  await keys.refetch();
  assert.ok(keys.find('first', 'ES256'));
  assert.deepEqual(idp.asked, ['/.well-known/openid-configuration', '/keys']);

  const lies = [
    { issuer: 'https://another.test', jwks_uri: `${idp.url}/keys` },
    { issuer: `${idp.url}/`, jwks_uri: `${idp.url}/keys` },
    { issuer: idp.url, jwks_uri: 'file:///etc/passwd' },
    { issuer: idp.url },
    null,
  ];
  for (const lie of lies) {
    idp.state.answer = (_request, response) => response.end(JSON.stringify(lie));
    clock.advance(30_000);
    await keys.refetch();
  }
  assert.equal(idp.fetches(), 1);
  assert.equal(warnings.length, lies.length);
});

test('a key that is not known is looked for at most every 30 seconds', async t => {
  const { idp, keys, clock } = await start(t);
  await keys.refetch();
  const second = createSigningKey('second');
  idp.state.keys.push(second);

  for (let time = 0; time < 50; time += 1) await keys.refetch();
  clock.advance(29_999);
  await keys.refetch();
  assert.deepEqual([keys.find('second', 'ES256'), idp.fetches()], [undefined, 1]);

  clock.advance(1);
  await keys.refetch();
  assert.ok(keys.find('second', 'ES256'));
  assert.equal(idp.fetches(), 2);
});

test('after ten minutes they are fetched anew behind what goes on, and a withdrawn one is gone', async t => {
  const { idp, keys, clock } = await start(t);
  const second = createSigningKey('second');
  idp.state.keys.push(second);
  await keys.refetch();
  const [one, two] = [keys.find('first', 'ES256')!, keys.find('second', 'ES256')!];
  idp.state.keys = [idp.key];

  clock.advance(599_999);
  assert.deepEqual([keys.has(two), idp.fetches()], [true, 1]);
  clock.advance(1);
  assert.equal(keys.has(two), true, 'nobody waits for it');
  await keys.refetch();

  assert.deepEqual([keys.has(one), keys.has(two), idp.fetches()], [true, false, 2]);
});

test('whatever goes wrong, the keys that are known stay', async t => {
  const { idp, keys, clock, warnings } = await start(t, { fetchTimeoutMs: 200 });
  await keys.refetch();
  const found = keys.find('first', 'ES256')!;
  const elsewhere = await startIdentityProvider(t);
  const big = JSON.stringify({ keys: [toJwk(idp.key)], padding: 'x'.repeat(300_000) });
  const failures: Record<string, TestIdentityProvider['state']['answer']> = {
    'an error': (_request, response) => response.writeHead(503).end('{}'),
    'an error with keys': (_request, response) =>
      response.writeHead(500).end(JSON.stringify({ keys: [toJwk(createSigningKey('first'))] })),
    'a redirect': (_request, response) =>
      response.writeHead(302, { location: `${elsewhere.url}/keys` }).end(),
    'too much': (_request, response) => response.end(big),
    'too much in pieces': (_request, response) => {
      for (let at = 0; at < big.length; at += 1_000) response.write(big.slice(at, at + 1_000));
      response.end();
    },
    'no end': (_request, response) => response.writeHead(200).write('{"keys": ['),
    silence: () => {},
    'a cut': (_request, response) => response.destroy(),
    'no JSON': (_request, response) => response.end('<html>'),
    'no set': (_request, response) => response.end('[]'),
    'an empty set': (_request, response) => response.end('{"keys": []}'),
  };

  for (const [name, answer] of Object.entries(failures)) {
    idp.state.answer = answer;
    clock.advance(30_000);
    const before = warnings.length;
    await keys.refetch();
    assert.equal(warnings.length, before + 1, name);
    assert.equal(keys.find('first', 'ES256'), found, name);
  }
  assert.equal(elsewhere.fetches(), 0, 'the redirect was not followed');

  idp.state.answer = undefined;
  clock.advance(30_000);
  await keys.refetch();
  assert.equal(warnings.length, Object.keys(failures).length);
  assert.equal(keys.find('first', 'ES256'), found, 'the same key is the same object');
});

test('of a set only keys count that can verify what we accept', async t => {
  const { idp, keys } = await start(t);
  const rsa = createSigningKey('rsa', 'RS256');
  idp.state.more = [
    { kty: 'oct', kid: 'secret', k: 'c2VjcmV0', alg: 'HS256' },
    { kty: 'OKP', kid: 'ed', crv: 'Ed25519', x: 'AA' },
    { kty: 'EC', kid: 'p384', crv: 'P-384', x: 'AA', y: 'AA' },
    { kty: 'EC', kid: 'broken', crv: 'P-256', x: 'AA', y: 'AA' },
    toJwk(createSigningKey('short', 'RS256', 1_024)),
    toJwk(rsa, { kid: 'encryption', use: 'enc' }),
    toJwk(rsa, { kid: 'for signing', key_ops: ['sign'] }),
    toJwk(rsa, { kid: 'HS', alg: 'HS256' }),
    toJwk(rsa, { kid: 7 }),
    toJwk(rsa, { kid: '' }),
    toJwk(rsa, { kid: 'pss', alg: 'PS256' }),
    toJwk(rsa, { kid: 'any', use: undefined }),
    { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'private' },
    null,
    'text',
  ];
  idp.state.keys = [];

  await keys.refetch();

  const usable = [
    'secret',
    'ed',
    'p384',
    'broken',
    'short',
    'encryption',
    'for signing',
    'HS',
    '7',
    '',
    'pss',
    'any',
    'private',
  ]
    .map(id => [id, ALGORITHMS.filter(algorithm => keys.find(id, algorithm))] as const)
    .filter(([, algorithms]) => algorithms.length > 0);
  assert.deepEqual(usable, [
    ['pss', ['PS256']],
    ['any', ['RS256', 'PS256']],
    ['private', ['RS256', 'PS256']],
  ]);
  assert.equal(keys.find('private', 'RS256')?.type, 'public');
});
