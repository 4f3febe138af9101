import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { continueFrom, prefillOf, type Recovery, restartOver } from '../../src/gateway/recovery.ts';

/** What a subscriber has in the end that had `sent` when the new attempt began. */
function shown(
  sent: string,
  recovery: Recovery,
  chunks: readonly string[],
): { text: string; restarts: number } {
  let text = sent;
  let restarts = 0;
  for (const step of [...chunks.map(chunk => () => recovery.push(chunk)), () => recovery.end()]) {
    const recovered = step();
    if (recovered.kind === 'text') text += recovered.text;
    if (recovered.kind === 'restart') {
      text = recovered.text;
      restarts += 1;
    }
  }
  return { text, restarts };
}

/** The text in pieces of the given lengths. */
function cut(text: string, lengths: readonly number[]): string[] {
  const chunks: string[] = [];
  let at = 0;
  for (const length of lengths) {
    if (at < text.length) chunks.push(text.slice(at, at + length));
    at += length;
  }
  return at < text.length ? [...chunks, text.slice(at)] : chunks;
}

test('an answer that begins the same is continued where the first one broke off', () => {
  assert.deepEqual(
    shown('The capital of France', restartOver('The capital of France'), [
      'The cap',
      'ital of France is',
      ' Paris.',
    ]),
    {
      text: 'The capital of France is Paris.',
      restarts: 0,
    },
  );
});

test('an answer that begins otherwise replaces what was sent, once', () => {
  assert.deepEqual(shown('The capital is', restartOver('The capital is'), ['The ', 'city ', 'is Paris.']), {
    text: 'The city is Paris.',
    restarts: 1,
  });
});

test('a complete answer that is shorter than what was sent replaces it', () => {
  assert.deepEqual(shown('Yes, and more', restartOver('Yes, and more'), ['Yes']), {
    text: 'Yes',
    restarts: 1,
  });
});

test('whatever was sent and however the new answer comes, the subscriber ends with exactly the new answer', () => {
  const words = fc
    .array(fc.constantFrom('a', 'b', ' ', '🙂', 'ab'), { maxLength: 30 })
    .map(parts => parts.join(''));
  fc.assert(
    fc.property(words, words, fc.array(fc.integer({ min: 1, max: 5 })), (sent, answer, lengths) => {
      const { text, restarts } = shown(sent, restartOver(sent), cut(answer, lengths));
      assert.equal(text, answer);
      assert.equal(restarts, answer.startsWith(sent) ? 0 : 1);
    }),
    { numRuns: 2_000 },
  );
});

test('a continuation follows on, and what it repeats of the end is dropped', () => {
  const sent = 'Roses are red, violets are';
  const rest = ' blue, and this line goes on for long enough to be more than the head that is held back.';
  assert.equal(shown(sent, continueFrom(sent), [rest]).text, sent + rest);
  assert.equal(shown(sent, continueFrom(sent), ['violets', ' are', rest]).text, sent + rest);
  assert.equal(shown(sent, continueFrom(sent), [' blue.']).text, `${sent} blue.`);
});

test('white space that was cut off the prefill does not come twice', () => {
  assert.equal(prefillOf('one \n'), 'one');
  assert.equal(prefillOf(' \n'), undefined);
  assert.equal(shown('one \n', continueFrom('one \n'), [' \ntwo']).text, 'one \ntwo');
  assert.equal(shown('one ', continueFrom('one '), ['two']).text, 'one two');
});

test("a short repetition is taken for the model's own words", () => {
  assert.equal(shown('ha ha ', continueFrom('ha ha '), ['ha ha!']).text, 'ha ha ha ha!');
});
