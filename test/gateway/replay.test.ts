// Late readers: the log is gone, and the stream is told from the stored row as if it had been read live.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ModelRequest, requestError } from '../../src/domain/request.ts';
import type { LoggedEvent, Position, StreamEvent } from '../../src/domain/stream.ts';
import { createMemoryEventLog } from '../../src/events/memory.ts';
import { replay } from '../../src/gateway/replay.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { anAttempt, anEndOf, aRequest } from '../store/samples.ts';
import { startTestApp } from '../support/app.ts';
import { openTestStore } from '../support/database.ts';
import { readStream, submit, textOf } from '../support/requests.ts';
import { startUpstream, status, text } from '../support/upstream.ts';

/** What a live writer appends: failed attempts, one that answers, its tokens, the end. */
const story = fc.record({
  attempts: fc.integer({ min: 1, max: 4 }),
  tokens: fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }), { maxLength: 30 }),
  succeeded: fc.boolean(),
});

function eventsOf({
  attempts,
  tokens,
  succeeded,
}: {
  attempts: number;
  tokens: string[];
  succeeded: boolean;
}) {
  const failed = requestError('STREAM_TRUNCATED', 'It broke off.');
  return [
    ...Array.from(
      { length: attempts },
      (_, index): StreamEvent => ({ type: 'attempt-started', attempt: index + 1, deploymentId: 'd' }),
    ),
    ...tokens.map((token): StreamEvent => ({ type: 'token', text: token })),
    succeeded ? { type: 'completed' } : { type: 'failed', error: failed },
  ] satisfies StreamEvent[];
}

const textIn = (events: readonly LoggedEvent[]) =>
  events.map(({ event }) => (event.type === 'token' ? event.text : '')).join('');
const attemptsIn = (events: readonly LoggedEvent[]) =>
  events.flatMap(({ event }) => (event.type === 'attempt-started' ? [event.attempt] : []));

test('every cursor of the live stream continues from the store to exactly the rest', async t => {
  const store = await openTestStore(t);
  await fc.assert(
    fc.asyncProperty(story, async told => {
      const log = createMemoryEventLog(systemClock);
      const request = aRequest();
      const writer = log.open(request.id, 1);
      const live = eventsOf(told).map(event => writer.append(event));
      await store.requests.accept(request);
      await store.requests.finish(
        anEndOf(request, {
          status: told.succeeded ? 'SUCCEEDED' : 'FAILED',
          error: told.succeeded ? undefined : requestError('STREAM_TRUNCATED', 'It broke off.'),
          output: told.tokens.join('') || undefined,
          attempts: Array.from({ length: told.attempts }, (_, index) => anAttempt({ number: index + 1 })),
          lastSequence: writer.sequence(),
          restartSequence: undefined,
        }),
      );
      const [stored] = await store.requests.byIds([request.id]);
      const [body] = await store.requests.bodiesByIds([request.id]);
      const [attempts] = await store.requests.attemptsByIds([request.id]);
      const rest = (after?: Position) => [...replay(stored!, body?.output, attempts!, after)];

      for (const [index, { position }] of [{ position: undefined }, ...live].entries()) {
        const expected = live.slice(index);
        const replayed = rest(position);
        assert.equal(textIn(replayed), textIn(expected));
        assert.deepEqual(attemptsIn(replayed), attemptsIn(expected));
        assert.deepEqual(replayed.at(-1), expected.at(-1));
        const sequences = replayed.map(event => event.position.sequence);
        assert.deepEqual(
          sequences,
          [...new Set(sequences)].sort((a, b) => a - b),
          'positions grow',
        );
        // A reader that is cut off again, now in the middle of the replay.
        for (const [at, { position: again }] of replayed.entries())
          assert.equal(textIn(rest(again)), textIn(replayed.slice(at + 1)));
      }
    }),
    { numRuns: 40 },
  );
});

test('a cursor from before the request was taken over voids the text that was seen', () => {
  const request = { ...storedRequest(), epoch: 2, lastSequence: 5, attemptCount: 1 };
  const events = [...replay(request, 'another answer', [], { epoch: 1, sequence: 7, offset: 12 })];
  assert.deepEqual(
    events.map(({ event }) => event.type),
    ['restarted', 'token', 'completed'],
  );
  assert.equal(textIn(events), 'another answer');
});

test('whoever left before a takeover is told of it first, then of the attempts since, each once and in order', () => {
  const request = { ...storedRequest(), epoch: 3, lastSequence: 5, restartSequence: 1, attemptCount: 2 };
  const attempts = [
    anAttempt({ number: 1, outcome: 'LOST' }),
    anAttempt({ number: 2, outcome: 'SUCCEEDED' }),
  ];
  const events = [...replay(request, 'whole', attempts, { epoch: 1, sequence: 7, offset: 12 })];
  assert.deepEqual(
    events.map(({ position, event }) => [position.sequence, event.type]),
    [
      [1, 'restarted'],
      [2, 'attempt-started'],
      [4, 'token'],
      [5, 'completed'],
    ],
  );
  assert.deepEqual(attemptsIn(events), [2]);
});

test('the text that a client saw of an abandoned request is not voided: the failure alone is told', () => {
  const error = requestError('INTERNAL', 'The server stopped.');
  const request: ModelRequest = { ...storedRequest(), status: 'FAILED', error, epoch: 2, lastSequence: 1 };
  const events = [...replay(request, undefined, [], { epoch: 1, sequence: 7, offset: 12 })];
  assert.deepEqual(events, [
    { position: { epoch: 2, sequence: 1, offset: 0 }, event: { type: 'failed', error } },
  ]);
});

test('a long answer is told in pieces, from each of which one can go on', () => {
  const request = { ...storedRequest(), lastSequence: 9 };
  const text = 'Grüße 😀'.repeat(50_000);
  const pieces = [...replay(request, text, [], undefined)].filter(({ event }) => event.type === 'token');

  assert.equal(textIn(pieces), text);
  for (const [index, { event, position }] of pieces.entries()) {
    assert.ok(event.type === 'token' && event.text.length <= 65_536 && event.text.isWellFormed());
    assert.equal(textIn([...replay(request, text, [], position)]), textIn(pieces.slice(index + 1)));
  }
});

test('behind the last event there is nothing', () => {
  const request = { ...storedRequest(), lastSequence: 5 };
  assert.deepEqual([...replay(request, 'text', [], { epoch: 1, sequence: 5, offset: 4 })], []);
});

test('a server that never saw the request tells its story like the one that ran it', async t => {
  const upstream = await startUpstream(t);
  const store = await openTestStore(t);
  const shared = async () => ({ ...store, close: async () => {} });
  const env = { OPENAI_BASE_URL: `${upstream.url}/v1` };
  const first = await startTestApp(t, env, shared);
  upstream.enqueue(status(500), [text('one '), text('zwei '), text('🙂')]);
  const id = await submit(first, { prompt: 'Count' });
  const live = await readStream(first, id);
  await first.app.close(0);

  const second = await startTestApp(t, env, shared);
  for (const [index, { cursor }] of [{ cursor: undefined }, ...live].entries()) {
    const late = await readStream(second, id, cursor);
    assert.equal(textOf(late), textOf(live.slice(index)));
    assert.deepEqual(late.at(-1), live.slice(index).at(-1));
  }
});

function storedRequest(): ModelRequest {
  const { id, userId, createdAt } = aRequest();
  return {
    id,
    userId,
    createdAt,
    parentId: undefined,
    step: undefined,
    status: 'SUCCEEDED',
    taskType: 'CHAT',
    priority: 50,
    preferLocal: false,
    strategy: 'BALANCED',
    requestedModel: undefined,
    startedAt: createdAt,
    firstTokenAt: undefined,
    finishedAt: createdAt,
    deploymentId: undefined,
    providerId: undefined,
    servedModel: undefined,
    finishReason: undefined,
    error: undefined,
    usage: undefined,
    costNanoUsd: 0n,
    failedAttemptsCostNanoUsd: 0n,
    overheadMs: 0,
    attemptCount: 1,
    epoch: 1,
    lastSequence: 5,
    restartSequence: undefined,
  };
}

test('where the stored text is not what was streamed, whoever comes back is told to begin again', async t => {
  const store = await openTestStore(t);
  const request = aRequest();
  await store.requests.accept(request);
  await store.requests.finish(
    anEndOf(request, { output: 'by [EMAIL]', lastSequence: 9, restartSequence: 9, attempts: [] }),
  );
  const [stored] = await store.requests.byIds([request.id]);
  const told = ([sequence, offset]: readonly [number, number], epoch = 1) =>
    [...replay(stored!, 'by [EMAIL]', [], { epoch, sequence, offset })].map(({ event }) =>
      event.type === 'token' ? event.text : event.type,
    );

  for (const position of [
    [3, 2],
    [8, 4],
    [8, 10],
    [8, 30],
  ] as const)
    assert.deepEqual(told(position), ['restarted', 'by [EMAIL]', 'completed']);
  assert.deepEqual(told([3, 2], 0), ['restarted', 'by [EMAIL]', 'completed']);
  // Whoever breaks off on the way, again and again, gets all of it in the end.
  const story = [...replay(stored!, 'by [EMAIL]', [], { epoch: 1, sequence: 3, offset: 2 })];
  for (const { position } of story.slice(0, -1))
    assert.deepEqual(told([position.sequence, position.offset]), ['restarted', 'by [EMAIL]', 'completed']);
  assert.deepEqual(told([9, 10]), []);
});
