// What a document may ask: each limit, on its edge and over it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { getIntrospectionQuery, parse } from 'graphql';
import { hasMoreCharacters } from '../../src/graphql/query-characters.ts';
import { DEFAULT_QUERY_LIMITS, overLimit } from '../../src/graphql/query-limits.ts';
import { measureDocument, rootFieldNames } from '../../src/graphql/query-measure.ts';

/** Which limit a document is over by default. */
function limitOf(document: string): unknown {
  return overLimit(parse(document), DEFAULT_QUERY_LIMITS)?.extensions.limit;
}

function nested(levels: number): string {
  return `{ ${'a { '.repeat(levels - 1)}a${' }'.repeat(levels - 1)} }`;
}

function many(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join(' ');
}

describe('a document within the limits passes, and one over is told which', () => {
  const edges: [string, string, string][] = [
    ['depth', nested(10), nested(11)],
    ['depth', `{ ...f } fragment f on Q ${nested(10)}`, `{ x { ...f } } fragment f on Q ${nested(10)}`],
    ['aliases', `{ a { ${many(30, n => `x${n}: y`)} } }`, `{ a { ${many(31, n => `x${n}: y`)} } }`],
    [
      'rootFields',
      `{ ${many(20, n => `x${n}`)} }`,
      `{ ${many(11, n => `x${n}`)} ...f } fragment f on Q { ${many(10, n => `y${n}`)} }`,
    ],
    ['directives', `{ a ${many(20, () => '@d')} }`, `{ a ${many(21, () => '@d')} }`],
    ['repeats', `{ a { ${many(50, () => 'b')} } }`, `{ a { ${many(51, () => 'b')} } }`],
    [
      'repeats',
      `{ a { ${many(30, () => 'b')} ... on Q { x: b ${many(20, () => 'b')} } } }`,
      `{ a { ...f ...f b } } fragment f on Q { ... on Q { ...g } } fragment g on Q { ${many(25, () => 'b')} }`,
    ],
    ['operations', many(5, n => `query q${n} { a }`), many(6, n => `query q${n} { a }`)],
    [
      'valueDepth',
      `{ a(x: ${'['.repeat(20)}${']'.repeat(20)}) }`,
      `{ a(x: ${'['.repeat(21)}${']'.repeat(21)}) }`,
    ],
    ['valueDepth', '{ a }', `query ($x: T = ${'{y: '.repeat(21)}1${'}'.repeat(21)}) { a }`],
    ['valueDepth', '{ a }', `{ a @d(x: ${'['.repeat(21)}${']'.repeat(21)}) }`],
  ];
  for (const [limit, within, over] of edges) {
    test(`${limit}: ${over.slice(0, 40)}…`, () => {
      assert.equal(limitOf(within), undefined);
      assert.equal(limitOf(over), limit);
    });
  }
});

test('the standard introspection query passes', () => {
  assert.equal(limitOf(getIntrospectionQuery()), undefined);
});

test('an introspection is not free: a few of them are all that an operation may cost', () => {
  const schemas = (count: number) => `{ ${many(count, n => `a${n}: __schema { types { name } }`)} }`;
  assert.equal(limitOf(schemas(2)), undefined);
  assert.equal(limitOf(schemas(3)), 'cost');
});

test('only the introspection itself is exempt, not the operation that begins with it', () => {
  assert.equal(limitOf(`{ __schema { types { name } } ${nested(11).slice(1)}`), 'depth');
});

test('fragments that form a circle are over the depth', () => {
  assert.equal(limitOf('{ ...a } fragment a on Q { ...b } fragment b on Q { x { ...a } }'), 'depth');
  assert.equal(limitOf('{ x } fragment a on Q { ...a }'), 'depth');
});

test('fragments that double each other are measured in no time', () => {
  const doubling = many(60, n => `fragment f${n} on Q { a { ...f${n + 1} } b { ...f${n + 1} } }`);
  const flat = many(60, n => `fragment f${n} on Q { ...f${n + 1} ...f${n + 1} }`);
  const atMs = performance.now();
  const deep = measureDocument(parse(`{ ...f0 } ${doubling} fragment f60 on Q { c }`));
  const wide = measureDocument(parse(`{ ...f0 } ${flat} fragment f60 on Q { c }`));
  assert.ok(performance.now() - atMs < 100);
  assert.equal(deep.depth, 61);
  assert.equal(wide.cost, 2 ** 60);
});

test('characters are counted besides texts, and quotes in comments begin no text', () => {
  const long = 'x'.repeat(30_000);
  const within = [
    '{ a }',
    `{ a(x: "${long}") }`,
    `{ a(x: """${long} "" \\""" ${long}""") b(x: "\\"${long}") }`,
  ];
  const over = [
    `{ ${long} }`,
    `{ a # ${long}\n}`,
    `{ a # "${long}"\n}`,
    `{ a # """${long}"""\n}`,
    `{ a(x: "${long}") ${','.repeat(30_000)} }`,
    `{ a(x: "#") ${long} "" }`,
  ];
  for (const document of within)
    assert.equal(hasMoreCharacters(document, 20_000), false, document.slice(0, 20));
  for (const document of over) assert.equal(hasMoreCharacters(document, 20_000), true, document.slice(0, 20));
});

test('the cost is of fields with their fragments spread', () => {
  const fragment = (levels: number) =>
    many(levels, n => `fragment f${n} on Q { x { ...f${n + 1} } y { ...f${n + 1} } }`);
  assert.equal(measureDocument(parse(`{ ...f0 } ${fragment(3)} fragment f3 on Q { c }`)).cost, 2 + 4 + 8 + 8);
});

test('root fields are named through fragments, and a fragment once', () => {
  const document = parse('{ a ... on Q { b ...f } ...f } fragment f on Q { c ...f }');
  const [operation] = document.definitions;
  assert.ok(operation?.kind === 'OperationDefinition');
  assert.deepEqual(rootFieldNames(document, operation), ['a', 'b', 'c']);
});
