// Which page a request comes from: its own, a listed one, or one of another site (CSRF, CORS, cross-site sockets).

import type { IncomingMessage } from 'node:http';

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

/** May the request do something? There are no cookies, so only a credential that it had to know speaks for a foreign page. */
export function passesCsrf(request: IncomingMessage, policy: OriginPolicy): boolean {
  return request.headers.authorization !== undefined || !policy.isForeign(request);
}
