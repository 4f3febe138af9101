// A half-open deployment is probed by the next request that could go there, whatever its score, and by no other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, deployment, NOW, state } from './routing-setup.ts';

const near = () => state(deployment('a/near', 1));
const dear = (change: Parameters<typeof state>[1] = {}) =>
  state(deployment('b/dear', 90), { halfOpen: true, ...change });
const order = (decision: ReturnType<typeof decide>) =>
  decision.candidates.map(({ deploymentId }) => deploymentId);

test('a half-open deployment is tried first although its score is the worst, and the sentence says so', () => {
  const decision = decide({ strategy: 'COST' }, [near(), dear()]);

  assert.deepEqual(order(decision), ['b/dear', 'a/near']);
  assert.equal(decision.candidates[0]?.selected, 'PROBE');
  assert.equal(decision.candidates[0]?.heldBack, undefined);
  assert.equal(
    decision.explanation,
    'b/dear first: its breaker is half-open, and this request is its probe; a/near is next.',
  );
});

test('behind the probe the others stand as if it were not there', () => {
  const others = [near(), state(deployment('c/twin', 1)), state(deployment('d/mid', 30))];

  const draws = [0.1, 0.4, 0.6, 0.9].map(draw => ({
    without: order(decide({}, others, draw)),
    behind: order(decide({}, [dear(), ...others], draw)).slice(1),
  }));

  for (const { without, behind } of draws) assert.deepEqual(behind, without);
});

test('while its probe is under way, requests go to the others', () => {
  const decision = decide({}, [near(), dear({ admits: false, halfOpen: false })]);

  assert.deepEqual(order(decision), ['a/near']);
  assert.equal(decision.rejections[0]?.reason, 'BREAKER_OPEN');
});

test('of several half-open ones the best is probed, and the others wait behind those that work', () => {
  const decision = decide({}, [near(), dear(), state(deployment('c/mid', 30), { halfOpen: true })]);

  assert.deepEqual(order(decision), ['c/mid', 'a/near', 'b/dear']);
  assert.deepEqual(
    decision.candidates.map(({ heldBack }) => heldBack),
    [undefined, undefined, 'HALF_OPEN'],
  );
});

test('the only deployment there is gets its probe too', () => {
  const decision = decide({}, [dear()]);

  assert.deepEqual(order(decision), ['b/dear']);
  assert.match(decision.explanation, /this request is its probe; there is no other candidate\.$/);
});

test('who is drained, cooling down or full is not probed', () => {
  for (const [reason, change] of [
    ['DRAINED', { drained: 'maintenance' }],
    ['COOLDOWN', { cooldownUntilMs: NOW + 1_000 }],
    ['PROVIDER_UNAVAILABLE', { unavailable: 'no key' }],
  ] as const) {
    const decision = decide({}, [near(), dear(change)]);
    assert.deepEqual(order(decision), ['a/near']);
    assert.equal(decision.rejections[0]?.reason, reason);
  }
});

test('a request that prefers local ones, prescribes an order or asks for capability probes nobody beyond that', () => {
  const local = state(deployment('a/local', 1, { local: true }));
  assert.deepEqual(order(decide({ preferLocal: true }, [dear(), local])), ['a/local', 'b/dear']);

  const place = (rank: number, weight?: number) => ({ aliasPlaces: [{ alias: 'mine', rank, weight }] });
  const named = (id: string, rank: number, weight?: number) =>
    deployment(id, 1, { aliases: ['mine'], ...place(rank, weight) });
  const ordered = [state(named('b/second', 1), { halfOpen: true }), state(named('a/first', 0))];
  assert.deepEqual(order(decide({ requestedModel: 'mine' }, ordered)), ['a/first', 'b/second']);

  const shared = [state(named('b/none', 0, 0), { halfOpen: true }), state(named('a/all', 0, 1))];
  assert.deepEqual(order(decide({ requestedModel: 'mine' }, shared)), ['a/all', 'b/none']);

  const weak = state(deployment('b/weak', 1, { quality: 0.1 }), { halfOpen: true });
  const strong = state(deployment('a/strong', 1, { quality: 0.9 }));
  assert.deepEqual(order(decide({ taskType: 'CODE' }, [weak, strong])), ['a/strong', 'b/weak']);
  assert.deepEqual(order(decide({ taskType: 'CHAT' }, [weak, strong])), ['b/weak', 'a/strong']);
});

test('the first of an order is probed before its fallback', () => {
  const named = (id: string, rank: number) =>
    deployment(id, 1, { aliases: ['mine'], aliasPlaces: [{ alias: 'mine', rank }] });
  const ordered = [state(named('a/first', 0), { halfOpen: true }), state(named('b/second', 1))];

  const decision = decide({ requestedModel: 'mine' }, ordered);

  assert.deepEqual(order(decision), ['a/first', 'b/second']);
  assert.equal(decision.candidates[0]?.selected, 'PROBE');
});
