// What redaction finds, what it leaves alone, and that no text makes it slow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRedactText, REDACTION_KINDS, redactJson } from '../../src/domain/redaction.ts';

const redact = createRedactText(REDACTION_KINDS);

const FOUND: Record<string, string> = {
  'Write to anna.lee+news@example.co.uk, please.': 'Write to [EMAIL], please.',
  '<mailto:a@b.example>': '<mailto:[EMAIL]>',
  'jürgen@müller.example!': '[EMAIL]!',
  'a@b.example@c.example': '[EMAIL]@c.example',
  'card 4111 1111 1111 1111 12/27': 'card [CARD] 12/27',
  '378282246310005, 5555-5555-5555-4444.': '[CARD], [CARD].',
  '30569309025904 or 4222222222222': '[CARD] or [CARD]',
  'order 17 4111111111111111 is paid': 'order 17 [CARD] is paid',
  'DE89 3704 0044 0532 0130 00 and GB82WEST12345698765432': '[IBAN] and [IBAN]',
  'gb82 west 1234 5698 7654 32 from me': '[IBAN] from me',
  'from 192.168.0.17:8080, 10.0.0.0/8': 'from [IP]:8080, [IP]/8',
  'at 2001:db8::8a2e:370:7334 and ::ffff:1.2.3.4.': 'at [IP] and [IP].',
  '[fe80::1]': '[[IP]]',
  'call +49 (0)30 1234-567 or 0049301234567': 'call [PHONE] or [PHONE]',
  '(415) 555-2671; 415-555-2671; 1.415.555.2671': '[PHONE]; [PHONE]; [PHONE]',
  'on 01.02.2024 030 1234567': 'on 01.02.2024 [PHONE]',
};

const LEFT_ALONE = [
  'npm install left-pad@1.3.0, @scope/name, user@localhost',
  'at 12:30:45 on 2024-01-31, 31.01.2024 12:00 and 01/02/2024',
  'π is 3.14159265358979, and 0.123456789 is less',
  'version 1.2.3, std::vector<a::b>, v1.2.3.4, 256.1.1.1',
  'order 1700000000 of 1700000000000, and 4111 1111 1111 1112',
  'GB99 WEST 1234 5698 7654 32',
  'c0ffee00-4111-1111-1111-111111111111',
];

test('replaces what has the form of personal data', () => {
  for (const [text, redacted] of Object.entries(FOUND)) assert.equal(redact(text), redacted);
});

test('leaves alone what only looks like it', () => {
  for (const text of LEFT_ALONE) assert.equal(redact(text), text);
});

test('finds only the kinds that it is asked for', () => {
  const text = 'a@b.example from 10.0.0.1';
  assert.equal(createRedactText(['email'])(text), '[EMAIL] from 10.0.0.1');
  assert.equal(createRedactText(['ip'])(text), 'a@b.example from [IP]');
  assert.equal(createRedactText([])(text), text);
});

const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`));

function withLuhn(beginning: string): string {
  return [...'0123456789'].map(last => beginning + last).find(number => redact(number) === '[CARD]')!;
}

/** What must not be left of a text, and a way to write it. */
const planted = fc.oneof(
  fc
    .tuple(fc.stringMatching(/^[a-z]{1,10}$/), fc.stringMatching(/^[a-z]{2,10}\.example$/))
    .map(at => at.join('@')),
  digits(14).map(rest => withLuhn(`4${rest}`)),
  fc.ipV4(),
  fc.stringMatching(/^\+[1-9]\d{8,12}$/),
);

const surroundings = fc.stringMatching(/^[ ,;()"'\n]{1,3}$/);

test('whatever stands around it, nothing of it is left, and a second time finds nothing more', () => {
  const text = fc.tuple(fc.string(), surroundings, planted, surroundings, fc.string());
  fc.assert(
    fc.property(text, parts => {
      const redacted = redact(parts.join(''));
      assert.ok(!redacted.includes(parts[2]), redacted);
      assert.equal(redact(redacted), redacted);
    }),
    { numRuns: 500 },
  );
});

test('a second time finds nothing more, in texts of the characters that matter', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789aDE:.@+-( )['), maxLength: 200 });
  fc.assert(
    fc.property(text, said => {
      assert.equal(redact(redact(said)), redact(said));
    }),
    { numRuns: 2_000 },
  );
});

test('takes no more than one look at each character, however the text is made', () => {
  const length = 500_000;
  for (const unit of [
    'a',
    '1',
    '@',
    'a@',
    'a@a.',
    '1.',
    '1 ',
    ':',
    'f:',
    '+1',
    '(',
    'DE89',
    'DE89 ',
    '4111 ',
    '0 ',
  ]) {
    const text = unit.repeat(length / unit.length);
    assert.equal(typeof redact(text), 'string', unit);
  }
});

test('keeps the form of JSON, with names and numbers', () => {
  const value = { 'a@b.example': [4111111111111111, 17, true, null, { x: 'at 10.0.0.1' }] };
  assert.deepEqual(redactJson(value, redact), { '[EMAIL]': ['[CARD]', 17, true, null, { x: 'at [IP]' }] });
});
