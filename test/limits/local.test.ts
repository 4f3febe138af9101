// The limits as one process judges them, against a reference that counts everything anew.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Claim } from '../../src/limits/claims.ts';
import { LocalLimits } from '../../src/limits/local.ts';
import { createTestClock } from '../support/clock.ts';
import { agreesWithReference } from './model.ts';

const requests = (max: number, amount = 1): Claim => ({
  name: 'userRequestsPerMinute',
  kind: 'REQUESTS_PER_MINUTE',
  subject: 'user:a',
  max,
  amount,
});
const underWay = (max: number): Claim => ({
  ...requests(max),
  name: 'userConcurrentRequests',
  kind: 'CONCURRENT_REQUESTS',
});

test('it judges as if all that was ever taken were counted anew each time', async () => {
  await agreesWithReference(startMs => {
    const clock = { ...createTestClock(startMs), monotonic: () => clock.now() };
    const limits = new LocalLimits(clock);
    return {
      advance: clock.advance,
      admit(requestId, claims, leaseMs) {
        const refusal = limits.refusal(claims, 1);
        if (!refusal) limits.charge(requestId, claims, leaseMs);
        return refusal;
      },
      end: (requestId, usedTokens) => limits.release(requestId, usedTokens),
      extend: (requestId, leaseMs) => limits.extend(requestId, leaseMs),
      used: claim => limits.use(claim),
    };
  }, 300);
});

test('a limit is shared out, and whoever fits only the whole has a share alone', () => {
  const clock = createTestClock();
  const limits = new LocalLimits(clock);
  const admit = (id: string, claim: Claim) => {
    const refusal = limits.refusal([claim], 3);
    if (!refusal) limits.charge(id, [claim], 1_000);
    return !refusal;
  };

  assert.deepEqual(
    ['1', '2', '3', '4', '5'].map(id => admit(id, requests(10))),
    [true, true, true, true, false],
  );
  assert.equal(admit('6', { ...requests(10, 9), subject: 'user:b' }), true);
  assert.equal(admit('7', { ...requests(10), subject: 'user:b' }), false);
  assert.deepEqual(
    ['8', '9'].map(id => admit(id, underWay(3))),
    [true, false],
  );
});

test('what nobody renews is forgotten, what runs here is not', () => {
  const clock = createTestClock();
  const limits = new LocalLimits(clock);
  limits.charge('running', [underWay(9)], 1_000);
  limits.extend('running', Number.POSITIVE_INFINITY);
  limits.charge('lost', [underWay(9)], 1_000);

  clock.advance(1_000);

  assert.equal(limits.use(underWay(9)).used, 1);
  assert.deepEqual([...limits.running()], [['user:a', ['running']]]);
  limits.forgetLost();
  assert.equal(limits.size.held, 1);
});
