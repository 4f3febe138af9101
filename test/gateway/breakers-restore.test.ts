// A breaker takes up the state that an earlier process left. By the library's plain `open()` it would start the full
// open time anew and announce a change that nobody made.

import assert from 'node:assert/strict';
import test from 'node:test';
import { ID, START_MS, setUp, state } from './breaker-setup.ts';

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

test('a breaker opened by hand is held open after a restart too', t => {
  const { breakers, tick } = setUp(t);
  const at = new Date(START_MS - 3_600_000);

  breakers.restore({ deploymentId: ID, to: 'OPEN', at, cause: 'manual', detail: 'maintenance' });
  tick(3_600_000);

  assert.equal(state(breakers), 'OPEN');
});
