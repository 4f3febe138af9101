// Which schemas are taken, and what is said of texts that are not JSON of one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSchema, type JsonSchema, validateJson } from '../../src/lib/json-schema.ts';

const PERSON: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    role: { enum: ['author', 'reader'] },
    friends: { type: 'array', items: { $ref: '#' } },
  },
  required: ['name'],
  additionalProperties: false,
};

function nested(levels: number): JsonSchema {
  return levels === 1 ? {} : { not: nested(levels - 1) };
}

const USABLE: [string, JsonSchema][] = [
  ['one that says nothing', {}],
  ['one that refers to itself', PERSON],
  ['one with definitions', { $ref: '#/$defs/id', $defs: { id: { type: 'string' } } }],
  ['one of 2020-12', { $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{}] }],
  ['one of draft-07', { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'null' }] }],
  ['one with keywords of somebody else', { type: 'string', 'x-order': 1, format: 'phone', nullable: true }],
  ['one of 32 levels', nested(32)],
];

for (const [name, schema] of USABLE)
  test(`takes ${name}`, () => assert.equal(checkSchema(schema), undefined));

const UNUSABLE: [string, unknown, RegExp][] = [
  ['a list', [], /must be a JSON Schema, which is an object/],
  ['true', true, /which is an object/],
  ['an unknown type', { type: 'strnig' }, /not a valid JSON Schema: \/type must be equal to one of/],
  ['properties that are a list', { properties: [] }, /\/properties must be object/],
  ['a broken pattern', { pattern: '(' }, /Invalid regular expression/],
  ['a reference to nowhere', { $ref: '#/$defs/none' }, /\$ref #\/\$defs\/none leads nowhere/],
  ['a reference to the network', { $ref: 'https://example.com/a' }, /only lead into the schema itself/],
  ['a reference to its own dialect', { $ref: 'https://json-schema.org/draft/2020-12/schema' }, /nowhere/],
  ['a reference to itself alone', { anyOf: [{ $ref: '#' }] }, /refers to itself without end/],
  ['another dialect', { $schema: 'http://json-schema.org/draft-04/schema#' }, /draft-07 or 2020-12/],
  ['a dialect that is no text', { $schema: 7 }, /draft-07 or 2020-12/],
  ['what would answer later', { $async: true }, /\$async/],
  ['33 levels', nested(33), /more than 32 levels/],
];

for (const [name, schema, problem] of UNUSABLE)
  test(`refuses ${name}, and says why each time`, () => {
    assert.match(checkSchema(schema) ?? '', problem);
    assert.match(checkSchema(schema) ?? '', problem);
  });

test('refuses what is too large or nested without end before it does anything else with it', () => {
  const large = { type: 'none', title: 'ä'.repeat(50) };
  const bytes = Buffer.byteLength(JSON.stringify(large));

  assert.match(checkSchema(large, bytes - 1) ?? '', /^is too large: at most \d+ bytes/);
  assert.match(checkSchema(large, bytes) ?? '', /^is not a valid JSON Schema/);
  const endless = JSON.parse(`${'{"not":'.repeat(200_000)}{}${'}'.repeat(200_000)}`);
  assert.match(checkSchema(endless, 10) ?? '', /^is nested more than 32 levels/);
});

test('a schema is on its own: nothing of an earlier one can be referred to or stands in its way', () => {
  const first = { $id: 'https://example.com/shared', $defs: { inner: { $id: 'inner', type: 'string' } } };
  const second = { $id: 'https://example.com/shared', type: 'number' };
  assert.equal(checkSchema(first), undefined);
  assert.equal(checkSchema(second), undefined);

  assert.match(checkSchema({ $ref: 'https://example.com/shared' }) ?? '', /leads nowhere/);
  assert.match(checkSchema({ $ref: 'https://example.com/inner' }) ?? '', /leads nowhere/);
});

test('a text that is JSON of its schema gives its value', () => {
  const text = ' {"name": "Ada", "friends": [{"name": "Grace"}]}\n';

  assert.deepEqual(validateJson(PERSON, text), { value: { name: 'Ada', friends: [{ name: 'Grace' }] } });
});

const WRONG: [string, string, string][] = [
  ['nothing', ' \n', 'is not JSON: it is empty'],
  ['prose', 'Here you are: {"name": "Ada"}', 'is not JSON: it begins with something else'],
  ['a code fence', '```json\n{"name": "Ada"}\n```', 'is not JSON: it is wrapped in a code fence'],
  ['a cut', '{"name": "Ada", "friends": [', 'is not JSON: it breaks off'],
  ['a cut in a text', '{"name": "Ad', 'is not JSON: it breaks off'],
  ['prose behind it', '{"name": "Ada"} There.', 'is not JSON: something follows on it at position 16'],
  ['a comma too many', '{"name": "Ada",}', 'is not JSON: it has an error at position 15'],
  ['another type', '"Ada"', 'is not of its schema: the value must be object'],
  ['a lack', '{}', "is not of its schema: the value must have required property 'name'"],
  [
    'a lack deep inside',
    '{"name": "Ada", "friends": [{"name": "Grace"}, {"name": ""}]}',
    'is not of its schema: /friends/1/name must NOT have fewer than 1 characters',
  ],
  [
    'another value',
    '{"name": "Ada", "role": "admin"}',
    'is not of its schema: /role must be equal to one of the allowed values: ["author","reader"]',
  ],
  [
    'a member too many',
    '{"name": "Ada", "a\\u0000\\ud800": 1}',
    'is not of its schema: the value must NOT have additional properties: "a\\u0000\\ud800"',
  ],
];

for (const [name, text, problem] of WRONG)
  test(`${name} is told`, () => assert.deepEqual(validateJson(PERSON, text), { problem }));

test('what is told is short, on one line, and can be stored', () => {
  const map = { additionalProperties: { type: 'number' } };

  const checked = validateJson(map, JSON.stringify({ [`\0\ud800\n${'x'.repeat(10_000)}`]: 'no' }));

  assert.ok('problem' in checked);
  assert.ok(checked.problem.length < 250);
  assert.ok(checked.problem.isWellFormed());
  assert.doesNotMatch(checked.problem, /\p{Cc}/u);
});

const years: [string, JsonSchema, unknown][] = [
  ['a pattern that tries everything', { pattern: '^(a+)+$' }, `${'a'.repeat(60)}b`],
  [
    'a schema that is compared twice as often on each level',
    { properties: { inner: { allOf: [{ $ref: '#' }, { $ref: '#' }] } } },
    Array.from({ length: 60 }).reduce(inner => ({ inner }), {}),
  ],
];

for (const [name, schema, value] of years)
  test(`${name} is given up after its time`, () => {
    assert.equal(checkSchema(schema), undefined);

    assert.deepEqual(validateJson(schema, JSON.stringify(value), 20), {
      problem: 'could not be compared with its schema: that takes longer than 20 ms',
      isOpen: true,
    });
    assert.deepEqual(validateJson(schema, '"aaa"'), { value: 'aaa' }, 'the next check is as ever');
  });

test('an answer nested without end does not exhaust the stack', () => {
  const schema = { type: 'array', items: { $ref: '#' } };

  const checked = validateJson(schema, `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 10_000);

  assert.ok('problem' in checked);
  assert.match(checked.problem, /deeper and deeper/);
});
