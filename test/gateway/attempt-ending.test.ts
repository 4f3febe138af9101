// How an attempt lets go: of endless answers, cancelled calls, adapters that do not listen, and at the proper end.

import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import test from 'node:test';
import type { AttemptFailed } from '../../src/gateway/attempt.ts';
import { createBreakers } from '../../src/gateway/breakers.ts';
import type { ProviderEvent } from '../../src/providers/provider.ts';
import { createTestClock } from '../support/clock.ts';
import {
  adapterFor,
  begin,
  finished,
  ID,
  pass,
  silence,
  started,
  streamOf,
  token,
  turn,
  verdict,
} from './attempt-setup.ts';

test('an endless answer is cut at the limit and the upstream is left', async () => {
  let left = false;
  const attempt = begin(
    async function* () {
      try {
        for (let made = 0; made < 1_000; made += 1) yield token('ääääääääää');
      } finally {
        left = true;
      }
    },
    { maxOutputBytes: 99 },
  );

  const result = (await attempt.result) as AttemptFailed;
  await turn();

  assert.deepEqual([result.code, result.textLength], ['BAD_RESPONSE', 40]);
  assert.equal(attempt.tokens.join('').length, 40, 'what goes beyond the limit is not handed on');
  assert.equal(left, true);
});

test('a call cancelled before it began is never made', async () => {
  let made = false;
  const attempt = begin(
    () => {
      made = true;
      return streamOf()(undefined as never, undefined as never);
    },
    { signal: AbortSignal.abort() },
  );

  assert.equal((await attempt.result).outcome, 'cancelled');
  assert.deepEqual([made, verdict(attempt)], [false, 'nothing']);
});

test('a cancelled call ends at once and says nothing about the provider', async () => {
  const caller = new AbortController();
  let upstream: AbortSignal | undefined;
  const attempt = begin(
    (call, signal) => {
      upstream = signal;
      return streamOf(started, token('Hel'), silence())(call, signal);
    },
    { signal: caller.signal },
  );
  await turn();

  caller.abort(new Error('cancelled by its owner'));
  const result = await attempt.result;

  assert.deepEqual([result.outcome, result.textLength], ['cancelled', 3]);
  assert.equal(upstream?.aborted, true);
  assert.equal(verdict(attempt), 'nothing');
});

test('an adapter that ignores the abort holds nobody up', async () => {
  const caller = new AbortController();
  const attempt = begin(
    async function* () {
      yield started;
      await silence();
    },
    { signal: caller.signal },
  );
  await turn();

  caller.abort();

  assert.equal((await attempt.result).outcome, 'cancelled');
});

test('what an adapter says after the end is not listened to', async () => {
  const caller = new AbortController();
  const { promise: later, resolve: speakLate } = Promise.withResolvers<void>();
  const attempt = begin(
    async function* () {
      yield token('Hel');
      await later;
      yield token('lo');
      yield finished();
    },
    { signal: caller.signal },
  );
  await turn();
  caller.abort();
  await attempt.result;

  speakLate();
  await turn();

  assert.deepEqual(attempt.tokens, ['Hel']);
  assert.equal(verdict(attempt), 'nothing');
});

// The first mistake to avoid: settled at the end of the source, a call whose reader leaves at the final event counts
// as cancelled, and a half-open breaker never closes.
test('the final event is a success, also when the caller leaves with it', async () => {
  const clock = createTestClock();
  const breakers = createBreakers({}, { clock });
  breakers.openProvider([ID], 'down');
  breakers.probeEarly(ID);

  for (let probe = 0; probe < 2; probe += 1) {
    const caller = new AbortController();
    const events = [token('Hi'), finished()];
    const ending = () => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: events.shift()! }),
        async return() {
          caller.abort();
          return { done: true as const, value: undefined };
        },
      }),
    });
    const { result } = begin(ending, { breakers, clock, signal: caller.signal });
    assert.equal((await result).outcome, 'succeeded');
  }

  assert.equal(breakers.snapshot(ID).state, 'CLOSED');
});

// The second one: without the source's `return()` the `finally` of an adapter never runs.
test("the adapter's finally runs when an attempt ends early", async () => {
  let cleanedUp = 0;
  const adapter = async function* (): AsyncGenerator<ProviderEvent> {
    try {
      yield token('Hi');
      yield finished();
      yield token('ghost text');
    } finally {
      cleanedUp += 1;
    }
  };

  const complete = begin(adapter);
  await complete.result;
  const cut = begin(adapter, { maxOutputBytes: 1 });
  await cut.result;
  await turn();

  assert.equal(cleanedUp, 2);
  assert.deepEqual(complete.tokens, ['Hi']);
});

test('after a proper end an adapter may take its leave, and is cut off when it does not', async () => {
  const clock = createTestClock();
  let upstream: AbortSignal | undefined;
  let released = 0;
  const attempt = begin(streamOf(), {
    clock,
    adapter: {
      ...adapterFor(streamOf()),
      async stream(_call, signal, onEvent) {
        upstream = signal;
        onEvent(token('Hi'));
        onEvent(finished());
        await once(signal, 'abort');
      },
    },
    onReleased: () => {
      released += 1;
    },
  });

  assert.equal((await attempt.result).outcome, 'succeeded');
  assert.deepEqual([upstream?.aborted, released], [false, 0]);
  await pass(clock, 1_000);

  assert.deepEqual([upstream?.aborted, released], [true, 1]);
});

test('a callback that throws ends the attempt and is not blamed on the provider', async () => {
  let upstream: AbortSignal | undefined;
  const attempt = begin(
    (call, signal) => {
      upstream = signal;
      return streamOf(token('Hi'), silence())(call, signal);
    },
    {
      onToken() {
        throw new RangeError('the log is closed');
      },
    },
  );

  await assert.rejects(attempt.result, RangeError);
  assert.equal(verdict(attempt), 'nothing');
  assert.equal(upstream?.aborted, true);
});

test("leaves nothing behind on the caller's signal", async () => {
  const caller = new AbortController();

  for (const stream of [streamOf(token('Hi'), finished()), streamOf(token('Hi'))])
    await begin(stream, { signal: caller.signal }).result;

  assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
});

test('a probe whose answer takes minutes is no hanging probe', async () => {
  const clock = createTestClock();
  const breakers = createBreakers({}, { clock });
  breakers.openProvider([ID], 'down');
  breakers.probeEarly(ID);

  const probe = begin(
    async function* () {
      for (let piece = 0; piece < 18; piece += 1) {
        yield token('x');
        await pass(clock, 10_000);
      }
      yield finished();
    },
    { breakers, clock },
  );

  assert.equal((await probe.result).outcome, 'succeeded');
  assert.equal(breakers.snapshot(ID).state, 'HALF_OPEN', 'one success of two');
  await begin(streamOf(token('x'), finished()), { breakers, clock }).result;
  assert.equal(breakers.snapshot(ID).state, 'CLOSED');
});
