// What the simulated provider makes of a schema is valid, labelled, repeatable, and its names refer to each other.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkSchema, type JsonSchema, validateJson } from '../../src/lib/json-schema.ts';
import { createSimulatedAdapter } from '../../src/providers/simulated.ts';
import { jsonOf } from '../../src/providers/simulated-json.ts';
import { randomFrom } from '../../src/providers/simulated-random.ts';
import { collect, faultOf, providerCall } from '../support/provider-calls.ts';

const luckOf = (seed: number) => ({
  random: randomFrom(seed),
  words: (count: number) => Array(count).fill('lorem').join(' '),
  label: '[simulated]',
});
const makeText = (schema: JsonSchema, seed = 1, maxLength = 50_000) =>
  jsonOf(schema, luckOf(seed), maxLength);
const make = (schema: JsonSchema, seed = 1) => JSON.parse(makeText(schema, seed));

const range = (min: number, max: number) =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(pair => pair.toSorted((a, b) => a - b));
const name = fc.constantFrom('id', 'dependsOn', 'title', 'steps', 'owner', 'a/b', 'constructor', 'über~');
const step = fc.constantFrom(1, 2, 5, 0.5, 0.25);

const text = fc.oneof(
  fc.constant({ type: 'string' }),
  range(0, 80).map(([minLength, maxLength]) => ({ type: 'string', minLength, maxLength })),
  fc.constantFrom('date', 'uuid', 'phone').map(format => ({ type: 'string', format })),
);
const number = fc.oneof(
  range(-1_000, 1_000).map(([minimum, maximum]) => ({ type: 'integer', minimum, maximum })),
  range(-9, 9).map(([low, high]) => ({ type: 'number', exclusiveMinimum: low, exclusiveMaximum: high! + 1 })),
  fc.tuple(fc.integer(), step).map(([minimum, multipleOf]) => ({ type: 'number', minimum, multipleOf })),
  fc.integer({ min: -99, max: 99 }).map(exclusiveMaximum => ({ type: 'integer', exclusiveMaximum })),
  fc.constant({ type: 'number' }),
);
const choice = fc.oneof(
  fc.uniqueArray(fc.jsonValue(), { minLength: 1, maxLength: 4 }).map(values => ({ enum: values })),
  fc.jsonValue({ maxDepth: 1 }).map(value => ({ const: value })),
);

/** The supported subset. `#/$defs/tree` is a schema that refers to itself. */
const { schema } = fc.letrec<{ schema: JsonSchema; object: JsonSchema; list: JsonSchema }>(tie => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(text, number, choice, fc.constantFrom({ type: 'boolean' }, { type: 'null' }, {})),
    fc.constantFrom({ $ref: '#/$defs/name' }, { $ref: '#/$defs/tree' }),
    tie('object'),
    tie('list'),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map(anyOf => ({ anyOf })),
    text.map(part => ({ ...part, type: ['string', 'null'] })),
  ),
  object: fc
    .record({
      members: fc.uniqueArray(fc.tuple(name, tie('schema')), { maxLength: 4, selector: ([key]) => key }),
      needed: fc.array(name, { maxLength: 4 }),
      closed: fc.boolean(),
    })
    .map(({ members, needed, closed }) => ({
      type: 'object',
      properties: Object.fromEntries(members),
      required: [...new Set(needed)].filter(each => !closed || members.some(([key]) => key === each)),
      ...(closed && { additionalProperties: false }),
    })),
  list: fc.oneof(
    fc.tuple(tie('schema'), range(0, 5)).map(([items, [minItems, maxItems]]) => ({
      type: 'array',
      items,
      minItems,
      maxItems,
    })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map(prefixItems => ({
      type: 'array',
      prefixItems,
      items: false,
    })),
    fc.constant({ type: 'array', items: { type: 'string' }, uniqueItems: true, minItems: 3 }),
  ),
}));

const DEFINITIONS = {
  name: { type: 'string', minLength: 3 },
  tree: {
    type: 'object',
    properties: { id: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    required: ['children'],
  },
};

test('is valid, whatever the schema and the luck', () => {
  fc.assert(
    fc.property(schema, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (part, seed) => {
      const whole = { ...part, $defs: DEFINITIONS };
      assert.equal(checkSchema(whole), undefined);

      const made = makeText(whole, seed);

      assert.ok('value' in validateJson(whole, made), `${JSON.stringify(whole)} → ${made}`);
      assert.equal(makeText(whole, seed), made, 'the same luck makes the same');
    }),
    { numRuns: 300 },
  );
});

const PLAN = {
  type: 'object',
  properties: {
    steps: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          id: { type: 'string' },
          title: { type: 'string' },
          prompt: { type: 'string' },
          dependsOn: { type: 'array', items: { type: 'string' } },
        },
        required: ['id', 'title', 'prompt', 'dependsOn'],
        additionalProperties: false,
      },
    },
  },
  required: ['steps'],
  additionalProperties: false,
};

describe('a plan', () => {
  test('names its steps, and each depends on earlier ones only', () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 100; seed += 1) {
      const { steps } = make(PLAN, seed);
      const ids = steps.map((each: { id: string }) => each.id);
      assert.deepEqual(
        ids,
        ids.map((_id: string, index: number) => `step-${index + 1}`),
      );
      for (const [index, { dependsOn, title }] of steps.entries()) {
        assert.ok(dependsOn.every((id: string) => ids.slice(0, index).includes(id)));
        assert.equal(dependsOn.length > 0, index > 0);
        assert.match(title, /^\[simulated\] lorem/);
      }
      lengths.add(steps.length);
    }
    assert.deepEqual([...lengths].sort(), [2, 3, 4]);
  });

  test('is told as any other answer, and counted', async () => {
    const adapter = createSimulatedAdapter({ delayFactor: 0 });
    const call = providerCall({
      model: 'smart',
      maxOutputTokens: 4_096,
      output: { schema: PLAN, enforced: true },
    });

    const plain = await collect(adapter, { ...call, output: undefined });
    const { text: told, events, finished } = await collect(adapter, call);

    assert.ok('value' in validateJson(PLAN, told));
    assert.equal((await collect(adapter, call)).text, told);
    assert.equal(finished?.reason.unified, 'stop');
    assert.equal(finished.usage?.outputTokens, events.filter(({ type }) => type === 'token').length);
    assert.ok(finished.usage!.inputTokens > plain.finished!.usage!.inputTokens, 'the schema is read too');
  });
});

describe('names', () => {
  test('are of the list or object that has them, and no two are the same', () => {
    const node = { type: 'object', properties: { id: { type: 'string' } } };
    const entry = { ...node, properties: { ...node.properties, owner: node } };
    const made = make({ properties: { id: {}, entries: { items: entry }, people: { items: node } } });

    assert.equal(made.id, 'item-1');
    assert.deepEqual([made.entries[1].id, made.entries[1].owner.id], ['entry-2', 'owner-2']);
    assert.equal(made.people[0].id, 'people-1');
  });

  test('give way to what the schema says', () => {
    const made = make({
      properties: { id: { type: 'integer' }, dependsOn: { items: { enum: ['a'] }, minItems: 1 } },
    });

    assert.equal(typeof made.id, 'number');
    assert.deepEqual(new Set(made.dependsOn), new Set(['a']));
  });
});

test('required members come first', () => {
  const schema = { properties: { note: {}, title: {}, tags: {} }, required: ['tags', 'title', 'more'] };

  assert.deepEqual(Object.keys(make(schema)), ['title', 'tags', 'more', 'note']);
});

test('an answer that has little room is brief', () => {
  const schema = { properties: { a: {}, b: {}, c: { items: {} } }, required: ['a'] };

  assert.ok(makeText(schema).length > 100);
  assert.deepEqual(Object.keys(JSON.parse(makeText(schema, 1, 100))), ['a']);
});

const GREEDY: [string, JsonSchema][] = [
  ['a list without end', { minItems: 10 ** 9, items: { minItems: 10 ** 9 } }],
  ['members without end', { type: 'object', minProperties: 10 ** 9 }],
  ['a text without end', { type: 'string', minLength: 10 ** 9 }],
  ['itself, always', { type: 'object', properties: { more: { $ref: '#' } }, required: ['more'] }],
  [
    'itself twice',
    { type: 'object', properties: { a: { $ref: '#' }, b: { $ref: '#' } }, required: ['a', 'b'] },
  ],
  [
    'ever more parts of itself',
    Object.fromEntries([
      ['allOf', [{ $ref: '#/$defs/p0' }]],
      [
        '$defs',
        Object.fromEntries(
          Array.from({ length: 60 }, (_, index) => {
            const next = { $ref: `#/$defs/p${index + 1}` };
            return [`p${index}`, index === 59 ? {} : { allOf: [next, next] }];
          }),
        ),
      ],
    ]),
  ],
];

for (const [what, schema] of GREEDY)
  test(`a schema that asks for ${what} is given something before long`, () => {
    assert.ok(makeText(schema).length < 2_000_000);
  });

describe('what is not of the schema can be had', () => {
  const adapter = createSimulatedAdapter({ delayFactor: 0 });
  const ask = (prompt: string) =>
    collect(
      adapter,
      providerCall({
        model: 'fast',
        messages: [{ role: 'USER', content: prompt }],
        output: { schema: PLAN, enforced: true },
      }),
    );

  test('by a directive that says what to answer', async () => {
    assert.equal((await ask('[[echo]] no JSON')).text, '[simulated] no JSON');
  });

  test('by a fault in the middle', async () => {
    const { text: told, error } = await ask('[[fail:cut]]');

    assert.equal(faultOf(error), 'truncated');
    assert.deepEqual(validateJson(PLAN, told), { problem: 'is not JSON: it breaks off' });
  });
});
