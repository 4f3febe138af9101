// Who calls, and from where: a bearer token or API key in the Authorization header, or in the first message of a
// socket. Whatever else claims an identity (the URL, Basic, X-User-Id, cookies) is not looked at.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Members } from '../control/members.ts';
import type { Actor } from '../domain/access.ts';
import { isIn, toAddress } from './networks.ts';

/** HTTP treats the first two alike, so that nobody learns which; a socket is refused only with a wrong credential. */
export type Authentication =
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'actor'; readonly actor: Actor };

export interface Authenticator {
  /** For the value of an Authorization header, however it came. */
  authenticate(authorization: string | undefined): Promise<Authentication>;
  /** For the connection parameters of graphql-ws, else the headers of the upgrade. */
  authenticateSocket(
    connectionParams: Readonly<Record<string, unknown>> | undefined,
    headers: IncomingHttpHeaders,
  ): Promise<Authentication>;
}

/** Session tokens have about 400 characters, API keys 66; tokens of an identity provider some thousand. */
const MAX_CREDENTIAL_LENGTH = 8_192;
const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

export function createAuthenticator(members: Pick<Members, 'authenticate'>): Authenticator {
  async function check(credential: string | undefined): Promise<Authentication> {
    if (credential === undefined) return { kind: 'none' };
    if (credential.length > MAX_CREDENTIAL_LENGTH) return { kind: 'invalid' };
    const actor = await members.authenticate(credential);
    return actor ? { kind: 'actor', actor } : { kind: 'invalid' };
  }
  const authenticate = (authorization: string | undefined) => check(bearerOf(authorization));

  return {
    authenticate,
    authenticateSocket: async (connectionParams, headers) =>
      check(credentialIn(connectionParams) ?? bearerOf(headers.authorization)),
  };
}

function bearerOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
}

/** `authorization` as the header would be, in either case; or the bare credential as `token`. */
function credentialIn(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const read = (name: string) => {
    const value = params && Object.hasOwn(params, name) ? params[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  return bearerOf(read('authorization') ?? read('Authorization')) ?? read('token');
}

/** The client's address. X-Forwarded-For counts only as far as trusted proxies wrote it: anybody can send one. */
export function createAddressReader(
  trustedProxies: readonly string[],
): (httpRequest: Pick<IncomingMessage, 'headers' | 'socket'>) => string {
  const isTrusted = isIn(trustedProxies);
  // What follows from the connection is worked out once for all its requests.
  const peers = new WeakMap<object, { readonly address: string; readonly isProxy: boolean }>();
  const peerOf = (socket: Pick<Socket, 'remoteAddress'>) => {
    const address = toAddress(socket.remoteAddress ?? '');
    const peer = { address: address ?? 'unknown', isProxy: address !== undefined && isTrusted(address) };
    // A connection that is gone has none.
    if (address !== undefined) peers.set(socket, peer);
    return peer;
  };
  return ({ headers, socket }) => {
    const peer = peers.get(socket) ?? peerOf(socket);
    let { address } = peer;
    if (!peer.isProxy) return address;
    // Each proxy appends whom it heard: from the end, the first that is no proxy of ours is the client.
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    while (isTrusted(address)) {
      const earlier = toAddress(forwarded.pop()?.trim() ?? '');
      if (earlier === undefined) break;
      address = earlier;
    }
    return address;
  };
}
