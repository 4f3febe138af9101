// Events that are like the one before are read without being parsed: whatever comes, the text must be the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLikeness } from '../../src/providers/likeness.ts';
import { createChatDecoder } from '../../src/providers/openai-chat.ts';
import type { ProviderEvent } from '../../src/providers/provider.ts';

/** Texts that look like what stands around them, and all kinds of characters. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '',
    '"',
    '\\',
    '\n',
    '"content":"',
    '"},"finish_reason":null',
    'a',
    'aa',
    '\u2028',
    '😀',
    '}]}',
  ),
);

interface Chunk {
  readonly text: string;
  readonly extra: string | undefined;
  readonly created: number;
  readonly spaces: number;
}

const chunks = fc.record({
  text: texts,
  extra: fc.option(texts, { nil: undefined, freq: 5 }),
  created: fc.constantFrom(1, 1, 1, 1, 2),
  spaces: fc.constantFrom(0, 0, 0, 0, 1),
});

function dataOf({ text, extra, created, spaces }: Chunk): string {
  const delta = { content: text, ...(extra !== undefined && { annotation: { content: extra } }) };
  return JSON.stringify(
    { id: 'x', model: 'm', created, choices: [{ index: 0, delta, finish_reason: null }] },
    null,
    spaces,
  );
}

test('a chat answer reads the same whether its events are parsed or recognised', () => {
  fc.assert(
    fc.property(fc.array(chunks, { minLength: 1, maxLength: 20 }), answer => {
      const decoder = createChatDecoder({ provider: 'openai', apiKey: '' });
      const out: ProviderEvent[] = [];
      for (const chunk of answer)
        decoder.decode({ data: dataOf(chunk), event: undefined, id: undefined }, out);
      const read = out.map(event => (event.type === 'token' ? event.text : '')).join('');
      assert.equal(read, answer.map(chunk => chunk.text).join(''));
    }),
    { numRuns: 3_000 },
  );
});

test('what differs in more than its text is not taken for like', () => {
  const likeness = createLikeness('content');
  likeness.learn('{"a":1,"content":"one","b":null}', 'one');

  assert.equal(likeness.textOf('{"a":1,"content":"two","b":null}'), 'two');
  assert.equal(likeness.textOf('{"a":1,"content":"","b":null}'), '');
  for (const other of [
    '{"a":2,"content":"two","b":null}',
    '{"a":1,"content":"two","b":"stop"}',
    '{"a":1,"content":"t\\u0077o","b":null}',
    '{"a":1,"content":"two","c":"x","b":null}',
    '{"a":1,"content":null,"b":null}',
    '{"a":1,"content":"b":null}',
  ])
    assert.equal(likeness.textOf(other), undefined, other);
});

test('nothing is learnt where two places could be the text, and not for ever where each event differs', () => {
  const likeness = createLikeness('content');
  likeness.learn('{"content":"x","y":{"content":"x"}}', 'x');
  assert.equal(likeness.textOf('{"content":"z","y":{"content":"x"}}'), undefined);
  for (let salt = 0; salt < 20; salt += 1) likeness.learn(`{"content":"x","salt":"${salt}"}`, 'x');
  assert.equal(likeness.textOf('{"content":"z","salt":"19"}'), undefined);
});
