import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSubmission, type Submission } from '../../src/domain/submission.ts';

const BOUNDS = {
  maxSteps: 10,
  maxDepth: 5,
  maxItems: 10,
  maxParallel: 10,
  maxDeadlineMs: 60_000,
  maxSchemaBytes: 1_000,
  maxTemplateBytes: 1_000,
};
const LIMITS = {
  maxPromptBytes: 1_000,
  maxMetadataBytes: 100,
  maxSchemaBytes: 200,
  workflow: BOUNDS,
  maxDeadlineMs: 60_000,
};
const parse = (submission: Submission) => parseSubmission(submission, LIMITS, 'BALANCED');

test('a prompt alone is enough; everything else has a default', () => {
  assert.deepEqual(parse({ prompt: 'Hello' }), {
    messages: [{ role: 'USER', content: 'Hello' }],
    system: undefined,
    taskType: 'CHAT',
    model: undefined,
    strategy: 'BALANCED',
    preferLocal: false,
    priority: 50,
    maxOutputTokens: undefined,
    temperature: undefined,
    stop: [],
    outputSchema: undefined,
    buffered: false,
    deadlines: {},
    metadata: undefined,
  });
});

const REFUSED: [string, Submission, RegExp][] = [
  ['nothing', {}, /prompt is missing/],
  ['an empty prompt', { prompt: '  ' }, /prompt is empty/],
  ['prompt and messages', { prompt: 'a', messages: [{ role: 'USER', content: 'b' }] }, /exclude each other/],
  ['messages without the user', { messages: [{ role: 'SYSTEM', content: 'b' }] }, /role USER/],
  ['an oversized prompt', { prompt: 'ä'.repeat(501) }, /1002 bytes, at most 1000/],
  ['a NUL', { prompt: 'a\0b' }, /NUL/],
  ['a lone surrogate', { prompt: 'a\ud800' }, /lone surrogate/],
  [
    'a priority out of range',
    { prompt: 'a', priority: 101 },
    /priority must be a whole number from 0 to 100/,
  ],
  ['a fractional priority', { prompt: 'a', priority: 1.5 }, /priority/],
  ['no output at all', { prompt: 'a', maxOutputTokens: 0 }, /maxOutputTokens/],
  ['a hot temperature', { prompt: 'a', temperature: 2.1 }, /temperature must be from 0 to 2/],
  ['five stop texts', { prompt: 'a', stop: ['1', '2', '3', '4', '5'] }, /stop has more than 4/],
  ['a negative deadline', { prompt: 'a', deadlines: { idleMs: -1 } }, /deadlines.idleMs/],
  [
    'a schema for a whole workflow',
    { workflow: { steps: [{ id: 'a', prompt: 'a' }] }, outputSchema: { type: 'object' } },
    /outputSchema is for one answer: give it to the step/,
  ],
  [
    'a schema for what is to be planned',
    { prompt: 'a', taskType: 'WORKFLOW', outputSchema: { type: 'object' } },
    /outputSchema is for one answer/,
  ],
  ['an endless deadline', { prompt: 'a', deadlines: { totalMs: 60_001 } }, /deadlines.totalMs/],
  ['large metadata', { prompt: 'a', metadata: { note: 'x'.repeat(200) } }, /metadata is too large/],
  [
    'a large schema',
    { prompt: 'a', outputSchema: { title: 'ä'.repeat(100) } },
    /outputSchema is too large: at most 200/,
  ],
  ['a schema that is none', { prompt: 'a', outputSchema: { type: 'txt' } }, /outputSchema is not a valid/],
  ['a schema that is a text', { prompt: 'a', outputSchema: '{}' }, /outputSchema must be a JSON Schema/],
  [
    'JSON as the rest of a text',
    {
      messages: [
        { role: 'USER', content: 'a' },
        { role: 'ASSISTANT', content: '{' },
      ],
      outputSchema: {},
    },
    /outputSchema excludes a last message by ASSISTANT/,
  ],
  ['an empty idempotency key', { prompt: 'a', idempotencyKey: '' }, /idempotencyKey/],
  ['a NUL in the system text', { prompt: 'a', system: 'b\0' }, /system contains the character NUL/],
  ['a lone surrogate in the idempotency key', { prompt: 'a', idempotencyKey: '\ud800' }, /idempotencyKey/],
  ['an empty model', { prompt: 'a', model: ' ' }, /model must have/],
];

for (const [name, submission, message] of REFUSED) {
  test(`refuses ${name} and names the argument`, () => {
    assert.throws(() => parse(submission), { name: 'DomainError', code: 'BAD_USER_INPUT', message });
  });
}

test('a schema is taken as it was given', () => {
  const outputSchema = { type: 'object', properties: { zebra: {}, ape: {} } };

  assert.equal(parse({ prompt: 'a', outputSchema }).outputSchema, outputSchema);
});
