// Small schemas for tests of access: SDL with the directives, resolvers attached, and a way to run operations on them
// as somebody, on the executor and the plugin the server uses.

import {
  buildSchema,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isAbstractType,
  isObjectType,
} from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Actor, ApiKeyScope, Role } from '../../src/domain/access.ts';
import { authPlugin } from '../../src/graphql/auth.ts';

export const DIRECTIVES = /* GraphQL */ `
  directive @public on FIELD_DEFINITION | OBJECT | INTERFACE
  directive @auth(requires: [Role!]!, scopes: [ApiKeyScope!]) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE
  enum Role { ADMIN USER SERVICE }
  enum ApiKeyScope { SUBMIT READ MANAGE METRICS ADMIN }
`;

type Resolvers = Record<string, Record<string, GraphQLFieldResolver<unknown, unknown>>>;

/** The SDL with the directives and the resolvers; values tell their type by `__typename`. */
export function createAuthSchema(sdl: string, resolvers: Resolvers = {}): GraphQLSchema {
  const schema = buildSchema(DIRECTIVES + sdl);
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = schema.getType(typeName);
    if (!isObjectType(type)) continue;
    for (const [name, resolve] of Object.entries(fields)) {
      const field = type.getFields()[name]!;
      if (type === schema.getSubscriptionType()) field.subscribe = resolve;
      else field.resolve = resolve;
    }
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type)) type.resolveType = value => (value as { __typename: string }).__typename;
  }
  return schema;
}

export function actorWith(role: Role): Actor {
  return { userId: 'user-1', username: 'anna', role, credential: { kind: 'session', id: 'session-1' } };
}

/** Somebody who came with an API key; without scopes it is for everything. */
export function keyOf(role: Role, ...scopes: ApiKeyScope[]): Actor {
  const credential = { kind: 'apiKey', id: 'key-1', ...(scopes.length > 0 && { scopes }) } as const;
  return { ...actorWith(role), credential };
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { message: string; extensions?: Record<string, unknown> }[];
}

/** Runs operations on the server's executor; `gate: false` leaves the plugin out, to try what is behind it alone. */
export function createRunner(schema: GraphQLSchema, { gate = true } = {}) {
  const yoga = createYoga({ schema, plugins: gate ? [authPlugin()] : [], logging: false });
  /** As `{ data }`, or the codes of the errors when there are any. */
  return async function run(
    caller: Role | Actor | undefined,
    query: string,
    variableValues = {},
    operationName?: string,
  ): Promise<unknown> {
    const actor = typeof caller === 'string' ? actorWith(caller) : (caller ?? null);
    const enveloped = yoga.getEnveloped({ actor });
    const document = enveloped.parse(query);
    const invalid = enveloped.validate(enveloped.schema, document);
    if (invalid.length > 0) throw invalid[0];
    const contextValue = await enveloped.contextFactory();
    const start = /^\s*subscription/.test(query) ? enveloped.subscribe : enveloped.execute;
    const answer = await start({
      schema: enveloped.schema,
      document,
      contextValue,
      variableValues,
      operationName,
    });
    return summarize(Symbol.asyncIterator in answer ? (await answer.next()).value : answer);
  };
}

export function summarize({ data, errors }: Answer): unknown {
  return errors
    ? errors.map(({ extensions, message }) => extensions?.code ?? message).join(' ')
    : { data: plain(data) };
}

/** Executors give objects without prototype, which deepEqual tells from ours. */
function plain(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data));
}
