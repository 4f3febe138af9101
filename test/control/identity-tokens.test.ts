// Tokens of the identity provider: what a genuine one says, by which keys, and for how long these are believed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSigningKey } from '../support/identity-provider.ts';
import { startTokens } from './identity-setup.ts';

test('a genuine token says who somebody is, what they may and until when, also from the cache', async t => {
  const { idp, clock, verify, token } = await startTokens(t);
  const genuine = token();
  const said = {
    issuer: idp.url,
    subject: 'subject-1',
    username: 'Anna',
    role: 'USER',
    issuedAtMs: clock.now(),
    expiresAtMs: clock.now() + 3_600_000,
  };

  const { tokenId, ...claims } = (await verify(genuine))!;
  assert.deepEqual(claims, said);
  assert.match(tokenId, /^[\w-]{22}$/);
  assert.deepEqual(await verify(genuine), { ...said, tokenId });

  clock.advance(3_599_999);
  assert.ok(await verify(genuine));
  clock.advance(1);
  assert.equal(await verify(genuine), undefined);
});

for (const algorithm of ['RS256', 'PS256', 'ES256'] as const)
  test(`${algorithm} is accepted, by a key that came after the others too`, async t => {
    const { idp, clock, verify, token } = await startTokens(t);
    assert.ok(await verify(token()));
    const key = createSigningKey('another', algorithm);
    assert.equal(await verify(token({}, { key })), undefined, 'not published');

    idp.state.keys.push(key);
    clock.advance(30_000);

    assert.equal((await verify(token({}, { key })))?.subject, 'subject-1');
    assert.ok(await verify(token()));
  });

test('names and roles are read from the claims that the settings name', async t => {
  const { verify, token } = await startTokens(t, {
    usernameClaim: 'email',
    roleClaim: 'realm_access.roles',
    defaultRole: undefined,
  });
  const rolesOf = async (claims: object) => (await verify(token(claims)))?.role;

  assert.equal((await verify(token({ email: 'anna@example.test' })))?.username, 'anna@example.test');
  assert.equal((await verify(token()))?.username, 'subject-1', 'sub where there is none');
  assert.equal(
    await rolesOf({ realm_access: { roles: ['staff', 'operators'] } }),
    'ADMIN',
    'the first mapped',
  );
  assert.equal(await rolesOf({ realm_access: { roles: ['staff'] } }), 'USER');
  assert.equal(await rolesOf({ realm_access: { roles: 'openid staff' } }), 'USER');
  assert.equal(await rolesOf({ 'realm_access.roles': ['operators'] }), 'ADMIN');
  for (const claims of [
    { roles: ['operators'] },
    { realm_access: { roles: ['OPERATORS', 'staffers', ''] } },
    { realm_access: { roles: { operators: true } } },
    { realm_access: { roles: [['operators']] } },
    { realm_access: ['roles'] },
    { realm_access: null },
  ])
    assert.equal(await rolesOf(claims), undefined, JSON.stringify(claims));
});

test('no key is fetched for a token that would be refused anyway', async t => {
  const { idp, clock, verify, token } = await startTokens(t);
  const hopeless = [
    token({ iss: 'https://evil.test' }),
    token({ aud: 'another' }),
    token({ exp: clock.now() / 1_000 - 1 }),
    token({}, { header: { jku: idp.url } }),
    'not.a.token',
  ];

  for (const each of hopeless) assert.equal(await verify(each), undefined);

  assert.equal(idp.fetches(), 0);
  assert.ok(await verify(token()));
});

test('the tokens of a key that was withdrawn end with it', async t => {
  const { idp, clock, verify, token } = await startTokens(t);
  const second = createSigningKey('second');
  idp.state.keys.push(second);
  const [one, two] = [token(), token({}, { key: second })];
  assert.ok((await verify(one)) && (await verify(two)));

  idp.state.keys = [idp.key];
  clock.advance(600_000);
  await verify(one);
  // A token with an unknown key waits for the fetch that is under way.
  await verify(token({}, { key: createSigningKey('third') }));

  assert.deepEqual([(await verify(one))?.subject, await verify(two)], ['subject-1', undefined]);
});

test('while the provider is away its tokens are accepted, those of new keys when it is back', async t => {
  const { idp, clock, verify, token } = await startTokens(t);
  assert.ok(await verify(token()));
  idp.state.answer = (_request, response) => response.destroy();
  const second = createSigningKey('second');

  clock.advance(3_600_000);
  assert.ok(await verify(token()));
  assert.equal(await verify(token({}, { key: second })), undefined);

  idp.state.answer = undefined;
  idp.state.keys.push(second);
  clock.advance(30_000);
  assert.ok(await verify(token({}, { key: second })));
});

test('a provider that was away at the start is asked again with the next token', async t => {
  const { idp, clock, verify, token } = await startTokens(t);
  idp.state.answer = (_request, response) => response.writeHead(502).end();
  assert.equal(await verify(token()), undefined);
  idp.state.answer = undefined;

  assert.equal(await verify(token()), undefined, 'not yet: it was asked just now');
  clock.advance(30_000);
  assert.ok(await verify(token()));
});
