// Which path is answered by what, the headers every answer carries, and the last catch.

import type { IncomingMessage } from 'node:http';
import type { Members } from '../control/members.ts';
import type { Actor } from '../domain/access.ts';
import { DomainError } from '../domain/errors.ts';
import { sendJson } from './answer.ts';
import { createGraphiQL } from './graphiql.ts';
import { createGraphQLEndpoint, type EndpointDeps } from './graphql-endpoint.ts';
import { createHealthEndpoints, type HealthDeps } from './health.ts';
import { sendSetupPage, sendStartPage } from './pages.ts';
import { SECURITY_HEADERS, type SecuredResponse } from './response.ts';
import { passGate, sendFailure, setUp } from './setup.ts';

export interface RouteDeps extends EndpointDeps, HealthDeps {
  readonly members: Pick<Members, 'setup' | 'hasAdmin'>;
  readonly authenticate: (authorization: string | undefined) => Promise<Actor | null>;
}

export interface Routes {
  handle(request: IncomingMessage, response: SecuredResponse): void;
  cutStreams(): void;
  readonly streamCount: number;
}

/** Pages need memory or the database, so that they count as operations too. */
const OPERATIONS_PER_PAGE = 3;

type Handler = (request: IncomingMessage, response: SecuredResponse) => Promise<void> | void;
type Methods = Readonly<Record<string, Handler>>;

export function createRoutes(deps: RouteDeps): Routes {
  const endpoint = createGraphQLEndpoint(deps);
  const table = createTable(deps, endpoint.handle);
  return {
    handle(request, response) {
      // Compared as it is, never resolved: `/graphql/../x`, `//host/graphql` and encoded variants are unknown paths.
      const path = request.url?.split('?', 1)[0] ?? '';
      dispatch(table.get(path), request, response).catch(error => fail(error, response, deps));
    },
    cutStreams: endpoint.cutStreams,
    get streamCount() {
      return endpoint.streamCount;
    },
  };
}

function createTable(deps: RouteDeps, graphql: Handler): ReadonlyMap<string, Methods | Handler> {
  const health = createHealthEndpoints(deps);
  const graphiql = createGraphiQL(deps.clock);
  const ready: Handler = (request, response) => {
    const query = new URLSearchParams(request.url?.split('?')[1] ?? '');
    return health.ready(response, query.has('verbose') && query.get('verbose') !== 'false');
  };
  return new Map<string, Methods | Handler>([
    [
      '/graphql',
      (request, response) => {
        setCorsHeaders(request, response, deps);
        if (request.method === 'OPTIONS') return preflight(response);
        if (wantsPage(request)) {
          passGate(request, deps, OPERATIONS_PER_PAGE);
          return graphiql.serve(request, response);
        }
        return graphql(request, response);
      },
    ],
    [
      '/graphiql',
      { GET: (_request, response) => void response.writeHead(302, { location: '/graphql' }).end() },
    ],
    ['/livez', { GET: (_request, response) => health.live(response) }],
    ['/readyz', { GET: ready }],
    ['/healthz', { GET: ready }],
    [
      '/metrics',
      {
        GET: async (request, response) =>
          health.metrics(response, await deps.authenticate(request.headers.authorization)),
      },
    ],
    [
      '/setup',
      {
        GET: async (request, response) => {
          passGate(request, deps, OPERATIONS_PER_PAGE);
          sendSetupPage(response, await deps.members.hasAdmin());
        },
        POST: (request, response) => setUp(request, response, deps),
      },
    ],
    ['/', { GET: (request, response) => sendStart(request, response, deps) }],
  ]);
}

async function dispatch(
  entry: Methods | Handler | undefined,
  request: IncomingMessage,
  response: SecuredResponse,
): Promise<void> {
  if (typeof entry === 'function') return entry(request, response);
  if (!entry) {
    request.resume();
    return sendJson(response, 404, { error: { code: 'NOT_FOUND', message: 'Nothing is here.' } });
  }
  // Node leaves the body of an answer to HEAD away.
  const handler = entry[request.method === 'HEAD' ? 'GET' : (request.method ?? '')];
  if (handler) return handler(request, response);
  request.resume();
  const allow = Object.keys(entry).flatMap(method => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const error = { code: 'BAD_USER_INPUT', message: 'This method is not served here.' };
  sendJson(response, 405, { error }, { allow: allow.join(', ') });
}

function fail(error: unknown, response: SecuredResponse, { log }: RouteDeps): void {
  if (response.headersSent) {
    log.error({ error }, 'an answer failed after it began');
    response.destroy();
    return;
  }
  response.req.resume();
  if (!(error instanceof DomainError)) log.error({ error }, 'an HTTP request failed');
  sendFailure(response, error instanceof DomainError ? error : new DomainError('INTERNAL', 'Internal error'));
}

function sendStart(request: IncomingMessage, response: SecuredResponse, { health }: RouteDeps): void {
  if (wantsPage(request)) sendStartPage(response, health.version);
  else {
    const links = {
      graphql: '/graphql',
      setup: '/setup',
      ready: '/readyz',
      live: '/livez',
      metrics: '/metrics',
    };
    sendJson(response, 200, { name: 'Model Control Plane', version: health.version, links });
  }
}

/** A browser that was pointed at the address, in contrast to a program that asks for data. */
function wantsPage({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

const GRAPHQL_HEADERS = { ...SECURITY_HEADERS, vary: 'origin' };

/** Only for listed origins and our own, and never with credentials: there are no cookies to send. */
function setCorsHeaders(request: IncomingMessage, response: SecuredResponse, { origins }: RouteDeps): void {
  const origin = origins.allowedOrigin(request);
  response.commonHeaders = origin
    ? {
        ...GRAPHQL_HEADERS,
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'retry-after, www-authenticate',
      }
    : GRAPHQL_HEADERS;
}

function preflight(response: SecuredResponse): void {
  response.writeHead(204, {
    allow: 'GET, POST, OPTIONS',
    ...('access-control-allow-origin' in response.commonHeaders && {
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, content-type, accept',
      'access-control-max-age': '600',
    }),
  });
  response.end();
}
