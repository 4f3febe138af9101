// The second gate: what the first one cannot see, tried with both, and with the second alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createYoga } from 'graphql-yoga';
import { authPlugin } from '../../src/graphql/auth.ts';
import { enforceAuth } from '../../src/graphql/auth-enforcement.ts';
import { actorWith, createAuthSchema, createRunner, keyOf, summarize } from '../support/auth-schema.ts';

const SDL = /* GraphQL */ `
  type Query {
    node(id: String): Node @auth(requires: [ADMIN, USER, SERVICE])
    found: [Found!] @auth(requires: [ADMIN, USER, SERVICE])
    note: Note @public
    mine: String
    open: Node @public
  }
  type Subscription { feed: Node @auth(requires: [ADMIN])  notes: Node @public }
  interface Node { id: String  text: String }
  union Found = Secret | Note
  type Secret implements Node @auth(requires: [ADMIN]) { id: String  text: String }
  type Note implements Node { id: String  text: String @auth(requires: [ADMIN])  title: String }
`;

const SECRET = { __typename: 'Secret', id: 's', text: 'hidden' };
const NOTE = { __typename: 'Note', id: 'n', text: 'hidden', title: 'title' };

function createExample() {
  const ran: string[] = [];
  const schema = createAuthSchema(SDL, {
    Query: {
      node: (_root, { id }) => (id === 's' ? SECRET : NOTE),
      found: () => [SECRET, NOTE],
      note: () => NOTE,
      mine: () => ran.push('mine'),
      open: () => SECRET,
    },
    Secret: {
      text: () => ran.push('secret text'),
      id: () => ran.push('secret id'),
    },
    Subscription: {
      async *feed() {
        ran.push('feed');
        yield { feed: NOTE };
      },
      async *notes() {
        yield { notes: SECRET };
      },
    },
  });
  return { schema, ran, enforced: enforceAuth(schema) };
}

test('the first gate alone lets a limited type out through an interface and a union', async () => {
  const run = createRunner(createExample().schema);

  assert.notEqual(await run('USER', '{ node(id: "s") { id } }'), 'FORBIDDEN');
  assert.notEqual(await run('USER', '{ found { __typename } }'), 'FORBIDDEN');
});

for (const gate of [true, false]) {
  const gates = gate ? 'both gates' : 'the second gate alone';

  test(`${gates}: a limited type is refused through an interface, a union and __typename`, async () => {
    const { enforced, ran } = createExample();
    const run = createRunner(enforced, { gate });

    for (const query of [
      '{ node(id: "s") { id } }',
      '{ node(id: "s") { text } }',
      '{ node(id: "s") { __typename } }',
      '{ node(id: "s") { ... on Secret { text } } }',
      '{ node(id: "s") { ... on Note { id } } }',
      '{ found { __typename } }',
      '{ found { ... on Note { title } } }',
    ]) {
      assert.equal(await run('USER', query), 'FORBIDDEN', query);
      assert.equal(await run(undefined, query), 'UNAUTHENTICATED', query);
    }
    assert.deepEqual(ran, [], 'and none of its fields is resolved');
    assert.deepEqual(await run('ADMIN', '{ node(id: "s") { __typename } }'), {
      data: { node: { __typename: 'Secret' } },
    });
  });

  test(`${gates}: a field's rule holds on the concrete type when it is selected on the interface`, async () => {
    const run = createRunner(createExample().enforced, { gate });

    assert.equal(await run('USER', '{ node { text } }'), 'FORBIDDEN');
    assert.equal(await run(undefined, '{ note { text } }'), 'UNAUTHENTICATED');
    assert.deepEqual(await run('USER', '{ node { id } }'), { data: { node: { id: 'n' } } });
    assert.deepEqual(await run(undefined, '{ note { title } }'), { data: { note: { title: 'title' } } });
    assert.deepEqual(await run('ADMIN', '{ node { text } }'), { data: { node: { text: 'hidden' } } });
  });

  test(`${gates}: an anonymous caller gets neither a root field without rule nor a limited value of a public one`, async () => {
    const { enforced, ran } = createExample();
    const run = createRunner(enforced, { gate });

    assert.equal(await run(undefined, '{ mine }'), 'UNAUTHENTICATED');
    assert.equal(await run(undefined, '{ open { id } }'), 'UNAUTHENTICATED');
    assert.equal(await run('USER', '{ open { id } }'), 'FORBIDDEN');
    assert.equal(await run(undefined, 'subscription { notes { __typename } }'), 'UNAUTHENTICATED');
    assert.deepEqual(ran, []);
  });

  test(`${gates}: a refused subscription does not start its source`, async () => {
    const { enforced, ran } = createExample();
    const run = createRunner(enforced, { gate });

    assert.equal(await run('USER', 'subscription { feed { id } }'), 'FORBIDDEN');
    assert.deepEqual(ran, []);
    assert.deepEqual(await run('ADMIN', 'subscription { feed { id } }'), { data: { feed: { id: 'n' } } });
  });
}

test('a rule on an interface holds for every type that implements it, also selected directly', async () => {
  const schema = createAuthSchema(
    `type Query { thing: Thing @public }
     interface Guarded @auth(requires: [ADMIN]) { id: String }
     interface Half { text: String @auth(requires: [ADMIN]) }
     type Thing implements Guarded & Half { id: String text: String other: String }`,
    { Query: { thing: () => ({ other: 'other' }) } },
  );
  const run = createRunner(enforceAuth(schema));

  assert.equal(await run('USER', '{ thing { id } }'), 'FORBIDDEN');
  assert.equal(await run('USER', '{ thing { text } }'), 'FORBIDDEN');
  assert.deepEqual(await run('ADMIN', '{ thing { other } }'), { data: { thing: { other: 'other' } } });
});

for (const gate of [true, false])
  test(`${gate ? 'both gates' : 'the second gate alone'}: scopes hold per concrete type, however it is reached`, async () => {
    const schema = createAuthSchema(
      `type Query {
         node(id: String): Node @auth(requires: [USER], scopes: [READ, MANAGE])
         found: [Found!] @auth(requires: [USER], scopes: [READ, MANAGE])
       }
       type Subscription { feed: Node @auth(requires: [USER], scopes: [READ]) }
       interface Node { id: String } union Found = Key | Note
       type Key implements Node @auth(requires: [USER], scopes: [MANAGE]) { id: String }
       type Note implements Node { id: String  text: String @auth(requires: [USER], scopes: [READ]) }`,
      {
        Query: {
          node: (_root, { id }) => ({ __typename: id === 'k' ? 'Key' : 'Note', id, text: 'text' }),
          found: () => [{ __typename: 'Note' }, { __typename: 'Key' }],
        },
        Subscription: {
          async *feed() {
            yield { feed: { __typename: 'Key', id: 'k' } };
          },
        },
      },
    );
    const run = createRunner(enforceAuth(schema), { gate });
    const [reader, manager] = [keyOf('USER', 'READ'), keyOf('USER', 'MANAGE')];

    for (const query of [
      '{ node(id: "k") { id } }',
      '{ node(id: "k") { __typename } }',
      '{ node(id: "k") { ... on Key { id } } }',
      '{ node(id: "k") { ... on Note { id } } }',
      '{ a: node(id: "k") { ...All } } fragment All on Node { b: id }',
      '{ found { __typename } }',
      'subscription { feed { __typename } }',
    ])
      assert.equal(await run(reader, query), 'FORBIDDEN', query);
    assert.deepEqual(await run(reader, '{ node(id: "n") { ... on Note { text } } }'), {
      data: { node: { text: 'text' } },
    });
    assert.deepEqual(await run(manager, '{ node(id: "k") { id } }'), { data: { node: { id: 'k' } } });
    assert.equal(await run(manager, '{ node(id: "n") { ... on Note { text } } }'), 'FORBIDDEN');
    assert.equal(await run(manager, 'subscription { feed { id } }'), 'FORBIDDEN');
  });

test('a context used for a second operation still refuses, though the first gate no longer looks', async () => {
  const { enforced } = createExample();
  const yoga = createYoga({ schema: enforced, plugins: [authPlugin()], logging: false });
  const enveloped = yoga.getEnveloped({ actor: actorWith('USER') });
  const contextValue = await enveloped.contextFactory();
  const run = async () => {
    const document = enveloped.parse('{ node(id: "s") { ... on Secret { text } } }');
    return summarize(await enveloped.execute({ schema: enforced, document, contextValue }));
  };

  assert.equal(await run(), 'FORBIDDEN');
  assert.equal(await run(), 'FORBIDDEN');
});

test('fields without a rule keep their resolvers, and pay nothing', () => {
  const schema = createAuthSchema('type Query { box: Box @public } type Box { text: String }', {
    Box: { text: () => 'text' },
  });
  const field = (of: typeof schema) =>
    (of.getType('Box') as { getFields(): Record<string, { resolve?: unknown }> }).getFields().text;

  assert.equal(field(enforceAuth(schema))?.resolve, field(schema)?.resolve);
});
