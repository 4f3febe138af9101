// When nobody else can serve, an open breaker lets one call through before its time: one for each time that it is open,
// and the time is neither shortened nor prolonged by a call that fails.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { BreakerRules } from '../../src/gateway/breakers.ts';
import { fail, ID, overloaded, START_MS, setUp, state, succeed } from './breaker-setup.ts';

/** Open since a second ago, for four more. */
function openFor(t: TestContext, rules: Partial<BreakerRules> = {}) {
  const setup = setUp(t, rules);
  fail(setup.breakers, 5);
  setup.tick(1_000);
  return setup;
}

test('an open breaker gives its last resort once, as a probe that is alone', t => {
  const { breakers } = openFor(t);
  assert.deepEqual(breakers.outlook(ID), {
    admits: false,
    halfOpen: false,
    retryAfterMs: 4_000,
    lastResort: true,
  });

  const permit = breakers.acquireLastResort(ID);

  assert.ok(permit);
  assert.equal(breakers.acquireLastResort(ID), undefined);
  assert.equal(breakers.admits(ID), false);
  assert.deepEqual(breakers.outlook(ID), {
    admits: false,
    halfOpen: false,
    retryAfterMs: 4_000,
    lastResort: false,
  });
});

test('after one that failed the open time goes on, and there is no other until the next opening', t => {
  const { breakers, tick } = openFor(t);

  breakers.acquireLastResort(ID)!.fail(overloaded);

  assert.equal(state(breakers), 'OPEN');
  assert.equal(breakers.snapshot(ID).retryAt?.getTime(), START_MS + 5_000);
  assert.equal(breakers.acquireLastResort(ID), undefined);
  tick(3_999);
  assert.equal(state(breakers), 'OPEN');
  tick(1);
  assert.equal(state(breakers), 'HALF_OPEN');

  fail(breakers, 1);
  assert.equal(breakers.outlook(ID).retryAfterMs, 10_000, 'the second opening, not the third');
  assert.ok(breakers.acquireLastResort(ID));
});

test('one that succeeds counts as the first probe', t => {
  const { breakers, changes } = openFor(t);

  breakers.acquireLastResort(ID)!.succeed();
  assert.equal(state(breakers), 'HALF_OPEN');
  succeed(breakers, 1);

  assert.deepEqual(changes(), ['CLOSED>OPEN', 'OPEN>HALF_OPEN', 'HALF_OPEN>CLOSED']);
});

test('a probe that fails after one that succeeded opens it anew', t => {
  const { breakers } = openFor(t);

  breakers.acquireLastResort(ID)!.succeed();
  fail(breakers, 1);

  assert.equal(breakers.outlook(ID).retryAfterMs, 10_000);
});

test('one that is cancelled leaves the next probe to the next request', t => {
  const { breakers } = openFor(t);

  breakers.acquireLastResort(ID)!.ignore();
  assert.equal(breakers.admits(ID), true);
  fail(breakers, 1);

  assert.equal(breakers.outlook(ID).retryAfterMs, 4_000);
  assert.equal(breakers.outlook(ID).lastResort, false);
});

test('one that outlasts the open time and fails then opens it anew', t => {
  const { breakers, tick } = openFor(t);
  const permit = breakers.acquireLastResort(ID)!;

  tick(4_000);
  assert.equal(breakers.outlook(ID).retryAfterMs, 1_000, 'nobody knows when a probe ends');
  permit.fail(overloaded);

  assert.equal(breakers.outlook(ID).retryAfterMs, 10_000);
});

test('who is closed, half-open, held open or never called has none', t => {
  const { breakers, tick } = openFor(t);
  assert.equal(breakers.acquireLastResort('openai/never'), undefined);

  breakers.open(ID, 'maintenance');
  assert.equal(breakers.acquireLastResort(ID), undefined);
  assert.deepEqual(breakers.outlook(ID), {
    admits: false,
    halfOpen: false,
    retryAfterMs: undefined,
    lastResort: false,
  });

  breakers.reset(ID, 'done');
  assert.equal(breakers.acquireLastResort(ID), undefined);
  fail(breakers, 5);
  tick(5_000);
  assert.equal(breakers.acquireLastResort(ID), undefined);
});
