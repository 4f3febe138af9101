// Where a request comes from: the page that sent it (CSRF, CORS, cross-site sockets) and the address it has.

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

export interface OriginPolicy {
  /** The listed or own Origin of the request, to be repeated in CORS headers; undefined otherwise. */
  allowedOrigin(request: IncomingMessage): string | undefined;
  /** A page of another site sent this. */
  isForeign(request: IncomingMessage): boolean;
}

export function createOriginPolicy(corsOrigins: readonly string[]): OriginPolicy {
  const listed = new Set(corsOrigins.map(origin => origin.toLowerCase().replace(/\/$/, '')));
  function allowedOrigin(request: IncomingMessage): string | undefined {
    const origin = request.headers.origin;
    if (!origin) return undefined;
    return listed.has(origin.toLowerCase()) || isOwn(origin, request.headers.host) ? origin : undefined;
  }
  return {
    allowedOrigin,
    isForeign(request) {
      if (request.headers.origin !== undefined) return allowedOrigin(request) === undefined;
      // Images, links and frames of a page send no Origin, but browsers say that another site is behind them.
      return request.headers['sec-fetch-site'] === 'cross-site';
    },
  };
}

function isOwn(origin: string, host: string | undefined): boolean {
  if (!host || !URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}

/**
 * May the request do something? There are no cookies, so only a credential that the page had to know (Authorization)
 * or a header that a page cannot send without asking first speaks for a foreign page; without one it is refused.
 */
export function passesCsrf(request: IncomingMessage, policy: OriginPolicy): boolean {
  const { headers } = request;
  if (headers.authorization !== undefined) return true;
  if (policy.isForeign(request)) return false;
  return true;
}

export interface AddressPolicy {
  /** The client's address; forwarded headers count only from trusted proxies. */
  addressOf(request: IncomingMessage): string;
}

export function createAddressPolicy(trustedProxies: readonly string[]): AddressPolicy {
  const trusted = new BlockList();
  for (const proxy of trustedProxies) {
    const [network, bits] = proxy.split('/') as [string, string | undefined];
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(network, family);
    else trusted.addSubnet(network, Number(bits), family);
  }
  const isTrusted = (address: string) =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return {
    addressOf(request) {
      let address = plain(request.socket.remoteAddress ?? '');
      if (trustedProxies.length === 0) return address;
      const hops = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
      // From the nearest hop outwards: the first one that is not ours is the client, what lies beyond may be forged.
      while (hops.length > 0 && isTrusted(address)) {
        const hop = plain(hops.pop()!.trim());
        if (isIP(hop) === 0) break;
        address = hop;
      }
      return address;
    },
  };
}

function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
