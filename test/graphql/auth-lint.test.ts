// What the lint reports, one schema for each mistake.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { auth, PUBLIC } from '../../src/graphql/auth.ts';
import { authLint } from '../../src/graphql/auth-lint.ts';
import { createAuthSchema } from '../support/auth-schema.ts';

const lint = (sdl: string) => authLint(createAuthSchema(sdl));
const QUERY = 'type Query { ok: String @public }';

test('a schema whose rules are complete and agree has nothing to report', () => {
  const problems = lint(/* GraphQL */ `
    type Query {
      hello: String @public
      viewer: Viewer @auth(requires: [ADMIN, USER, SERVICE], scopes: [READ, SUBMIT])
      audit: Audit @auth(requires: [ADMIN], scopes: [ADMIN])
      old: String @public @deprecated
    }
    type Mutation { reset: String @auth(requires: [ADMIN], scopes: [ADMIN]) }
    type Viewer { name: String  audit: Audit @auth(requires: [ADMIN]) }
    type Audit @auth(requires: [ADMIN]) { text: String  more: Audit }
    scalar Decimal @specifiedBy(url: "https://example.test")
    input Choice @oneOf { a: String  b: String }
  `);

  assert.deepEqual(problems, []);
});

test('a root field needs exactly one of @public and @auth, and this one scopes', () => {
  const sdl = `type Query { none: String both: String @public @auth(requires: [ADMIN], scopes: [ADMIN]) }
    type Mutation { wide: String @auth(requires: [ADMIN]) }
    type Subscription { feed: String }`;

  assert.deepEqual(lint(sdl), [
    'Query.none is a root field without @public or @auth',
    'Query.both is both @public and @auth',
    'Mutation.wide is a root field whose @auth names no scopes',
    'Subscription.feed is a root field without @public or @auth',
  ]);
});

test('a field at any depth that returns a limited type is limited at least as much', () => {
  const sdl = `type Query { w: Wrapper @public loose: [Secret!]! @auth(requires: [ADMIN, USER], scopes: [READ]) }
    type Wrapper { secret: Secret }
    type Secret @auth(requires: [ADMIN]) { text: String }`;

  assert.deepEqual(lint(sdl), [
    'Query.loose returns Secret, which fewer roles may see than the field itself',
    'Wrapper.secret returns Secret, which fewer roles may see than the field itself',
  ]);
});

test('a public type with a limited field is reported', () => {
  assert.deepEqual(lint(`${QUERY} type Open @public { a: String b: String @auth(requires: [ADMIN]) }`), [
    'Open is @public but its field b is not',
  ]);
});

test('a limited type behind an interface or in a union is reported', () => {
  const sdl = `${QUERY} interface Node { id: String } union Found = Secret
    type Secret implements Node @auth(requires: [ADMIN]) { id: String }`;

  assert.deepEqual(lint(sdl), [
    'Secret is limited to roles but can be reached through Node',
    'Secret is limited to roles but can be reached through Found',
  ]);
});

test("a field's rule that its interface lacks is reported", () => {
  const sdl = `${QUERY} interface Node { id: String }
    type Note implements Node { id: String @auth(requires: [ADMIN]) }`;

  assert.deepEqual(lint(sdl), ['Note.id has an @auth that Node.id lacks']);
});

test('rules that nothing reads, admit nobody, repeat or name unknown roles are reported', () => {
  const query = new GraphQLObjectType({
    name: 'Query',
    extensions: { authenticated: true },
    fields: {
      old: { type: GraphQLString, extensions: { ...PUBLIC.extensions, skipAuth: true } },
      twice: {
        type: GraphQLString,
        extensions: {
          directives: { auth: [{ requires: ['ADMIN'], scopes: ['READ'] }, { requires: ['USER'] }] },
        },
      },
      strange: {
        type: GraphQLString,
        extensions: { directives: { public: {}, requiresScopes: { scopes: [] } } },
      },
      nobody: { type: GraphQLString, ...auth([], ['READ']) },
      noKey: { type: GraphQLString, ...auth(['ADMIN'], []) },
      unknown: {
        type: GraphQLString,
        extensions: { directives: { auth: { requires: ['OWNER'], scopes: ['WRITE'] } } },
      },
    },
  });

  assert.deepEqual(authLint(new GraphQLSchema({ query })), [
    'Query has extensions.authenticated, which nothing reads',
    'Query.old has extensions.skipAuth, which nothing reads',
    'Query.twice repeats @auth; only the first would count',
    'Query.strange carries @requiresScopes, which nothing enforces',
    'Query.nobody has an @auth that admits nobody',
    'Query.noKey has an @auth whose scopes no key can have',
    'Query.unknown requires the unknown role OWNER',
    'Query.unknown requires the unknown scope WRITE',
  ]);
});
