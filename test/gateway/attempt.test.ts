// What an attempt makes of an answer and of every fault, over streams written by hand. How it lets go of them:
// attempt-ending.test.ts. Deadlines: attempt-deadlines.test.ts. Real sockets: attempt-upstream.test.ts.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { AttemptFailed } from '../../src/gateway/attempt.ts';
import type { ProviderEvent } from '../../src/providers/provider.ts';
import { PROVIDER_FAULTS, ProviderError } from '../../src/providers/provider-error.ts';
import { createTestClock } from '../support/clock.ts';
import { begin, connected, finished, progress, started, streamOf, token, verdict } from './attempt-setup.ts';

test('hands on every token in order and reports what was measured', async () => {
  const clock = createTestClock();
  const usage = {
    inputTokens: 3,
    outputTokens: 2,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    estimated: false,
  };
  const attempt = begin(
    async function* () {
      yield connected;
      yield started;
      clock.advance(100);
      yield progress;
      clock.advance(200);
      yield token('Grüß ');
      yield token('');
      clock.advance(50);
      yield token('dich 👋');
      yield {
        type: 'finished',
        reason: { unified: 'stop', raw: 'end_turn' },
        usage,
        servedModel: 'gpt-6-sol-1102',
      };
    },
    { clock },
  );

  assert.deepEqual(await attempt.result, {
    outcome: 'succeeded',
    finishReason: 'stop',
    rawFinishReason: 'end_turn',
    usage,
    responseId: 'resp_1',
    servedModel: 'gpt-6-sol-1102',
    inputUsage: undefined,
    accepted: true,
    timeToFirstTokenMs: 300,
    durationMs: 350,
    textLength: 'Grüß dich 👋'.length,
  });
  assert.deepEqual(attempt.tokens, ['Grüß ', 'dich 👋']);
  assert.equal(verdict(attempt), 'success');
});

test('tells when the provider accepted the call', async () => {
  const seen: unknown[] = [];
  const attempt = begin(streamOf(started, token('Hi'), finished()), { onStarted: event => seen.push(event) });

  await attempt.result;

  assert.deepEqual(seen, [started]);
});

/** fault → code, what the breaker is told, retry on the same deployment, condemns the provider. */
const FAULTS: Record<(typeof PROVIDER_FAULTS)[number], [string, 'failure' | 'nothing', boolean, boolean]> = {
  connection: ['PROVIDER_FAILED', 'failure', true, false],
  certificate: ['PROVIDER_FAILED', 'failure', false, true],
  server: ['PROVIDER_FAILED', 'failure', true, false],
  'rate-limit': ['PROVIDER_FAILED', 'nothing', false, false],
  credentials: ['PROVIDER_FAILED', 'failure', false, true],
  'unknown-model': ['PROVIDER_FAILED', 'nothing', false, false],
  'bad-request': ['PROVIDER_FAILED', 'nothing', false, false],
  'context-length': ['CONTEXT_TOO_LONG', 'nothing', false, false],
  'content-policy': ['CONTENT_REFUSED', 'nothing', false, false],
  truncated: ['STREAM_TRUNCATED', 'failure', true, false],
  'bad-response': ['BAD_RESPONSE', 'failure', false, false],
  'schema-mismatch': ['BAD_RESPONSE', 'nothing', true, false],
};

for (const fault of PROVIDER_FAULTS) {
  const [code, told, retrySameTarget, providerWide] = FAULTS[fault];

  test(`${fault}: ${code}, and the breaker is told of ${told}`, async () => {
    const error = new ProviderError(fault, 'A neutral text.', { retryAfterMs: 700 });
    const attempt = begin(streamOf(connected, error));

    const result = (await attempt.result) as AttemptFailed;

    assert.deepEqual(
      [result.outcome, result.code, result.fault, result.message, result.retryAfterMs, result.tokensSent],
      ['failed', code, fault, 'A neutral text.', 700, false],
    );
    assert.deepEqual([result.retrySameTarget, result.providerWide], [retrySameTarget, providerWide]);
    assert.equal(verdict(attempt), told);
    assert.equal(result.counted, told === 'failure');
  });
}

test('the same deployment is not asked again once text was sent', async () => {
  const attempt = begin(streamOf(started, token('Hel'), new ProviderError('truncated', 'Cut.')));

  const result = (await attempt.result) as AttemptFailed;

  assert.deepEqual([result.tokensSent, result.retrySameTarget, result.textLength], [true, false, 3]);
});

test('a refused connection condemns the provider, a reset one does not', async () => {
  const failed = async (code: string) => {
    const cause = new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
    const attempt = begin(streamOf(new ProviderError('connection', 'No connection.', { cause })));
    return ((await attempt.result) as AttemptFailed).providerWide;
  };

  assert.equal(await failed('ECONNREFUSED'), true);
  assert.equal(await failed('ENOTFOUND'), true);
  assert.equal(await failed('ECONNRESET'), false);
});

test('a stream that ends without its end marker is truncated, never a success', async () => {
  const attempt = begin(streamOf(started, token('Hello')));

  const result = (await attempt.result) as AttemptFailed;

  assert.deepEqual([result.outcome, result.code, result.fault], ['failed', 'STREAM_TRUNCATED', 'truncated']);
  assert.equal(verdict(attempt), 'failure');
});

test('an error that no adapter should throw is told in neutral words, with the cause for the log', async () => {
  const secret = new TypeError('Bearer sk-secret');
  const attempt = begin(streamOf(secret));

  const result = (await attempt.result) as AttemptFailed;

  assert.deepEqual(
    [result.code, result.fault, result.message],
    ['PROVIDER_FAILED', undefined, 'The provider failed unexpectedly.'],
  );
  assert.equal(result.cause, secret);
  assert.equal(attempt.snapshot().lastError, 'The call failed.');
});

test('an adapter that throws before it streams is a failed attempt', async () => {
  const attempt = begin(() => {
    throw new ProviderError('connection', 'No connection.');
  });

  assert.equal((await attempt.result).outcome, 'failed');
  assert.equal(verdict(attempt), 'failure');
});

test('a content filter without a word is a refusal, with its usage', async () => {
  const usage = {
    inputTokens: 9,
    outputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    estimated: false,
  };
  const filtered: ProviderEvent = {
    type: 'finished',
    reason: { unified: 'content-filter', raw: 'refusal' },
    usage,
  };
  const attempt = begin(streamOf(started, filtered));

  const result = (await attempt.result) as AttemptFailed;

  assert.deepEqual([result.code, result.fault, result.usage], ['CONTENT_REFUSED', 'content-policy', usage]);
  assert.notEqual(verdict(attempt), 'failure');
});

test('a content filter after some text is an answer that says how it ended', async () => {
  const attempt = begin(streamOf(started, token('Some'), finished('content-filter')));

  const result = await attempt.result;

  assert.equal(result.outcome, 'succeeded');
  assert.equal(result.outcome === 'succeeded' && result.finishReason, 'content-filter');
});

test('an end marker without content and without a reason is not an answer', async () => {
  const attempt = begin(streamOf(started, finished('other')));

  assert.equal(((await attempt.result) as AttemptFailed).code, 'BAD_RESPONSE');
  assert.equal(verdict(attempt), 'failure');
});
