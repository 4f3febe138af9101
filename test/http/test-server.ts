// The real HTTP server on a free port with the small test schema, and three tokens: user, admin, service.

import type { Plugin } from '@envelop/core';
import type { Actor, Role } from '../../src/domain/access.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { authPlugin } from '../../src/graphql/auth.ts';
import { createErrorMasker } from '../../src/graphql/errors.ts';
import type { Authentication } from '../../src/http/authentication.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../../src/http/limits.ts';
import { createHttpServer, type HttpServer, type HttpServerDeps } from '../../src/http/server.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createTestSchema, type Observed } from './test-schema.ts';

export interface TestServer {
  readonly url: string;
  readonly graphql: string;
  readonly socketUrl: string;
  readonly port: number;
  readonly server: HttpServer;
  readonly observed: Observed;
  /** Ends the credential of a token, as a logout does. */
  endCredential(token: string): void;
  setReady(ready: boolean): void;
  close(): Promise<void>;
}

export const TOKENS: Record<string, Role> = { user: 'USER', admin: 'ADMIN', service: 'SERVICE' };
export const SETUP_TOKEN = 'one-time';

type Overrides = Partial<Omit<HttpServerDeps, 'limits'>> & {
  limits?: Partial<HttpLimits>;
  plugins?: Plugin[];
};

export async function startTestServer({ limits, ...overrides }: Overrides = {}): Promise<TestServer> {
  const { schema, observed } = createTestSchema();
  const endings = new Map<string, Set<() => void>>();
  let ready = true;
  let admin = false;
  const server = createHttpServer({
    schema,
    createContext: ({ actor, address }) => ({ actor, address }),
    plugins: [authPlugin()],
    maskError: createErrorMasker({ log() {} }),
    limits: { ...DEFAULT_HTTP_LIMITS, ...limits },
    environment: 'development',
    authenticator: {
      authenticate: async authorization => credentialOf(authorization),
      authenticateSocket: async (params, headers) =>
        credentialOf(
          ((params?.authorization ?? params?.Authorization) as string | undefined) ?? headers.authorization,
        ),
    },
    members: {
      async setup(token, username) {
        if (token !== SETUP_TOKEN) throw new DomainError('UNAUTHENTICATED', 'The link is not valid.');
        admin = true;
        const user = {
          id: '1',
          username,
          role: 'ADMIN' as const,
          disabled: false,
          mustChangePassword: false,
          createdAt: new Date(0),
          tokenVersion: 1,
        };
        return { token: 'admin', expiresAt: new Date(0), user };
      },
      hasAdmin: async () => admin,
      onCredentialEnd(actor, listener) {
        const listeners = endings.get(actor.username) ?? new Set();
        endings.set(actor.username, listeners.add(listener));
        return () => listeners.delete(listener);
      },
    },
    health: {
      version: '1.2.3',
      ready: async () => ({ ready, parts: { database: { ready } } }),
    },
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'mcplane_up 1\n' }),
    log: createLog({ level: 'silent', pretty: false }),
    host: '127.0.0.1',
    port: 0,
    ...overrides,
  });
  const { url, port } = await server.listen();
  return {
    url,
    graphql: `${url}/graphql`,
    socketUrl: `ws://127.0.0.1:${port}/graphql`,
    port,
    server,
    observed,
    endCredential(token) {
      for (const listener of endings.get(token) ?? []) listener();
    },
    setReady(value) {
      ready = value;
    },
    close: () => server.close(0),
  };
}

function credentialOf(authorization: string | undefined): Authentication {
  if (authorization === undefined) return { kind: 'none' };
  const token = /^Bearer (\w+)$/i.exec(authorization)?.[1] ?? '';
  const role = TOKENS[token];
  return role ? { kind: 'actor', actor: actor(token, role) } : { kind: 'invalid' };
}

function actor(name: string, role: Role): Actor {
  return { userId: name, username: name, role, credential: { kind: 'session', id: name } };
}

interface PostOptions {
  token?: string | undefined;
  accept?: string;
  headers?: Record<string, string>;
}

/** A GraphQL request by POST, by default as USER. */
export function post(server: TestServer, body: unknown, options: PostOptions = {}): Promise<Response> {
  const { token = 'user', accept, headers } = options;
  return fetch(server.graphql, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(accept ? { accept } : {}),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export interface GraphQLAnswer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions: Record<string, unknown>; path?: string[] }[];
}

export async function answerOf(response: Response): Promise<GraphQLAnswer> {
  return (await response.json()) as GraphQLAnswer;
}
