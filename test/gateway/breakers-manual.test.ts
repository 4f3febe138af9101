// Changes that no call caused: an administrator's, and those of a fault that condemns a whole provider.

import assert from 'node:assert/strict';
import test from 'node:test';
import { fail, ID, overloaded, setUp, state } from './breaker-setup.ts';

test('a provider-wide fault opens all deployments of the provider, without a fifth failure', t => {
  const { breakers, tick, transitions } = setUp(t);
  const siblings = ['openai/a', 'openai/b'];

  breakers.openProvider(siblings, 'The key was refused.');

  assert.deepEqual(
    transitions.map(({ deploymentId, to, cause, detail }) => [deploymentId, to, cause, detail]),
    siblings.map(id => [id, 'OPEN', 'automatic', 'The key was refused.']),
  );
  assert.equal(state(breakers, 'anthropic/c'), 'CLOSED');
  tick(5_000);
  assert.equal(state(breakers, 'openai/a'), 'HALF_OPEN');
});

test('a provider-wide fault leaves the timer of a breaker that is open already', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);
  tick(4_000);

  breakers.openProvider([ID], 'The key was refused.');
  tick(1_000);

  assert.equal(state(breakers), 'HALF_OPEN');
});

test('opened by hand it stays open until it is reset', t => {
  const { breakers, tick, transitions } = setUp(t);

  breakers.open(ID, 'maintenance');
  tick(24 * 3_600_000);
  assert.equal(state(breakers), 'OPEN');
  assert.equal(breakers.snapshot(ID).retryAt, undefined);

  breakers.reset(ID, 'done');
  assert.deepEqual(
    transitions.map(({ from, to, cause, detail }) => [from, to, cause, detail]),
    [
      ['CLOSED', 'OPEN', 'manual', 'maintenance'],
      ['OPEN', 'CLOSED', 'manual', 'done'],
    ],
  );
});

test('opened by hand while it is open anyway, it loses its timer, and that is told', t => {
  const { breakers, tick, transitions } = setUp(t);
  fail(breakers, 5);

  breakers.open(ID, 'maintenance');
  tick(3_600_000);

  assert.equal(state(breakers), 'OPEN');
  assert.deepEqual(
    transitions.map(({ from, to, cause }) => [from, to, cause]),
    [
      ['CLOSED', 'OPEN', 'automatic'],
      ['OPEN', 'OPEN', 'manual'],
    ],
  );
});

test('a free sign of life ends the open time early, but not one set by hand', t => {
  const { breakers } = setUp(t);
  fail(breakers, 5);
  breakers.open('ollama/held', 'maintenance');

  for (const id of [ID, 'ollama/held', 'ollama/never-called']) breakers.probeEarly(id);

  assert.equal(state(breakers), 'HALF_OPEN');
  assert.equal(state(breakers, 'ollama/held'), 'OPEN');
  assert.equal(state(breakers, 'ollama/never-called'), 'CLOSED');
});

test('a reset while closed also forgets the calls under way', t => {
  const { breakers, transitions } = setUp(t);
  fail(breakers, 4);
  const begunBefore = breakers.acquire(ID);

  breakers.reset(ID, 'clean slate');
  begunBefore.fail(overloaded);

  const { calls, failures, lastError } = breakers.snapshot(ID);
  assert.deepEqual([calls, failures, lastError], [0, 0, undefined]);
  assert.deepEqual(transitions, [], 'closed before and after: nothing changed');
});

// mollitia reads the clock twice when it opens, and is half-open at once when the open time has passed in between.
test('a breaker opened by hand is held open also when time passes while it opens', t => {
  const { breakers, changes } = setUp(t);
  let nowMs = Date.now();
  t.mock.method(Date, 'now', () => ++nowMs);

  breakers.open(ID, 'maintenance');

  assert.equal(state(breakers), 'OPEN');
  assert.deepEqual(changes(), ['CLOSED>OPEN']);
});
