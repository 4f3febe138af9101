// How long a request counts as under way, whatever becomes of it, on a clock in the test's hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Actor } from '../../src/domain/access.ts';
import { createCallerLimits } from '../../src/limits/limits.ts';
import { createTestClock } from '../support/clock.ts';

const NONE = { requestsPerMinute: 0, tokensPerMinute: 0, concurrentRequests: 0 };
const ADA: Actor = {
  userId: 'ada',
  username: 'ada',
  role: 'USER',
  credential: { kind: 'session', id: 's' },
};
const LEASE_MS = 30_000;

function open({ concurrentRequests = 1, instances = 1 } = {}) {
  const clock = createTestClock();
  const limits = createCallerLimits({
    settings: { user: { ...NONE, concurrentRequests }, apiKey: NONE, address: NONE },
    clock,
    leaseMs: LEASE_MS,
    instances: () => instances,
    meter: { refused() {} },
  });
  const admits = (requestId: string, actor: Actor = ADA) => {
    try {
      const demand = { requestId, actor, part: 'whole', address: undefined } as const;
      assert.equal(
        limits.admit({ ...demand, inputTokens: 1, outputTokens: 1, outputIsAsked: false }),
        undefined,
      );
      return true;
    } catch (error) {
      assert.equal((error as { code: string }).code, 'RATE_LIMITED');
      return false;
    }
  };
  return { clock, limits, admits };
}

test('one that runs here counts until it ends, however long that takes', () => {
  const { clock, limits, admits } = open();
  admits('r');
  limits.hold('r');

  clock.advance(10 * LEASE_MS);
  assert.equal(admits('next'), false);
  limits.end('r', 0);
  assert.equal(admits('next'), true);
});

test('one that waits goes on counting, but not for ever', () => {
  const { clock, limits, admits } = open();
  admits('r');
  limits.wait('r');

  clock.advance(5 * LEASE_MS);
  assert.equal(admits('next'), false);
  clock.advance(15 * 60_000);
  assert.equal(admits('next'), true);
});

test('one that waits where others may take it counts no longer than somebody lost', () => {
  const { clock, limits, admits } = open({ concurrentRequests: 2, instances: 2 });
  admits('r');
  limits.wait('r');

  assert.equal(admits('next'), false);
  clock.advance(LEASE_MS);
  assert.equal(admits('next'), true);
});

test('one that another instance has taken over counts there', () => {
  const { limits, admits } = open();
  admits('r');
  limits.hold('r');

  limits.leave('r');

  assert.equal(admits('next'), true);
});

test('one whose acceptance never came to an end is forgotten', () => {
  const { clock, admits } = open();
  admits('r');

  assert.equal(admits('next'), false);
  clock.advance(LEASE_MS);
  assert.equal(admits('next'), true);
});

test('what was set for a user or a key stands in place of the settings, 0 for no limit', () => {
  const { admits } = open();
  const two: Actor = { ...ADA, userId: 'two', rateLimits: { user: { concurrentRequests: 2 } } };
  const free: Actor = { ...ADA, userId: 'free', rateLimits: { user: { concurrentRequests: 0 } } };
  const byKey: Actor = {
    ...free,
    credential: { kind: 'apiKey', id: 'k' },
    rateLimits: { user: { concurrentRequests: 0 }, apiKey: { concurrentRequests: 1 } },
  };

  assert.deepEqual(
    ['a', 'b', 'c'].map(id => admits(id, two)),
    [true, true, false],
  );
  assert.deepEqual(
    ['d', 'e', 'f'].map(id => admits(id, free)),
    [true, true, true],
  );
  assert.deepEqual(
    ['g', 'h'].map(id => admits(id, byKey)),
    [true, false],
  );
});
