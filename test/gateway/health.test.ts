// What routing is told of a deployment: smoothed times, success rate, calls under way, cooldowns.

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createHealth } from '../../src/gateway/health.ts';
import { createTestClock } from '../support/clock.ts';

const ID = 'openai/gpt-6-sol';

function setUp() {
  const clock = createTestClock();
  const health = createHealth({ clock });
  const answer = (timeToFirstTokenMs: number | undefined, msPerOutputToken?: number) =>
    health.record(ID, { timeToFirstTokenMs, msPerOutputToken });
  const cooldownMs = () => {
    const { cooldownUntilMs } = health.read(ID);
    return cooldownUntilMs === undefined ? undefined : cooldownUntilMs - clock.now();
  };
  return { clock, health, answer, cooldownMs };
}

test('knows nothing of a deployment that was never called, and trusts it', () => {
  const { health } = setUp();

  assert.deepEqual(health.read(ID), {
    timeToFirstTokenMs: undefined,
    msPerOutputToken: undefined,
    timesConfidence: 0,
    successRate: 1,
    successConfidence: 0,
    inFlight: 0,
    cooldownUntilMs: undefined,
    rampStartedAtMs: undefined,
  });
});

test('a slower first token counts in full at once', () => {
  const { health, answer, clock } = setUp();
  answer(100);
  clock.advance(10);

  answer(5_000);

  assert.equal(health.read(ID).timeToFirstTokenMs, 5_000);
});

test('a quicker first token counts by the time that passed', () => {
  const { health, answer, clock } = setUp();
  answer(1_000);
  clock.advance(10_000);

  answer(0);

  assert.equal(health.read(ID).timeToFirstTokenMs, 1_000 * Math.exp(-1));
});

test('time per token is averaged both ways', () => {
  const { health, answer, clock } = setUp();
  answer(undefined, 10);
  clock.advance(10_000);

  answer(undefined, 20);

  assert.equal(health.read(ID).msPerOutputToken, 20 - 10 * Math.exp(-1));
});

test('times that are five minutes old are not known any more', () => {
  const { health, answer, clock } = setUp();
  answer(1_000, 10);

  clock.advance(299_999);
  assert.equal(health.read(ID).timeToFirstTokenMs, 1_000);
  clock.advance(1);

  const { timeToFirstTokenMs, msPerOutputToken } = health.read(ID);
  assert.deepEqual([timeToFirstTokenMs, msPerOutputToken], [undefined, undefined]);
});

test('a failure lowers the success rate and leaves the times alone', () => {
  const { health, answer } = setUp();
  answer(1_000, 10);

  health.record(ID, 'failure');

  const { timeToFirstTokenMs, msPerOutputToken, successRate } = health.read(ID);
  assert.deepEqual([timeToFirstTokenMs, msPerOutputToken, successRate], [1_000, 10, 3 / 4]);
});

test('the first success does not make a deployment worse than one that nobody tried', () => {
  const { health, answer } = setUp();

  answer(100);

  assert.equal(health.read(ID).successRate, 1);
});

test('failures count half after a minute, and an idle deployment is trusted again', () => {
  const { health, clock } = setUp();
  for (let failed = 0; failed < 4; failed += 1) health.record(ID, 'failure');
  assert.equal(health.read(ID).successRate, 2 / 6);

  clock.advance(60_000);
  assert.equal(health.read(ID).successRate, 2 / 4);
  clock.advance(3_600_000);
  assert.ok(health.read(ID).successRate > 0.999);
});

test('counts calls under way, each end once', () => {
  const { health } = setUp();
  const end = health.begin(ID);
  health.begin(ID);
  assert.equal(health.read(ID).inFlight, 2);

  end();
  end();

  assert.equal(health.read(ID).inFlight, 1);
});

test("obeys the provider's hint between one second and five minutes", () => {
  const hints: [number, number][] = [
    [30_000, 30_000],
    [-5, 1_000],
    [0, 1_000],
    [86_400_000, 300_000],
    [Number.POSITIVE_INFINITY, 300_000],
    [Number.NaN, 5_000],
  ];
  for (const [hintMs, expectedMs] of hints) {
    const { health, cooldownMs } = setUp();
    health.cooldown(ID, hintMs);
    assert.equal(cooldownMs(), expectedMs, `${hintMs}`);
  }
});

test('a cooldown ends by itself', () => {
  const { health, clock, cooldownMs } = setUp();
  health.cooldown(ID, 2_000);

  clock.advance(1_999);
  assert.equal(cooldownMs(), 1);
  clock.advance(1);
  assert.equal(cooldownMs(), undefined);
});

test('a new cooldown extends the one before and never shortens it', () => {
  const { health, clock, cooldownMs } = setUp();
  health.cooldown(ID, 60_000);
  clock.advance(10_000);

  health.cooldown(ID, 5_000);
  assert.equal(cooldownMs(), 50_000);
  health.cooldown(ID, 60_000);
  assert.equal(cooldownMs(), 60_000);
});

test('without a hint the pause doubles while it repeats, up to a minute, until a call succeeds', () => {
  const { health, answer, clock, cooldownMs } = setUp();
  const pauses = Array.from({ length: 6 }, () => {
    health.cooldown(ID, undefined);
    const pauseMs = cooldownMs()!;
    clock.advance(pauseMs);
    return pauseMs;
  });
  assert.deepEqual(pauses, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);

  answer(100);
  health.cooldown(ID, undefined);

  assert.equal(cooldownMs(), 5_000);
});

test('calls that are refused together are one refusal', () => {
  const { health, cooldownMs } = setUp();

  for (let refused = 0; refused < 10; refused += 1) health.cooldown(ID, undefined);

  assert.equal(cooldownMs(), 5_000);
});

const sample = fc.record({
  waitMs: fc.integer({ min: 0, max: 60_000 }),
  timeToFirstTokenMs: fc.integer({ min: 0, max: 100_000 }),
  msPerOutputToken: fc.integer({ min: 0, max: 1_000 }),
  failed: fc.boolean(),
});

test('times stay between the least and the greatest sample, rates between 0 and 1', () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, size: 'max', maxLength: 100 }), samples => {
      const { health, answer, clock } = setUp();
      const times: number[] = [];
      for (const { waitMs, timeToFirstTokenMs, msPerOutputToken, failed } of samples) {
        clock.advance(waitMs);
        if (failed) health.record(ID, 'failure');
        else {
          answer(timeToFirstTokenMs, msPerOutputToken);
          times.push(timeToFirstTokenMs);
        }
        const read = health.read(ID);
        assert.ok(read.successRate > 0 && read.successRate <= 1);
        if (read.timeToFirstTokenMs !== undefined)
          assert.ok(
            read.timeToFirstTokenMs >= Math.min(...times) && read.timeToFirstTokenMs <= Math.max(...times),
          );
      }
    }),
  );
});

test('whatever came before, two minutes of steady answers outweigh it', () => {
  const past = fc.array(sample, { size: 'max', maxLength: 50 });
  const steady = fc.integer({ min: 1, max: 10_000 });

  fc.assert(
    fc.property(past, steady, (samples, steadyMs) => {
      const { health, answer, clock } = setUp();
      for (const { waitMs, timeToFirstTokenMs } of samples) {
        clock.advance(waitMs);
        answer(timeToFirstTokenMs);
      }
      for (let second = 0; second < 120; second += 1) {
        clock.advance(1_000);
        answer(steadyMs);
      }
      const error = Math.abs(health.read(ID).timeToFirstTokenMs! - steadyMs);
      // e^-12 of the greatest sample possible.
      assert.ok(error <= 100_000 * Math.exp(-12) + 1e-9, `${error}`);
    }),
  );
});
