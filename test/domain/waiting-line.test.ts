import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareWaiting, POINT_MS, type Waiting } from '../../src/domain/waiting-line.ts';

const waiting: fc.Arbitrary<Waiting> = fc.record({ priority: fc.nat(100), sinceMs: fc.nat(1_000_000) });

test('the more urgent goes first, and of equals the one that came first', () => {
  assert.ok(compareWaiting({ priority: 90, sinceMs: 0 }, { priority: 10, sinceMs: 0 }) < 0);
  assert.ok(compareWaiting({ priority: 50, sinceMs: 1 }, { priority: 50, sinceMs: 0 }) > 0);
});

test('having waited weighs as much as priority', () => {
  const patient = { priority: 40, sinceMs: 0 };

  assert.ok(compareWaiting({ priority: 50, sinceMs: 9.9 * POINT_MS }, patient) < 0);
  assert.equal(compareWaiting({ priority: 50, sinceMs: 10 * POINT_MS }, patient), 0);
  assert.ok(compareWaiting({ priority: 50, sinceMs: 10.1 * POINT_MS }, patient) > 0);
});

test('a newcomer that is no more urgent never overtakes, and nobody is overtaken for ever', () => {
  fc.assert(
    fc.property(waiting, waiting, (one, other) => {
      const [first, later] = one.sinceMs <= other.sinceMs ? [one, other] : [other, one];
      if (later.priority <= first.priority) assert.ok(compareWaiting(first, later) <= 0);
      if (later.sinceMs - first.sinceMs >= 100 * POINT_MS) assert.ok(compareWaiting(first, later) <= 0);
    }),
  );
});

test('it is an order', () => {
  fc.assert(
    fc.property(waiting, waiting, waiting, (one, two, three) => {
      assert.equal(Math.sign(compareWaiting(one, two)), -Math.sign(compareWaiting(two, one)) || 0);
      if (compareWaiting(one, two) <= 0 && compareWaiting(two, three) <= 0)
        assert.ok(compareWaiting(one, three) <= 0);
    }),
  );
});
