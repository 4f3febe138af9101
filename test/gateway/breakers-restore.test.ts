// A breaker takes up the state that an earlier process left. By the library's plain `open()` it would start the full
// open time anew and announce a change that nobody made.

import assert from 'node:assert/strict';
import test from 'node:test';
import { createBreakers } from '../../src/gateway/breakers.ts';
import { fail, ID, mockedClock, START_MS, setUp, state } from './breaker-setup.ts';

test('restoring an open breaker waits for the rest of its time, keeps its date and tells nobody', t => {
  const { breakers, tick, transitions } = setUp(t);
  const at = new Date(START_MS - 4_900);

  breakers.restore({ deploymentId: ID, to: 'OPEN', at, cause: 'automatic', detail: 'It was overloaded.' });

  assert.equal(state(breakers), 'OPEN');
  assert.equal(breakers.snapshot(ID).since.getTime(), at.getTime());
  assert.equal(breakers.snapshot(ID).lastError, 'It was overloaded.');
  assert.deepEqual(transitions, []);
  tick(99);
  assert.equal(state(breakers), 'OPEN');
  tick(1);
  assert.equal(state(breakers), 'HALF_OPEN');
});

test('restoring a breaker whose open time is long over lets a probe through at once', t => {
  const { breakers } = setUp(t);
  const at = new Date(START_MS - 3_600_000);

  breakers.restore({ deploymentId: ID, to: 'OPEN', at, cause: 'automatic', detail: undefined });

  assert.equal(state(breakers), 'HALF_OPEN');
});

test('restoring never waits longer than the open time, also when the clock of the earlier process was ahead', t => {
  const { breakers, tick } = setUp(t);
  const at = new Date(START_MS + 3_600_000);

  breakers.restore({ deploymentId: ID, to: 'OPEN', at, cause: 'automatic', detail: undefined });
  tick(5_000);

  assert.equal(state(breakers), 'HALF_OPEN');
});

test('a breaker that was open for the third time in a row is restored with its whole rest, and doubles from there', t => {
  const before = setUp(t);
  fail(before.breakers, 5);
  for (const openMs of [5_000, 10_000]) {
    before.tick(openMs);
    fail(before.breakers, 1);
  }
  const last = before.transitions.at(-1)!;
  before.tick(1_000);

  const breakers = createBreakers({ openJitter: 0 }, { clock: mockedClock });
  breakers.restore(last);
  before.tick(18_999);
  assert.equal(state(breakers), 'OPEN');
  before.tick(1);
  assert.equal(state(breakers), 'HALF_OPEN');
  fail(breakers, 1);
  before.tick(29_999);
  assert.equal(state(breakers), 'OPEN');
  before.tick(1);
  assert.equal(state(breakers), 'HALF_OPEN');
});

test('a stored rest is no longer than the rules allow now', t => {
  const { breakers, tick } = setUp(t, { maxOpenForMs: 8_000 });
  const at = new Date(START_MS);
  const retryAt = new Date(START_MS + 3_600_000);

  breakers.restore({ deploymentId: ID, to: 'OPEN', at, retryAt, cause: 'automatic', detail: undefined });
  tick(8_000);

  assert.equal(state(breakers), 'HALF_OPEN');
});

test('a breaker opened by hand is held open after a restart too', t => {
  const { breakers, tick } = setUp(t);
  const at = new Date(START_MS - 3_600_000);

  breakers.restore({ deploymentId: ID, to: 'OPEN', at, cause: 'manual', detail: 'maintenance' });
  tick(3_600_000);

  assert.equal(state(breakers), 'OPEN');
});
