// What a score is made of: time, failures, price, quality, and how much of it is known.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CandidateState, RouteQuery } from '../../src/domain/routing.ts';
import { decide, deployment, state } from './routing-setup.ts';

const times = (timeToFirstTokenMs: number, msPerOutputToken = 10) => ({
  timeToFirstTokenMs,
  msPerOutputToken,
});

function termsOf(query: Partial<RouteQuery>, states: CandidateState[], id: string) {
  return decide(query, states).candidates.find(({ deploymentId }) => deploymentId === id)!.terms;
}

test('the terms of equals are the weights of the strategy', () => {
  const states = ['a/m', 'b/m'].map(id => state(deployment(id, 1, { quality: 0 }), times(500)));
  const weights = { BALANCED: [0.4, 0.4, 0.2], COST: [0.2, 0.7, 0.1], PERFORMANCE: [0.8, 0.1, 0.1] } as const;

  for (const [strategy, [latency, cost, quality]] of Object.entries(weights))
    assert.deepEqual(termsOf({ strategy: strategy as keyof typeof weights }, states, 'a/m'), {
      latency,
      cost,
      quality,
    });
});

test('failures count once, and squared under RELIABILITY', () => {
  const states = [
    state(deployment('a/sound', 1), times(500)),
    state(deployment('b/flaky', 1), { ...times(500), successRate: 0.5 }),
  ];
  const ratio = (strategy: RouteQuery['strategy']) =>
    termsOf({ strategy }, states, 'b/flaky').latency / termsOf({ strategy }, states, 'a/sound').latency;

  assert.equal(ratio('PERFORMANCE'), 2);
  assert.equal(ratio('RELIABILITY'), 4);
});

test('urgent requests weigh time more and price less, patient ones the other way round', () => {
  const states = ['a/m', 'b/m'].map(id => state(deployment(id, 1), times(500)));
  const [urgent, usual, patient] = [100, 50, 0].map(priority => termsOf({ priority }, states, 'a/m'));

  assert.ok(urgent!.latency > usual!.latency && usual!.latency > patient!.latency);
  assert.ok(urgent!.cost < usual!.cost && usual!.cost < patient!.cost);
});

test('without any price the price says nothing', () => {
  const states = ['a/m', 'b/m'].map(id => state(deployment(id, 0, { local: true }), times(500)));

  assert.equal(termsOf({}, states, 'a/m').cost, 0);
});

test('an idle deployment that was slow is judged like its peers: its old times fade into their mean', () => {
  const duration = (timesConfidence: number) =>
    decide({}, [
      state(deployment('a/idle', 1), { ...times(4_000), timesConfidence }),
      state(deployment('b/busy', 1), times(1_000)),
    ]).candidates.find(({ deploymentId }) => deploymentId === 'a/idle')!.estimatedDurationMs;

  assert.equal(duration(1), 4_000 + 5_000);
  assert.equal(duration(0.5), 3_250 + 5_000);
  assert.equal(duration(0), 2_500 + 5_000);
});

test('one that was the quickest before it was idle is not taken for a mean one', () => {
  const idle = state(deployment('a/idle', 1), { ...times(200), timesConfidence: 0.1 });
  const busy = state(deployment('b/busy', 1), times(1_000));

  assert.equal(
    decide({ strategy: 'PERFORMANCE' }, [idle, busy]).candidates[0]?.estimatedDurationMs,
    200 + 5_000,
  );
});

test('an idle deployment is neither worse nor better than its peers: its success fades into their mean', () => {
  const busy = { ...times(500), successRate: 0.8, successConfidence: 1 };
  const latencyOf = (idle: Partial<CandidateState>) => {
    const states = [
      state(deployment('a/idle', 1), { ...times(500), ...idle }),
      state(deployment('b/busy', 1), busy),
    ];
    return termsOf({}, states, 'a/idle').latency / termsOf({}, states, 'b/busy').latency;
  };

  assert.equal(latencyOf({ successRate: 1, successConfidence: 0 }), 1);
  // All that was seen of it failed; the assumed part is as good as the peers, not perfect.
  assert.ok(latencyOf({ successRate: 0.5, successConfidence: 0.5 }) > 1.5);
});
