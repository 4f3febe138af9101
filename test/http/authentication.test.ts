// Which credentials count, in which clothes, and whose address is believed.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { createAddressReader, createAuthenticator } from '../../src/http/authentication.ts';
import { startMembers } from '../support/members.ts';

test('a bearer token and an API key are accepted in the header, the scheme in any case', async t => {
  const { members, login } = await startMembers(t);
  const { token, actor } = await login();
  const { secret } = await members.createApiKey(actor, { name: 'key' });
  const { authenticate } = createAuthenticator(members);

  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR  ']) {
    assert.deepEqual(await authenticate(`${scheme} ${token}`), { kind: 'actor', actor });
  }
  const byKey = await authenticate(`Bearer ${secret}`);
  assert.ok(byKey.kind === 'actor');
  assert.deepEqual([byKey.actor.userId, byKey.actor.credential.kind], [actor.userId, 'apiKey']);
});

test('whatever else claims an identity is no credential', async t => {
  const { members, login } = await startMembers(t);
  const { token } = await login();
  const { authenticate, authenticateSocket } = createAuthenticator(members);
  const basic = Buffer.from(`root.admin:${token}`).toString('base64');

  for (const header of [undefined, '', token, `Basic ${basic}`, 'Bearer', 'Bearer ', `Token ${token}`]) {
    assert.deepEqual(await authenticate(header), { kind: 'none' }, header?.slice(0, 10));
  }
  const claims = {
    'x-user-id': 'usr_1',
    'x-role': 'ADMIN',
    'x-forwarded-user': 'root.admin',
    cookie: `token=${token}`,
  };
  assert.deepEqual(await authenticateSocket(undefined, claims), { kind: 'none' });
});

test('a credential that is wrong in any way is invalid, and nothing more is said', async t => {
  const { members, login } = await startMembers(t);
  const { token, actor } = await login();
  const { authenticate } = createAuthenticator(members);
  await members.logout(actor);

  for (const credential of [
    token,
    `${token}x`,
    'null',
    'x'.repeat(100_000),
    'mcplane_abc',
    '../../etc/passwd',
  ]) {
    assert.deepEqual(await authenticate(`Bearer ${credential}`), { kind: 'invalid' });
  }
});

test('a socket may send it in its first message, as authorization or as token, or with the upgrade', async t => {
  const { members, login } = await startMembers(t);
  const { token, actor } = await login();
  const { authenticateSocket } = createAuthenticator(members);
  const bearer = `Bearer ${token}`;

  for (const params of [{ authorization: bearer }, { Authorization: bearer }, { token }]) {
    assert.deepEqual(await authenticateSocket(params, {}), { kind: 'actor', actor });
  }
  assert.deepEqual(await authenticateSocket(undefined, { authorization: bearer }), { kind: 'actor', actor });
  assert.deepEqual(await authenticateSocket({ token: 'wrong' }, { authorization: bearer }), {
    kind: 'invalid',
  });
  for (const params of [
    undefined,
    {},
    { token: 7 },
    { authorization: [bearer] },
    { headers: { authorization: bearer } },
  ]) {
    assert.deepEqual(await authenticateSocket(params, {}), { kind: 'none' });
  }
  assert.deepEqual(await authenticateSocket(Object.create({ token }), {}), { kind: 'none' }, 'own keys only');
});

/** As node:http gives it: the peer of the socket and the header. */
function requestFrom(remoteAddress: string | undefined, forwardedFor?: string) {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

test('the address is that of the socket, and forwarded ones are ignored by default', () => {
  const addressOf = createAddressReader([]);

  assert.equal(addressOf(requestFrom('192.0.2.7', '198.51.100.1')), '192.0.2.7');
  assert.equal(addressOf(requestFrom('::ffff:192.0.2.7')), '192.0.2.7');
  assert.equal(addressOf(requestFrom('fe80::1%eth0')), 'fe80::1');
  assert.equal(addressOf(requestFrom(undefined)), 'unknown');
});

test('behind trusted proxies the client is the last that none of them is', () => {
  const addressOf = createAddressReader(['10.0.0.0/8', '127.0.0.1', '2001:db8::/32']);

  assert.equal(addressOf(requestFrom('10.1.1.1', '198.51.100.1')), '198.51.100.1');
  assert.equal(addressOf(requestFrom('::ffff:10.1.1.1', '198.51.100.1')), '198.51.100.1');
  assert.equal(addressOf(requestFrom('127.0.0.1', 'forged, 198.51.100.1, 10.2.2.2')), '198.51.100.1');
  assert.equal(addressOf(requestFrom('2001:db8::1', '203.0.113.9, 198.51.100.1')), '198.51.100.1');
  assert.equal(addressOf(requestFrom('192.0.2.7', '198.51.100.1')), '192.0.2.7', 'no proxy of ours');
  assert.equal(addressOf(requestFrom('10.1.1.1', 'not an address')), '10.1.1.1');
  assert.equal(addressOf(requestFrom('10.1.1.1', '')), '10.1.1.1');
  assert.equal(addressOf(requestFrom('10.1.1.1', '10.3.3.3, 10.2.2.2')), '10.3.3.3');
});

test('a proxy that is no network is named when the server starts', () => {
  for (const network of ['10.0.0.0/33', 'proxy.test', '10.0.0.0/8/8', '10.0.0.0/', '::/129', '']) {
    assert.throws(() => createAddressReader([network]), /neither an address nor a network/, network);
  }
});
