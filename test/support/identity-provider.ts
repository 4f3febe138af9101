// An identity provider on a socket of its own: a discovery document, a set of keys, and tokens signed with them. It counts
// what is asked of it, and fails as a test tells it to.

import { type AsymmetricKeyDetails, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import jwt, { type Algorithm } from 'jsonwebtoken';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface SigningKey {
  readonly id: string;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const AUDIENCE = 'mcplane-at-work';

export function createSigningKey(
  id: string,
  algorithm: Algorithm = 'ES256',
  modulusLength: AsymmetricKeyDetails['modulusLength'] = 2_048,
): SigningKey {
  const pair = algorithm.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: modulusLength! });
  return { id, algorithm, ...pair };
}

export function toJwk({ id, publicKey }: SigningKey, more: object = {}): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), kid: id, use: 'sig', ...more };
}

export async function startIdentityProvider(t: TestContext) {
  const first = createSigningKey('first');
  /** Paths, in the order in which they were asked for. */
  const asked: string[] = [];
  const state: { keys: SigningKey[]; more: unknown[]; answer: Handler | undefined } = {
    keys: [first],
    more: [],
    answer: undefined,
  };
  const server = createServer((request, response) => {
    asked.push(request.url!);
    if (state.answer) return state.answer(request, response);
    const documents: Record<string, unknown> = {
      '/keys': { keys: [...state.more, ...state.keys.map(key => toJwk(key))] },
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
    };
    const document = documents[request.url!];
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });

  return {
    url,
    asked,
    state,
    key: first,
    /** How often the keys were asked for. */
    fetches: () => asked.filter(path => path === '/keys').length,
    /** A token of somebody, good for an hour, with these claims instead of the usual ones. */
    token(claims: object = {}, { key = first, header = {}, nowMs = Date.now() } = {}): string {
      const iat = Math.floor(nowMs / 1_000);
      const payload = {
        iss: url,
        aud: AUDIENCE,
        sub: 'subject-1',
        iat,
        exp: iat + 3_600,
        preferred_username: 'Anna',
        roles: ['staff'],
        ...claims,
      };
      return jwt.sign(JSON.stringify(payload), key.privateKey, {
        algorithm: key.algorithm,
        header: { alg: key.algorithm, typ: 'JWT', kid: key.id, ...header },
      });
    },
  };
}

export type TestIdentityProvider = Awaited<ReturnType<typeof startIdentityProvider>>;

/** What the configuration says of it, as the code has it. */
export function providerOf({ url }: Pick<TestIdentityProvider, 'url'>) {
  return {
    issuer: url,
    audiences: [AUDIENCE],
    jwksUrl: `${url}/keys`,
    usernameClaim: 'preferred_username',
    roleClaim: 'roles',
    roles: [
      { value: 'operators', role: 'ADMIN' },
      { value: 'staff', role: 'USER' },
    ],
    defaultRole: undefined,
  } as const;
}

/** And as the environment has it. */
export function environmentOf({ url }: Pick<TestIdentityProvider, 'url'>): Record<string, string> {
  return {
    MCPLANE_OIDC_ISSUER: url,
    MCPLANE_OIDC_AUDIENCE: AUDIENCE,
    MCPLANE_OIDC_ROLES: 'operators=ADMIN,staff=USER',
  };
}
