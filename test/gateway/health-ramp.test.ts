// How new, recovered, idle and refusing deployments look to routing.

import assert from 'node:assert/strict';
import test from 'node:test';
import { createHealth } from '../../src/gateway/health.ts';
import { createTestClock } from '../support/clock.ts';

const ID = 'openai/gpt-6-sol';

function setUp() {
  const clock = createTestClock();
  const health = createHealth({ clock });
  const rampedMs = () => {
    const { rampStartedAtMs } = health.read(ID);
    return rampStartedAtMs === undefined ? undefined : clock.now() - rampStartedAtMs;
  };
  return { clock, health, rampedMs };
}

test('comes up to speed for half a minute from its first call on', () => {
  const { clock, health, rampedMs } = setUp();
  clock.advance(1_000);
  assert.equal(rampedMs(), undefined);

  health.begin(ID);
  clock.advance(10_000);
  health.begin(ID);
  assert.equal(rampedMs(), 10_000);
  clock.advance(20_000);
  assert.equal(rampedMs(), undefined);
});

test('is new again after five minutes without a call', () => {
  const { clock, health, rampedMs } = setUp();
  health.begin(ID);
  clock.advance(299_999);
  health.begin(ID);
  assert.equal(rampedMs(), undefined);

  clock.advance(300_000);
  health.begin(ID);
  assert.equal(rampedMs(), 0);
});

test('comes up to speed again after its breaker closed', () => {
  const { clock, health, rampedMs } = setUp();
  health.begin(ID);
  clock.advance(60_000);

  health.startRamp(ID);

  assert.equal(rampedMs(), 0);
});

test('a rate limit is followed by few calls at first, not by all that waited', () => {
  const { clock, health, rampedMs } = setUp();
  health.begin(ID);
  health.cooldown(ID, 5_000);

  clock.advance(5_000);

  assert.equal(health.read(ID).cooldownUntilMs, undefined);
  assert.equal(rampedMs(), 0);
});

test('a refused call is no success: a deployment that refuses loses its attraction', () => {
  const { health } = setUp();

  health.cooldown(ID, 1_000);

  assert.equal(health.read(ID).successRate, 2 / 3);
  assert.equal(health.read(ID).timeToFirstTokenMs, undefined);
});

test('what is known counts half after a minute without news', () => {
  const { clock, health } = setUp();
  health.record(ID, { timeToFirstTokenMs: 500, msPerOutputToken: 10 });
  assert.equal(health.read(ID).timesConfidence, 1);
  assert.equal(health.read(ID).successConfidence, 1 / 3);

  clock.advance(60_000);

  assert.equal(health.read(ID).timesConfidence, 0.5);
  assert.equal(health.read(ID).successConfidence, 0.5 / 2.5);
  assert.equal(health.read(ID).timeToFirstTokenMs, 500);
});

test('learning never stops: after ten thousand calls a minute of failures still shows', () => {
  const { clock, health } = setUp();
  for (let call = 0; call < 10_000; call += 1) {
    clock.advance(100);
    health.record(ID, { timeToFirstTokenMs: 100, msPerOutputToken: 10 });
  }
  for (let call = 0; call < 600; call += 1) {
    clock.advance(100);
    health.record(ID, 'failure');
  }

  assert.ok(health.read(ID).successRate < 0.6);
});
