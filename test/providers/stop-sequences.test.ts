// Stop sequences found by us: however the text is cut into pieces, it ends where the first of them begins.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnswerDecoder } from '../../src/providers/answer.ts';
import type { ProviderEvent } from '../../src/providers/provider.ts';
import { stoppingAt } from '../../src/providers/stop-sequences.ts';

/** Reads each event as text, and the event `END` as the end of the answer. */
function plainDecoder(): AnswerDecoder {
  let complete = false;
  return {
    decode({ data, event }, out) {
      if (event === 'end') complete = true;
      else out.push({ type: 'token', text: data });
    },
    isComplete: () => complete,
    hasEnded: () => complete,
    finished: () => ({ type: 'finished', reason: { unified: 'stop', raw: 'end' }, usage: undefined }),
  };
}

function read(pieces: readonly string[], stop: readonly string[]): { text: string; raw: string } {
  const decoder = stoppingAt(plainDecoder(), stop);
  const out: ProviderEvent[] = [];
  for (const data of pieces) if (!decoder.hasEnded()) decoder.decode({ data }, out);
  if (!decoder.hasEnded()) decoder.decode({ data: '', event: 'end' }, out);
  const text = out.map(event => (event.type === 'token' ? event.text : '')).join('');
  return { text, raw: decoder.finished().reason.raw };
}

const letters = fc.string({ unit: fc.constantFrom('a', 'b', '😀') });

test('ends where the first stop sequence begins, and loses nothing when there is none', () => {
  fc.assert(
    fc.property(
      fc.array(letters, { maxLength: 12 }),
      fc.array(
        letters.filter(sequence => sequence !== ''),
        { minLength: 1, maxLength: 3 },
      ),
      (pieces, stop) => {
        const whole = pieces.join('');
        const found = stop.map(sequence => whole.indexOf(sequence)).filter(index => index >= 0);
        const { text, raw } = read(pieces, stop);
        // Of two sequences that overlap, the one completed first is the one that is known.
        const earliestEnd = Math.min(
          ...stop.flatMap(sequence => {
            const index = whole.indexOf(sequence);
            return index < 0 ? [] : [index + sequence.length];
          }),
        );
        if (found.length === 0) assert.deepEqual([text, raw], [whole, 'end']);
        else {
          assert.equal(raw, 'stop_sequence');
          assert.ok(whole.startsWith(text));
          assert.ok(text.length <= earliestEnd);
          for (const sequence of stop) assert.equal(text.includes(sequence), false);
        }
      },
    ),
  );
});

test('passes text on as soon as it cannot be the beginning of a stop sequence', () => {
  const decoder = stoppingAt(plainDecoder(), ['###']);
  const out: ProviderEvent[] = [];

  decoder.decode({ data: 'one #' }, out);
  decoder.decode({ data: '# two' }, out);

  assert.deepEqual(out, [
    { type: 'token', text: 'one ' },
    { type: 'token', text: '## two' },
  ]);
});

test('is not in the way where no stop sequence was asked for', () => {
  const decoder = plainDecoder();

  assert.equal(stoppingAt(decoder, []), decoder);
});
