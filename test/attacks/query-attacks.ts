// Documents and variables made to hurt, for our own schema. `salt` makes each of them new, so that no cache helps.

import assert from 'node:assert/strict';
import type { Attack, World } from './world.ts';

const PAGE =
  'requests(first: 100) { nodes { id status cost usage { totalTokens } attempts { number cost } } }';

function many(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join(' ');
}

/** Refused or harmless, in any case answered small and without data that it should not get. */
const DOCUMENTS: Record<string, (salt: number) => string> = {
  'thousands of levels': salt =>
    `query q${salt} { ${'node(id: "x") { '.repeat(3_000)} id ${'}'.repeat(3_000)} }`,
  'a list a hundred thousand levels deep': salt =>
    `query q${salt} { node(id: ${'['.repeat(100_000)}) { id } }`,
  'an object nested deep': salt =>
    `query q${salt} { requests(filter: ${'{ createdAt: '.repeat(60)}1${' }'.repeat(60)}) { nodes { id } } }`,
  'hundreds of aliases': salt => `query q${salt} { viewer { ${many(240, n => `a${n}: id`)} } }`,
  'one field nine hundred times': salt => `query q${salt} { viewer { ${many(900, () => 'id')} } }`,
  'one object two hundred times': salt =>
    `query q${salt} { ${PAGE} viewer { ${many(150, () => 'sessions { id }')} } }`,
  'fragments that overlap': salt =>
    `query q${salt} { viewer { ${many(50, n => `...f${n}`)} } } ${many(50, n => `fragment f${n} on User { id username role createdAt }`)}`,
  'fragments that double': salt =>
    `query q${salt} { viewer { ...f0 } } ${many(25, n => `fragment f${n} on User { ...f${n + 1} ...f${n + 1} }`)} fragment f25 on User { id }`,
  'fragments in a circle': salt =>
    `query q${salt} { viewer { ...a } } fragment a on User { ...b } fragment b on User { ...a }`,
  'hundreds of directives': salt =>
    `query q${salt} { viewer { id ${many(140, () => '@include(if: true)')} } }`,
  'hundreds of unknown fields': salt => `query q${salt} { viewer { ${many(900, n => `usernam${n}`)} } }`,
  'hundreds of unknown arguments': salt =>
    `query q${salt} { viewer { id(${many(300, n => `a${n}: ${n}`)}) } }`,
  'thousands of operations': salt => many(3_000, n => `query q${salt}x${n} { viewer { id } }`),
  'a megabyte of commas': salt => `query q${salt} { viewer { id } ${','.repeat(900_000)} }`,
  'a name of a megabyte': salt => `query q${salt} { viewer { ${'x'.repeat(900_000)} } }`,
  'a text of a megabyte': salt => `query q${salt} { node(id: "${'x'.repeat(900_000)}") { id } }`,
  'introspection under many names': salt =>
    `query q${salt} { ${many(4, n => `a${n}: __schema { types { name fields { name args { name } } } }`)} }`,
  'introspection in a circle': salt =>
    `query q${salt} { __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }`,
  'breadth times depth': salt => `query q${salt} { ${many(20, n => `a${n}: ${PAGE}`)} }`,
  'the largest page that there can be': salt =>
    `query q${salt} { requests(first: 2147483647) { nodes { id } } }`,
  'a page that costs as much as is allowed': salt => `query q${salt} { a: ${PAGE} b: ${PAGE} }`,
};

const VARIABLES: Record<string, unknown> = {
  'a huge variable of the wrong type': { first: { text: 'x'.repeat(400_000) } },
  'tens of thousands of variables': Object.fromEntries(
    Array.from({ length: 60_000 }, (_, n) => [`v${n}`, n]),
  ),
  'a list of many small values': { first: Array.from({ length: 100_000 }, () => []) },
  'names of object properties': JSON.parse(
    '{"__proto__":{"first":1},"constructor":{"prototype":{}},"first":1}',
  ),
};

const TYPED = 'query ($first: Int) { requests(first: $first) { nodes { id } } }';

export const QUERY_ATTACKS: readonly Attack[] = [
  ...Object.entries(DOCUMENTS).map(([name, document]) => ({
    name,
    async strike(world: World, number: number) {
      const { text } = await world.send({ query: document(number) });
      const { data } = JSON.parse(text) as { data?: object };
      assert.ok(!data || text.length < 500_000);
    },
  })),
  ...Object.entries(VARIABLES).map(([name, variables]) => ({
    name,
    strike: (world: World) => world.send({ query: TYPED, variables }),
  })),
  {
    name: 'large bodies of nobody',
    strike: world =>
      world.send({ query: TYPED, variables: VARIABLES['tens of thousands of variables'] }, { as: null }),
  },
  {
    name: 'JSON a hundred thousand levels deep',
    strike: world =>
      world.send(
        `{"query":"{ viewer { id } }","variables":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      ),
  },
  {
    name: 'batches of thousands',
    strike: world => world.send(Array.from({ length: 5_000 }, () => ({ query: '{ viewer { id } }' }))),
  },
  {
    name: 'looking for text over and over',
    strike: (world, number) =>
      world.send({
        query: `{ requests(first: 1, filter: { text: "${number}" }) { totalCount nodes { id } } }`,
      }),
  },
  {
    name: 'guessing passwords',
    strike: (world, number) =>
      world.send(
        {
          query: 'mutation ($input: LoginInput!) { login(input: $input) { token } }',
          variables: { input: { username: 'admin', password: `wrong password ${number}` } },
        },
        { as: null },
      ),
  },
];
