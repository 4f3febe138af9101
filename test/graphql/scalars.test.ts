// What the scalars let in, and how they show what goes out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GraphQLScalarType } from 'graphql';
import { parseDateTime, parseJson } from '../../src/graphql/scalars.ts';
import { schema } from '../../src/graphql/schema.ts';

const scalar = (name: string) => schema.getType(name) as GraphQLScalarType;

test('DateTime takes RFC 3339 with any offset and means the moment', () => {
  for (const [text, moment] of [
    ['2026-11-22T18:20:00Z', '2026-11-22T18:20:00.000Z'],
    ['2026-11-22T18:20:00.123Z', '2026-11-22T18:20:00.123Z'],
    ['2026-11-22T18:20:00.123456789Z', '2026-11-22T18:20:00.123Z'],
    ['2026-11-22T18:20:00+02:00', '2026-11-22T16:20:00.000Z'],
    ['2024-02-29T23:59:59-00:30', '2024-03-01T00:29:59.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ] as const)
    assert.equal(scalar('DateTime').serialize(parseDateTime(text)), moment);
});

test('DateTime refuses what is not exactly that', () => {
  for (const value of [
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T23:60:00Z',
    '2026-11-22T23:59:60Z',
    '2026-11-22T18:20:00',
    '2026-11-22 18:20:00Z',
    '2026-11-22t18:20:00z',
    '2026-11-22T18:20:00+24:00',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+012026-11-22T18:20:00Z',
    '2026-11-22',
    'yesterday',
    '',
    1_700_000_000_000,
    null,
    {},
  ])
    assert.throws(() => parseDateTime(value), /A DateTime is a string in RFC 3339/, String(value));
});

test('JSON keeps what it is given', () => {
  const value = { a: [1, 2.5, 'x', null, true], b: { c: {} } };

  assert.equal(parseJson(value), value);
});

test('JSON is bounded in depth and size, and holds only what can be stored', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 0 : [deep(levels - 1)]);

  parseJson(deep(20));
  assert.throws(() => parseJson(deep(21)), /20 levels/);
  parseJson(Array(999).fill(0));
  assert.throws(() => parseJson(Array(1_000).fill(0)), /1000 values/);
  assert.throws(() => parseJson({ a: Number.POSITIVE_INFINITY }), /finite/);
  assert.throws(() => parseJson({ '\0': 1 }), /Unicode/);
  assert.throws(() => parseJson(['\ud800']), /Unicode/);
});

test('money is a plain decimal string down to a nano-USD', () => {
  assert.equal(scalar('Decimal').serialize(1_500_000n), '0.0015');
  assert.equal(scalar('Decimal').serialize(1n), '0.000000001');
  assert.equal(scalar('Decimal').serialize(12_000_000_000n), '12');
});

test('money comes in as it goes out, and as nothing that might have been rounded', () => {
  for (const nanoUsd of [0n, 1n, 1_500_000n, 12_000_000_000n, 9_999_999_999_999_999_999n])
    assert.equal(scalar('Decimal').parseValue(scalar('Decimal').serialize(nanoUsd)), nanoUsd);
  assert.equal(scalar('Decimal').parseValue('007.50'), 7_500_000_000n);
  for (const value of [
    1.5,
    1,
    null,
    '',
    '-1',
    '+1',
    '1e3',
    '.5',
    '1.',
    '1,5',
    ' 1',
    '0.0000000001',
    '12345678901',
  ])
    assert.throws(() => scalar('Decimal').parseValue(value), /A Decimal is a string/, String(value));
});

test('token sums beyond what a number holds stay exact', () => {
  assert.equal(scalar('BigInt').serialize(2n ** 64n), '18446744073709551616');
  assert.throws(() => scalar('BigInt').parseValue('1'), /cannot be an input/);
});
