// When a breaker opens, how long it stays open, how it closes, and what it tells about itself.

import assert from 'node:assert/strict';
import test from 'node:test';
import { BreakerRefusedError, createBreakers } from '../../src/gateway/breakers.ts';
import {
  fail,
  ID,
  mockedClock,
  mockTime,
  overloaded,
  START_MS,
  setUp,
  state,
  succeed,
} from './breaker-setup.ts';

test('opens on the fifth failure in a row', t => {
  const { breakers } = setUp(t);

  fail(breakers, 4);
  assert.equal(state(breakers), 'CLOSED');

  fail(breakers, 1);
  assert.equal(state(breakers), 'OPEN');
});

test('a success in between starts the row anew', t => {
  const { breakers } = setUp(t, { minimumCalls: 100, windowSize: 100 });

  fail(breakers, 4);
  succeed(breakers, 1);
  fail(breakers, 4);

  assert.equal(state(breakers), 'CLOSED');
});

test('opens when half of at least ten calls failed', t => {
  const { breakers } = setUp(t);

  for (let pair = 0; pair < 4; pair += 1) {
    fail(breakers, 1);
    succeed(breakers, 1);
  }
  fail(breakers, 1);
  assert.equal(state(breakers), 'CLOSED', '5 of 9: too few calls to judge');

  fail(breakers, 1);
  assert.equal(state(breakers), 'OPEN', '6 of 10');
});

test('judges the last twenty calls only', t => {
  const { breakers } = setUp(t, { consecutiveFailures: 100 });

  succeed(breakers, 50);
  fail(breakers, 9);
  assert.equal(state(breakers), 'CLOSED');
  assert.deepEqual([breakers.snapshot(ID).calls, breakers.snapshot(ID).failures], [20, 9]);

  fail(breakers, 1);
  assert.equal(state(breakers), 'OPEN');
});

test('forgets failures that are more than twenty calls old', t => {
  const { breakers } = setUp(t, { consecutiveFailures: 100 });

  fail(breakers, 9);
  succeed(breakers, 20);

  assert.equal(breakers.snapshot(ID).failures, 0);
});

test('refuses while open, and says how long', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);
  tick(1_000);

  assert.equal(breakers.admits(ID), false);
  assert.throws(
    () => breakers.acquire(ID),
    (error: unknown) =>
      error instanceof BreakerRefusedError &&
      error.deploymentId === ID &&
      error.state === 'OPEN' &&
      error.retryAfterMs === 4_000,
  );
});

test('lets one probe through at a time once the open time is over', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);

  tick(4_999);
  assert.equal(breakers.admits(ID), false);
  tick(1);
  assert.equal(state(breakers), 'HALF_OPEN');

  const probe = breakers.acquire(ID);
  assert.equal(breakers.admits(ID), false);
  assert.throws(() => breakers.acquire(ID), BreakerRefusedError);
  probe.succeed();
  assert.equal(breakers.admits(ID), true);
});

test('closes after two successful probes', t => {
  const { breakers, tick, changes } = setUp(t);
  fail(breakers, 5);
  tick(5_000);

  succeed(breakers, 1);
  assert.equal(state(breakers), 'HALF_OPEN');
  succeed(breakers, 1);

  assert.deepEqual(changes(), ['CLOSED>OPEN', 'OPEN>HALF_OPEN', 'HALF_OPEN>CLOSED']);
  assert.equal(breakers.snapshot(ID).calls, 0, 'it starts with an empty window');
});

test('opens again on the first failed probe', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);
  tick(5_000);
  succeed(breakers, 1);

  fail(breakers, 1);

  assert.equal(state(breakers), 'OPEN');
});

test('stays open twice as long each time, thirty seconds at most', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);

  const openTimes = [5_000, 10_000, 20_000, 30_000, 30_000].map(expectedMs => {
    const { since, retryAt } = breakers.snapshot(ID);
    tick(expectedMs - 1);
    assert.equal(state(breakers), 'OPEN');
    tick(1);
    assert.equal(state(breakers), 'HALF_OPEN');
    fail(breakers, 1);
    return retryAt!.getTime() - since.getTime();
  });

  assert.deepEqual(openTimes, [5_000, 10_000, 20_000, 30_000, 30_000]);
});

test('starts with the short open time again after a minute of peace, and not sooner', t => {
  const { breakers, tick } = setUp(t);
  const openFor = () => breakers.snapshot(ID).retryAt!.getTime() - Date.now();
  const recover = () => {
    tick(openFor());
    succeed(breakers, 2);
  };
  fail(breakers, 5);
  recover();

  tick(59_999);
  fail(breakers, 5);
  assert.equal(openFor(), 10_000);
  recover();

  tick(60_000);
  fail(breakers, 5);
  assert.equal(openFor(), 5_000);
});

test('chance takes up to a fifth off the open time', t => {
  mockTime(t);
  const openTimes = [0, 0.5, 1].map(chance => {
    const breakers = createBreakers({}, { clock: mockedClock, random: () => chance });
    fail(breakers, 5);
    return breakers.snapshot(ID).retryAt!.getTime() - Date.now();
  });

  assert.deepEqual(openTimes, [5_000, 4_500, 4_000]);
});

test('a permit counts once, however often it is settled', t => {
  const { breakers } = setUp(t);
  const permit = breakers.acquire(ID);

  permit.fail(overloaded);
  permit.fail(overloaded);
  permit.succeed();
  permit.ignore();

  const { calls, failures } = breakers.snapshot(ID);
  assert.deepEqual([calls, failures], [1, 1]);
});

test('the snapshot tells what opened it, in neutral words', t => {
  const { breakers, tick } = setUp(t);
  succeed(breakers, 1);
  fail(breakers, 4);
  tick(250);
  breakers.acquire(ID).fail(new TypeError('fetch failed: Bearer sk-secret'));

  assert.deepEqual(breakers.snapshot(ID), {
    deploymentId: ID,
    state: 'OPEN',
    failureRate: 5 / 6,
    calls: 6,
    failures: 5,
    since: new Date(START_MS + 250),
    retryAt: new Date(START_MS + 5_250),
    lastError: 'The call failed.',
  });
});

test('a text of our own errors is shown', t => {
  const { breakers, transitions } = setUp(t);

  fail(breakers, 5);

  assert.equal(breakers.snapshot(ID).lastError, 'The provider is overloaded.');
  assert.equal(transitions[0]?.detail, 'The provider is overloaded.');
});

test('reading about a deployment that was never called makes no breaker for it', t => {
  const { breakers, tick, transitions } = setUp(t);
  tick(1_000);

  assert.equal(breakers.admits(ID), true);
  assert.equal(breakers.snapshot(ID).since.getTime(), START_MS);
  breakers.reset(ID, 'nothing to do');
  assert.deepEqual(transitions, []);
});

test('a deployment may have rules of its own', t => {
  mockTime(t);
  const rulesOf = (id: string) => (id === ID ? { consecutiveFailures: 2 } : {});
  const breakers = createBreakers({ consecutiveFailures: 3 }, { clock: mockedClock, rulesOf });

  fail(breakers, 2);
  fail(breakers, 2, 'openai/other');
  assert.deepEqual([state(breakers), state(breakers, 'openai/other')], ['OPEN', 'CLOSED']);

  fail(breakers, 1, 'openai/other');
  assert.equal(state(breakers, 'openai/other'), 'OPEN');
});

test('deployments do not share anything', t => {
  const { breakers } = setUp(t);

  fail(breakers, 5, 'openai/a');

  assert.equal(breakers.admits('openai/a'), false);
  assert.equal(breakers.admits('openai/b'), true);
});

test('transitions have ids that order them', t => {
  const { breakers, tick, transitions } = setUp(t);
  fail(breakers, 5);
  tick(5_000);
  succeed(breakers, 2);

  const ids = transitions.map(({ id }) => id);
  assert.equal(ids.length, 3);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(transitions[1]?.at.getTime(), START_MS + 5_000);
});
