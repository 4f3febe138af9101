// The five deadlines of an attempt, and whom they blame. The clock moves only when the test moves it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFAULT_DEADLINES, LOCAL_DEADLINES } from '../../src/domain/model.ts';
import type { AttemptFailed, AttemptResult } from '../../src/gateway/attempt.ts';
import { createTestClock } from '../support/clock.ts';
import {
  begin,
  connected,
  finished,
  pass,
  progress,
  type Started,
  silence,
  started,
  streamOf,
  token,
  verdict,
} from './attempt-setup.ts';

async function failure(attempt: Started): Promise<Pick<AttemptFailed, 'code' | 'message' | 'durationMs'>> {
  const { code, message, durationMs } = (await attempt.result) as AttemptFailed;
  return { code, message, durationMs };
}

/** `undefined` while the attempt goes on. */
function outcomeNow(attempt: Started): Promise<AttemptResult | undefined> {
  return Promise.race([attempt.result, Promise.resolve(undefined)]);
}

test('ends after the connect deadline when no connection stands', async () => {
  const attempt = begin(streamOf(silence()));

  await pass(attempt.clock, 2_999);
  assert.equal(await outcomeNow(attempt), undefined);
  await pass(attempt.clock, 1);

  assert.deepEqual(await failure(attempt), {
    code: 'TIMEOUT',
    message: 'No connection within 3000 ms.',
    durationMs: 3_000,
  });
  assert.equal(verdict(attempt), 'failure');
});

for (const event of [connected, started]) {
  test(`"${event.type}" ends the connect deadline; the first token has until its own, counted from the start`, async () => {
    const attempt = begin(streamOf(event, silence()));

    await pass(attempt.clock, 9_999, 101);
    assert.equal(await outcomeNow(attempt), undefined);
    await pass(attempt.clock, 1);

    assert.deepEqual(await failure(attempt), {
      code: 'TIMEOUT',
      message: 'No first token within 10000 ms.',
      durationMs: 10_000,
    });
    assert.equal(verdict(attempt), 'failure');
  });
}

test('a silent target is not asked a second time', async () => {
  const attempt = begin(streamOf(connected, silence()));
  await pass(attempt.clock, 10_000);

  const { retrySameTarget, fault } = (await attempt.result) as AttemptFailed;

  assert.deepEqual([retrySameTarget, fault], [false, undefined]);
});

test('reasoning counts as content: it ends the first-token deadline', async () => {
  const attempt = begin(streamOf(connected, progress, silence()));

  await pass(attempt.clock, 14_999);
  assert.equal(await outcomeNow(attempt), undefined);
  await pass(attempt.clock, 1);

  assert.equal((await failure(attempt)).code, 'STREAM_STALLED');
});

test('an answer that stops for longer than the idle deadline is stalled', async () => {
  const clock = createTestClock();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const stream = streamOf(
    started,
    token('a'),
    first.promise,
    token('b'),
    second.promise,
    progress,
    silence(),
  );
  const attempt = begin(stream, { clock });

  await pass(clock, 14_000);
  first.resolve();
  await pass(clock, 14_000);
  second.resolve();
  await pass(clock, 14_999);
  assert.equal(await outcomeNow(attempt), undefined);
  await pass(clock, 1);

  assert.deepEqual(await failure(attempt), {
    code: 'STREAM_STALLED',
    message: 'The answer stopped for 15000 ms.',
    durationMs: 43_000,
  });
  assert.equal(verdict(attempt), 'failure');
});

test('an idle deadline shorter than what was waited for before comes in time', async () => {
  const first = Promise.withResolvers<void>();
  const attempt = begin(streamOf(connected, first.promise, token('a'), silence()), {
    deadlines: { ...LOCAL_DEADLINES, idleMs: 2_000 },
  });
  await pass(attempt.clock, 40_000);
  first.resolve();

  await pass(attempt.clock, 2_000);

  assert.deepEqual(await failure(attempt), {
    code: 'STREAM_STALLED',
    message: 'The answer stopped for 2000 ms.',
    durationMs: 42_000,
  });
});

test('empty pieces of text are no sign of life', async () => {
  const wait = Promise.withResolvers<void>();
  const attempt = begin(streamOf(started, token('a'), wait.promise, token(''), silence()));

  await pass(attempt.clock, 10_000);
  wait.resolve();
  await pass(attempt.clock, 5_000);

  assert.equal((await failure(attempt)).code, 'STREAM_STALLED');
});

test('ends at the total deadline, however lively the answer is', async () => {
  const clock = createTestClock();
  const attempt = begin(
    async function* () {
      for (;;) {
        yield token('x');
        await pass(clock, 100);
      }
    },
    { clock, endsAtMs: 1_000 },
  );

  assert.deepEqual(await failure(attempt), {
    code: 'TIMEOUT',
    message: 'The total deadline of the request passed.',
    durationMs: 1_000,
  });
});

const slowest = { ...DEFAULT_DEADLINES, minTokensPerSecond: 2 };

test('an answer slower than the slowest bearable rate over ten seconds is stalled', async () => {
  const clock = createTestClock();
  const attempt = begin(
    async function* () {
      for (let second = 0; ; second += 1) {
        // Four tokens a second for 20 s, then one.
        for (let made = 0; made < (second < 20 ? 4 : 1); made += 1) yield token('x');
        await pass(clock, 1_000);
      }
    },
    { clock, deadlines: slowest },
  );

  const { code, durationMs } = await failure(attempt);

  assert.equal(code, 'STREAM_STALLED');
  // 4·n + 1·(10 − n) < 20 from n = 3 on: seven slow seconds after the twentieth.
  assert.equal(durationMs, 27_000);
  assert.equal(verdict(attempt), 'failure');
});

test('a slow but steady answer at the bearable rate is a success', async () => {
  const clock = createTestClock();
  const attempt = begin(
    async function* () {
      for (let second = 0; second < 60; second += 1) {
        yield token('x');
        yield progress;
        await pass(clock, 1_000);
      }
      yield finished();
    },
    { clock, deadlines: slowest },
  );

  assert.equal((await attempt.result).outcome, 'succeeded');
});

test('a caller in a hurry does not condemn the provider', async () => {
  const hasty = { connectMs: 10, firstTokenMs: 10, idleMs: 10, minTokensPerSecond: 1_000 };
  const streams = [streamOf(silence()), streamOf(connected, silence()), streamOf(token('a'), silence())];

  for (const stream of streams) {
    const attempt = begin(stream, { deadlines: hasty, deploymentDeadlines: DEFAULT_DEADLINES });
    await pass(attempt.clock, 20_000);
    const result = (await attempt.result) as AttemptFailed;
    assert.deepEqual([result.outcome, result.counted, verdict(attempt)], ['failed', false, 'nothing']);
  }

  const total = begin(streamOf(connected, silence()), {
    endsAtMs: 50,
    deploymentDeadlines: DEFAULT_DEADLINES,
  });
  await pass(total.clock, 50);
  assert.equal(((await total.result) as AttemptFailed).code, 'TIMEOUT');
  assert.equal(verdict(total), 'nothing');
});

test("a provider that misses its own configured deadline is blamed, also when the caller's is longer", async () => {
  const patient = { ...DEFAULT_DEADLINES, firstTokenMs: 20_000 };
  const attempt = begin(streamOf(connected, silence()), {
    deadlines: patient,
    deploymentDeadlines: DEFAULT_DEADLINES,
  });

  await pass(attempt.clock, 20_000);

  assert.equal(((await attempt.result) as AttemptFailed).counted, true);
  assert.equal(verdict(attempt), 'failure');
});

test('a provider that had most of the configured total is blamed for using it up', async () => {
  const totalMs = 10_000;
  const attempt = begin(streamOf(token('a'), silence()), {
    endsAtMs: 9_500,
    deploymentDeadlines: { ...DEFAULT_DEADLINES, totalMs },
  });

  await pass(attempt.clock, 9_500);

  assert.equal(((await attempt.result) as AttemptFailed).code, 'TIMEOUT');
  assert.equal(verdict(attempt), 'failure');
});

test('content that arrived while our own loop was blocked is not late', async () => {
  const clock = createTestClock();
  const answer = Promise.withResolvers<void>();
  const attempt = begin(streamOf(connected, answer.promise, token('in time'), finished()), { clock });
  await pass(clock, 1);

  // The timer is due, and so is the content: both wait for the same turn of the loop.
  clock.advance(10_000);
  answer.resolve();

  assert.equal((await attempt.result).outcome, 'succeeded');
});

test('no timer is left when an attempt is over', async () => {
  let running = 0;
  const counting = createTestClock();
  const clock = {
    ...counting,
    after(delayMs: number, callback: () => void) {
      running += 1;
      let ended = false;
      const end = () => {
        if (!ended) running -= 1;
        ended = true;
      };
      const stop = counting.after(delayMs, () => {
        end();
        callback();
      });
      return () => {
        end();
        stop();
      };
    },
  };

  for (const stream of [streamOf(token('a'), finished()), streamOf(token('a')), streamOf(silence())]) {
    const caller = new AbortController();
    const attempt = begin(stream, { clock, signal: caller.signal });
    await pass(clock, 1);
    assert.ok(running <= 1, 'one timer for all deadlines');
    caller.abort();
    await attempt.result;
    await pass(clock, 1);
    assert.equal(running, 0);
  }
});
