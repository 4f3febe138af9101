// The first gate, and the directives: declared, printed, and enforced before anything runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSchema, GraphQLEnumType, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { auth, authPlugin, PUBLIC, printedSchema, withAuthDirectives } from '../../src/graphql/auth.ts';
import { actorWith, createAuthSchema, createRunner, keyOf } from '../support/auth-schema.ts';

const SDL = /* GraphQL */ `
  type Query {
    hello: String @public
    mine: String
    metrics: String @auth(requires: [ADMIN])
    submit: String @auth(requires: [USER, SERVICE])
    secret: Secret @auth(requires: [ADMIN])
    login: Login @public
  }
  type Mutation { reset: String @auth(requires: [ADMIN])  touch: String @auth(requires: [ADMIN, USER]) }
  type Subscription { feed: String @auth(requires: [ADMIN]) }
  type Secret @auth(requires: [ADMIN]) { text: String }
  type Login { token: String  viewer: Viewer }
  type Viewer { name: String  keys: String @auth(requires: [ADMIN, USER]) }
`;

/** The schema, and the names of the resolvers that have run. */
function createExample() {
  const ran: string[] = [];
  const value =
    (name: string, result: unknown = name) =>
    () => {
      ran.push(name);
      return result;
    };
  const schema = createAuthSchema(SDL, {
    Query: {
      hello: value('hello'),
      mine: value('mine'),
      metrics: value('metrics'),
      submit: value('submit'),
      secret: value('secret', { text: 'text' }),
      login: value('login', { token: 'token', viewer: { name: 'anna', keys: 'keys' } }),
    },
    Mutation: { reset: value('reset'), touch: value('touch') },
    Subscription: {
      async *feed() {
        ran.push('feed');
        yield { feed: 'event' };
      },
    },
  });
  return { schema, ran, run: createRunner(schema) };
}

test('a field admits whom its rule names, and without a rule whoever is signed in', async () => {
  const { run } = createExample();
  const cells = async (query: string) =>
    Promise.all([undefined, 'USER', 'SERVICE', 'ADMIN'].map(role => run(role as 'USER' | undefined, query)));
  const [anonymous, forbidden] = ['UNAUTHENTICATED', 'FORBIDDEN'];

  const hello = { data: { hello: 'hello' } };
  assert.deepEqual(await cells('{ hello }'), [hello, hello, hello, hello]);
  const mine = { data: { mine: 'mine' } };
  assert.deepEqual(await cells('{ mine }'), [anonymous, mine, mine, mine]);
  const metrics = { data: { metrics: 'metrics' } };
  assert.deepEqual(await cells('{ metrics }'), [anonymous, forbidden, forbidden, metrics]);
  const submit = { data: { submit: 'submit' } };
  assert.deepEqual(await cells('{ submit }'), [anonymous, submit, submit, forbidden]);
  const reset = { data: { reset: 'reset' } };
  assert.deepEqual(await cells('mutation { reset }'), [anonymous, forbidden, forbidden, reset]);
  const feed = { data: { feed: 'event' } };
  assert.deepEqual(await cells('subscription { feed }'), [anonymous, forbidden, forbidden, feed]);
});

test('one refused field refuses the operation before any resolver or source runs', async () => {
  const { run, ran } = createExample();

  assert.equal(await run('USER', '{ hello metrics }'), 'FORBIDDEN');
  assert.equal(await run('USER', 'mutation { touch reset }'), 'FORBIDDEN');
  assert.equal(await run('USER', 'query { ...A } fragment A on Query { a: mine b: metrics }'), 'FORBIDDEN');
  assert.equal(await run('USER', '{ ... on Query { ... { metrics } } }'), 'FORBIDDEN');
  assert.equal(await run('USER', 'subscription { feed }'), 'FORBIDDEN');
  assert.deepEqual(ran, []);

  const skipped = 'query ($x: Boolean = false) { hello metrics @include(if: $x) }';
  assert.deepEqual(await run('USER', skipped), { data: { hello: 'hello' } });
  assert.equal(await run('USER', skipped, { x: true }), 'FORBIDDEN');
});

test('a field that returns a limited type is limited itself, also for __typename alone', async () => {
  const schema = createAuthSchema(
    `type Query { box: Box @public } type Box { secret: Secret } type Secret @auth(requires: [ADMIN]) { text: String }`,
    { Query: { box: () => ({ secret: { text: 'text' } }) } },
  );
  const run = createRunner(schema);

  assert.equal(await run('USER', '{ box { secret { __typename } } }'), 'FORBIDDEN');
  assert.equal(await run(undefined, '{ box { secret { __typename } } }'), 'UNAUTHENTICATED');
  assert.deepEqual(await run('ADMIN', '{ box { secret { __typename } } }'), {
    data: { box: { secret: { __typename: 'Secret' } } },
  });
});

test('what a public field returns is open, unless a rule says otherwise', async () => {
  const { run } = createExample();

  assert.deepEqual(await run(undefined, '{ login { token viewer { name } } }'), {
    data: { login: { token: 'token', viewer: { name: 'anna' } } },
  });
  assert.equal(await run(undefined, '{ login { token viewer { keys } } }'), 'UNAUTHENTICATED');
});

test('@public on a type does not take away the @auth of its fields', async () => {
  const schema = createAuthSchema(
    `type Query @public { open: String closed: String @auth(requires: [ADMIN]) }`,
  );
  const run = createRunner(schema);

  assert.deepEqual(await run(undefined, '{ open }'), { data: { open: null } });
  assert.equal(await run(undefined, '{ closed }'), 'UNAUTHENTICATED');
  assert.equal(await run('USER', '{ closed }'), 'FORBIDDEN');
});

test('a rule without roles, and old-style extensions, open nothing', async () => {
  const schema = createAuthSchema('type Query { nobody: String @auth(requires: []) old: String }');
  Object.assign(schema.getQueryType()!.getFields().old!, { extensions: { skipAuth: true, public: true } });
  const run = createRunner(schema);

  assert.equal(await run('ADMIN', '{ nobody }'), 'FORBIDDEN');
  assert.equal(await run(undefined, '{ old }'), 'UNAUTHENTICATED');
});

test('over HTTP a refusal is 401 or 403 with its code, and no data', async () => {
  const { schema } = createExample();
  const yoga = createYoga({
    schema,
    plugins: [authPlugin()],
    context: ({ request }) => ({ actor: request.headers.has('authorization') ? actorWith('USER') : null }),
    logging: false,
  });
  const post = async (query: string, headers = {}) => {
    const response = await yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, body: await response.json() };
  };

  assert.deepEqual(await post('{ metrics }'), {
    status: 401,
    body: {
      data: null,
      errors: [
        {
          message: 'Query.metrics needs a valid token or API key.',
          locations: [{ line: 1, column: 3 }],
          path: ['metrics'],
          extensions: { code: 'UNAUTHENTICATED', retryable: false },
        },
      ],
    },
  });
  const forbidden = await post('{ metrics }', { authorization: 'Bearer x' });
  assert.equal(forbidden.status, 403);
  assert.equal(forbidden.body.errors[0].extensions.code, 'FORBIDDEN');
});

test('rules are declared by options and printed as directives that parse again', () => {
  const role = new GraphQLEnumType({ name: 'Role', values: { ADMIN: {}, USER: {}, SERVICE: {} } });
  const scope = new GraphQLEnumType({ name: 'ApiKeyScope', values: { SUBMIT: {}, READ: {} } });
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: {
      open: { type: GraphQLString, ...PUBLIC },
      closed: { type: role, ...auth(['ADMIN', 'SERVICE']) },
      narrow: { type: scope, ...auth(['ADMIN'], ['READ', 'SUBMIT']) },
    },
  });

  const printed = printedSchema(withAuthDirectives(new GraphQLSchema({ query })));

  assert.match(printed, /open: String @public/);
  assert.match(printed, /closed: Role @auth\(requires: \[ADMIN, SERVICE\]\)/);
  assert.match(printed, /narrow: ApiKeyScope @auth\(requires: \[ADMIN\], scopes: \[READ, SUBMIT\]\)/);
  assert.match(printed, /directive @public on FIELD_DEFINITION \| INTERFACE \| OBJECT/);
  assert.match(printed, /requires: \[Role!\]!\n/);
  assert.match(printed, /scopes: \[ApiKeyScope!\]\n\) on FIELD_DEFINITION \| INTERFACE \| OBJECT/);
  assert.equal(printed.match(/enum Role/g)?.length, 1);
  assert.ok(buildSchema(printed).getDirective('include'), 'the standard directives are still there');
  assert.throws(
    () =>
      withAuthDirectives(
        new GraphQLSchema({
          query: new GraphQLObjectType({ name: 'Query', fields: { a: { type: GraphQLString } } }),
        }),
      ),
    /no enum Role/,
  );
});

test('what was admitted once is admitted again, but not to another role, nor with other variables', async () => {
  const { run } = createExample();
  for (let times = 0; times < 2; times += 1) {
    assert.deepEqual(await run('ADMIN', '{ metrics }'), { data: { metrics: 'metrics' } });
    assert.equal(await run('USER', '{ metrics }'), 'FORBIDDEN');
    assert.equal(await run(undefined, '{ metrics }'), 'UNAUTHENTICATED');
  }
  const byVariable = 'query ($x: Boolean!) { hello metrics @include(if: $x) }';
  assert.deepEqual(await run('USER', byVariable, { x: false }), { data: { hello: 'hello' } });
  assert.equal(await run('USER', byVariable, { x: true }), 'FORBIDDEN');
  assert.deepEqual(await run('USER', byVariable, { x: false }), { data: { hello: 'hello' } });
});

test('an API key needs one of the scopes of every rule on the way, and a session none', async () => {
  const schema = createAuthSchema(
    `type Query {
       requests: Request @auth(requires: [ADMIN, USER], scopes: [READ])
       estimate: String @auth(requires: [USER], scopes: [READ, SUBMIT])
       any: String @auth(requires: [USER])
     }
     type Mutation { submit: Request @auth(requires: [USER], scopes: [SUBMIT]) }
     type Request { id: String  output: String @auth(requires: [USER], scopes: [READ]) }`,
    { Query: { requests: () => ({}) }, Mutation: { submit: () => ({}) } },
  );
  const run = createRunner(schema);
  const codeOf = async (caller: Parameters<typeof run>[0], query: string) => {
    const answer = await run(caller, query);
    return typeof answer === 'string' ? answer : 'allowed';
  };
  const cells = (query: string) =>
    Promise.all(
      [
        'USER' as const,
        keyOf('USER'),
        keyOf('USER', 'READ'),
        keyOf('USER', 'SUBMIT'),
        keyOf('USER', 'ADMIN'),
      ].map(caller => codeOf(caller, query)),
    );
  const [ok, no] = ['allowed', 'FORBIDDEN'];

  assert.deepEqual(await cells('{ requests { id } }'), [ok, ok, ok, no, ok]);
  assert.deepEqual(await cells('{ estimate }'), [ok, ok, ok, ok, ok]);
  assert.deepEqual(await cells('{ any }'), [ok, ok, ok, ok, ok]);
  assert.deepEqual(await cells('mutation { submit { id } }'), [ok, ok, no, ok, ok]);
  assert.deepEqual(await cells('mutation { submit { output } }'), [ok, ok, no, no, ok]);
  assert.equal(
    await codeOf(keyOf('SERVICE', 'READ', 'ADMIN'), '{ requests { id } }'),
    no,
    'the role counts first',
  );
});

test('what a full key was let in with is refused to a narrower key of the same role, and the other way round', async () => {
  const query = '{ metrics }';
  const allowed = { data: { metrics: null } };
  const [full, narrow] = [keyOf('ADMIN'), keyOf('ADMIN', 'READ')];
  for (const order of [
    [full, narrow],
    [narrow, full],
  ]) {
    const run = createRunner(
      createAuthSchema('type Query { metrics: String @auth(requires: [ADMIN], scopes: [METRICS]) }'),
    );
    for (let time = 1; time <= 3; time += 1)
      for (const caller of order)
        assert.deepEqual(await run(caller, query), caller === full ? allowed : 'FORBIDDEN');
    assert.deepEqual(await run(keyOf('ADMIN', 'READ', 'METRICS'), query), allowed);
    assert.equal(await run(keyOf('USER', 'METRICS'), query), 'FORBIDDEN');
    assert.deepEqual(await run('ADMIN', query), allowed);
  }
});

test('of two operations in one document only the one that runs is judged, each for itself', async () => {
  const { run, ran } = createExample();
  const document = 'query Mine { mine } query All { metrics }';
  for (let time = 1; time <= 2; time += 1) {
    assert.deepEqual(await run('USER', document, {}, 'Mine'), { data: { mine: 'mine' } });
    assert.equal(await run('USER', document, {}, 'All'), 'FORBIDDEN');
    assert.deepEqual(await run('ADMIN', document, {}, 'All'), { data: { metrics: 'metrics' } });
    assert.equal(await run(undefined, document, {}, 'Mine'), 'UNAUTHENTICATED');
  }
  assert.deepEqual(ran, ['mine', 'metrics', 'mine', 'metrics']);
});
