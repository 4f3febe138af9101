// When nobody can serve: who is asked all the same, and when it makes sense to come back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, deployment, NOW, state } from './routing-setup.ts';

const open = (id: string, retryAfterMs: number | undefined, change: Parameters<typeof state>[1] = {}) =>
  state(deployment(id, 1), { admits: false, retryAfterMs, lastResort: true, ...change });
const facts = ({ candidates, retryAfterMs }: ReturnType<typeof decide>) => [
  candidates.map(({ deploymentId, selected }) => `${deploymentId} ${selected}`),
  retryAfterMs,
];

test('of those whose breaker is open the one with the least time left is asked, and the sentence says so', () => {
  const decision = decide({}, [open('a/x', 9_000), open('b/y', 2_000), open('c/z', 5_000)]);

  assert.deepEqual(facts(decision), [['b/y LAST_RESORT'], 2_000]);
  assert.deepEqual(
    decision.rejections.map(({ deploymentId, reason }) => [deploymentId, reason]),
    [
      ['a/x', 'BREAKER_OPEN'],
      ['c/z', 'BREAKER_OPEN'],
    ],
  );
  assert.match(decision.explanation, /^b\/y only: nobody can serve this now, and .* it has the least time/);
  assert.deepEqual([decision.chosen, decision.draw, decision.runnerUp], ['b/y', undefined, undefined]);
});

test('when its call was given already nobody is asked, and the wait is its own', () => {
  const given = { lastResort: false };

  assert.deepEqual(facts(decide({}, [open('a/x', 9_000), open('b/y', 2_000, given)])), [[], 2_000]);
});

test('as long as anybody can serve, nobody behind an open breaker is asked', () => {
  const decision = decide({}, [open('a/x', 1), state(deployment('b/y', 90))]);

  assert.deepEqual(facts(decision), [['b/y undefined'], undefined]);
});

test('what is held open, drained, not offered or of no use to the request is no last resort', () => {
  assert.deepEqual(facts(decide({}, [open('a/x', undefined, { lastResort: false })])), [[], undefined]);
  assert.deepEqual(facts(decide({}, [open('a/x', 1, { drained: 'new disks' })])), [[], undefined]);
  assert.deepEqual(facts(decide({}, [open('a/x', 1, { unavailable: 'no key' })])), [[], undefined]);
  assert.deepEqual(facts(decide({ requestedModel: 'y' }, [open('a/x', 1)])), [[], undefined]);
  assert.deepEqual(facts(decide({ inputTokens: 200_000 }, [open('a/x', 1)])), [[], undefined]);
});

test('a pause that the provider asked for is kept: it is waited for, and its end counts', () => {
  const cooling = { cooldownUntilMs: NOW + 3_000 };

  assert.deepEqual(facts(decide({}, [open('a/x', 1_000, cooling)])), [[], 3_000]);
  assert.deepEqual(facts(decide({}, [open('a/x', 9_000), state(deployment('b/y', 1), cooling)])), [
    ['a/x LAST_RESORT'],
    3_000,
  ]);
});
