// Tokens of the identity provider that an attacker may send. Each is refused without a reason, and none makes the server
// ask for anything elsewhere than at the provider.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import jwt from 'jsonwebtoken';
import { AUDIENCE, createSigningKey, toJwk } from '../support/identity-provider.ts';
import { startTokens } from './identity-setup.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());

test('every forged, altered or foreign token is refused, and nothing is asked for because of it', async t => {
  const elsewhere: string[] = [];
  const trap = createServer((request, response) => {
    elsewhere.push(request.url!);
    response.end(JSON.stringify({ keys: [toJwk(stranger)] }));
  });
  await new Promise<void>(resolve => trap.listen(0, '127.0.0.1', resolve));
  t.after(() => trap.close());
  const trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/keys`;
  const { idp, clock, verify, token } = await startTokens(t);
  const stranger = createSigningKey(idp.key.id);
  const rsa = createSigningKey('rsa', 'RS256');
  idp.state.keys.push(rsa);
  const genuine = token();
  assert.ok(await verify(genuine));
  assert.ok(await verify(token({}, { key: rsa })));
  const [head, body, signature] = genuine.split('.') as [string, string, string];
  const header = decode(head);
  const payload = decode(body);
  const seconds = clock.now() / 1_000;
  const without = (name: string) => token({ [name]: undefined });
  const unsigned = (alg: unknown) => `${encode({ ...header, alg })}.${body}.`;
  /** HMAC with what everybody can read: the public key, in each form somebody may have it. */
  const confused = (secret: string | Buffer, algorithm: 'HS256' | 'HS512' = 'HS256') =>
    jwt.sign(payload, secret, { algorithm, header: { alg: algorithm, typ: 'JWT', kid: rsa.id } });
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
  const der = rsa.publicKey.export({ type: 'spki', format: 'der' });

  const attacks: Record<string, string> = {
    'alg none': unsigned('none'),
    'alg NoNe': unsigned('NoNe'),
    'alg empty': unsigned(''),
    'alg missing': unsigned(undefined),
    'alg a list': unsigned(['ES256']),
    'alg none with the old signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
    'alg of another kind of key': `${encode({ ...header, alg: 'RS256' })}.${body}.${signature}`,
    'alg ES384': `${encode({ ...header, alg: 'ES384' })}.${body}.${signature}`,
    'alg RS512 by the right key': token({}, { key: { ...rsa, algorithm: 'RS512' } }),
    'HS256 with the public key as PEM': confused(pem),
    'HS256 with the public key as DER': confused(der),
    'HS256 with the public key as JWK': confused(JSON.stringify(toJwk(rsa))),
    'HS512 with the public key': confused(pem, 'HS512'),
    'HS256 with an empty key': confused('\0'),
    'signed by a stranger under our key id': token({}, { key: stranger }),
    'signed by a stranger under no key id': token({}, { key: stranger, header: { kid: undefined } }),
    'signature of zeros': `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
    'signature empty': `${head}.${body}.`,
    'signature cut': genuine.slice(0, -2),
    'signature of another token': `${head}.${body}.${token({ sub: 'x' }).split('.')[2]}`,
    'other subject, old signature': `${head}.${encode({ ...payload, sub: 'subject-2' })}.${signature}`,
    'other role, old signature': `${head}.${encode({ ...payload, roles: ['operators'] })}.${signature}`,
    'two parts': `${head}.${body}`,
    'five parts, as a JWE': `${genuine}.a.b`,
    'jku in the header': token({}, { key: stranger, header: { jku: trapUrl } }),
    'jku in the header, genuine': token({}, { header: { jku: trapUrl } }),
    'x5u in the header': token({}, { key: stranger, header: { x5u: trapUrl } }),
    'jwk in the header': token({}, { key: stranger, header: { jwk: toJwk(stranger) } }),
    'x5c in the header': token({}, { key: stranger, header: { x5c: ['AA'] } }),
    'crit in the header': token({}, { header: { crit: ['exp'] } }),
    'b64 false': token({}, { header: { b64: false } }),
    'zip in the header': token({}, { header: { zip: 'DEF' } }),
    'kid a URL': token({}, { key: stranger, header: { kid: trapUrl } }),
    'kid a path': token({}, { key: stranger, header: { kid: '../../../../dev/null' } }),
    'kid SQL': token({}, { key: stranger, header: { kid: "' or 1=1 --" } }),
    'kid __proto__': token({}, { key: stranger, header: { kid: '__proto__' } }),
    'kid empty': token({}, { key: stranger, header: { kid: '' } }),
    'kid an object': `${encode({ ...header, kid: { a: 1 } })}.${body}.${signature}`,
    'kid very long': token({}, { key: stranger, header: { kid: 'x'.repeat(4_000) } }),
    'typ of a logout token': token({}, { header: { typ: 'logout+jwt' } }),
    'typ of a proof': token({}, { header: { typ: 'dpop+jwt' } }),
    'a logout token': token({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
    'a refresh token': token({ typ: 'Refresh' }),
    'header null': `${encode(null)}.${body}.${signature}`,
    'header not JSON': `${Buffer.from('{').toString('base64url')}.${body}.${signature}`,
    'payload not JSON': jwt.sign('{', idp.key.privateKey, { algorithm: 'ES256', keyid: 'first' }),
    'payload null': jwt.sign('null', idp.key.privateKey, { algorithm: 'ES256', keyid: 'first' }),
    'payload a list': jwt.sign('[]', idp.key.privateKey, { algorithm: 'ES256', keyid: 'first' }),
    'iss wrong': token({ iss: 'https://evil.test' }),
    'iss with a slash': token({ iss: `${idp.url}/` }),
    'iss our own': token({ iss: 'mcplane' }),
    'iss a list': token({ iss: [idp.url] }),
    'iss where somebody listens': token({ iss: trapUrl }, { key: stranger }),
    'aud wrong': token({ aud: 'another-service' }),
    'aud our own': token({ aud: 'mcplane-api' }),
    'aud others': token({ aud: ['one', 'two'] }),
    'aud a part': token({ aud: `${AUDIENCE}x` }),
    'aud an object': token({ aud: { [AUDIENCE]: true } }),
    'exp past': token({ exp: seconds - 1 }),
    'exp now': token({ exp: seconds }),
    'exp a text': token({ exp: String(seconds + 60) }),
    'exp null': token({ exp: null }),
    'exp negative': token({ exp: -1 }),
    'exp a fraction': token({ exp: seconds + 60.5 }),
    'exp beyond all numbers': token({ exp: 1e300 }),
    'nbf ahead': token({ nbf: seconds + 31 }),
    'nbf a text': token({ nbf: String(seconds) }),
    'iat ahead': token({ iat: seconds + 31 }),
    'iat a text': token({ iat: String(seconds) }),
    'sub empty': token({ sub: '' }),
    'sub a number': token({ sub: 7 }),
    'sub an object': token({ sub: { $ne: null } }),
    'sub with NUL': token({ sub: 'subject-1\0' }),
    'sub very long': token({ sub: 'x'.repeat(256) }),
    'name a list': token({ preferred_username: ['admin'] }),
    'a token of tens of kB': token({ padding: 'x'.repeat(40_000) }),
    'space inside': `${head} .${body}.${signature}`,
    'space after': `${genuine} `,
    'NUL after': `${genuine}\0`,
    'JSON serialisation': JSON.stringify({ protected: head, payload: body, signature }),
    empty: '',
    dots: '..',
    deep: `${head}.${Buffer.from('['.repeat(5_000)).toString('base64url')}.${signature}`,
  };
  for (const name of ['iss', 'aud', 'exp', 'iat', 'sub']) attacks[`${name} missing`] = without(name);

  for (const [name, attack] of Object.entries(attacks))
    await t.test(name, async () => assert.equal(await verify(attack), undefined));

  assert.equal((await verify(genuine))?.subject, 'subject-1', 'the genuine token works after all that');
  assert.ok(await verify(token({ aud: ['another', AUDIENCE] })), 'for several audiences, one of them ours');
  assert.ok(await verify(token({ nbf: seconds + 30, iat: seconds + 30 })), 'a clock that is ahead a little');
  assert.ok(await verify(token({}, { header: { typ: 'at+jwt', x5t: 'AA' } })));
  assert.ok(await verify(token({ typ: 'Bearer' }, { header: { typ: undefined } })));
  assert.deepEqual(elsewhere, [], 'nobody else was asked');
  assert.deepEqual(
    idp.asked.filter(path => path !== '/keys'),
    [],
  );
  assert.equal(idp.fetches(), 1, 'and the provider once, whatever the ids of keys were');
});
