// What the configuration prescribes: order and shares of an alias, weights, tags, limits of calls.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AliasPlace, Deployment } from '../../src/domain/model.ts';
import { chosenOver, decide, deployment, state } from './routing-setup.ts';

const inAlias = (id: string, usd: number, place: Omit<AliasPlace, 'alias'>) =>
  state(deployment(id, usd, { aliases: ['careful'], aliasPlaces: [{ alias: 'careful', ...place }] }));

const chain = [
  inAlias('c/last', 0.1, { rank: 2 }),
  inAlias('a/first', 10, { rank: 0 }),
  inAlias('b/second', 5, { rank: 1 }),
];
const outside = state(deployment('d/outside', 0.01));

test('an ordered alias is tried in its order, whatever the scores', () => {
  const decision = decide({ requestedModel: 'careful', strategy: 'COST' }, [...chain, outside]);

  assert.deepEqual(
    decision.candidates.map(({ deploymentId }) => deploymentId),
    ['a/first', 'b/second', 'c/last'],
  );
  assert.deepEqual(
    decision.rejections.map(({ deploymentId, reason }) => [deploymentId, reason]),
    [['d/outside', 'NOT_REQUESTED']],
  );
  assert.equal(decision.explanation, 'a/first first: ahead of the others in careful; b/second is next.');
  assert.equal(decision.draw, undefined);
});

test('the next in the order serves while those before it cannot', () => {
  const states = chain.map(each => (each.deployment.id === 'a/first' ? { ...each, admits: false } : each));

  assert.equal(decide({ requestedModel: 'careful', preferLocal: true }, states).chosen, 'b/second');
});

test('the order holds in its own alias only', () => {
  const { chosen } = decide({ strategy: 'COST' }, chain);

  assert.equal(chosen, 'c/last');
});

test('shares are kept even between unlike deployments', () => {
  const trial = [
    inAlias('a/dear', 10, { rank: 0, weight: 9 }),
    inAlias('b/cheap', 0.1, { rank: 0, weight: 1 }),
  ];
  const query = { requestedModel: 'careful', strategy: 'COST' } as const;

  assert.deepEqual(chosenOver(1_000, query, trial), { 'a/dear': 900, 'b/cheap': 100 });
  assert.match(decide(query, trial).explanation, /^a\/dear first: drawn by its share in careful; /);
});

test('who cannot serve gives its share to the others', () => {
  const trial = [
    { ...inAlias('a/m', 1, { rank: 0, weight: 9 }), admits: false },
    inAlias('b/m', 1, { rank: 0, weight: 1 }),
    inAlias('c/m', 1, { rank: 0, weight: 1 }),
  ];

  assert.deepEqual(chosenOver(100, { requestedModel: 'careful' }, trial), { 'b/m': 50, 'c/m': 50 });
});

test('a weight of 0 keeps a deployment for those who name it', () => {
  const reserved = state(deployment('a/reserved', 0.1, { weight: 0, aliases: ['mine'], tags: ['eu'] }));
  const other = state(deployment('b/other', 1));

  for (const requestedModel of [undefined, 'a/*', 'tag:eu']) {
    const { rejections } = decide({ requestedModel }, [reserved, other]);
    assert.equal(rejections.find(({ deploymentId }) => deploymentId === 'a/reserved')?.reason, 'POLICY');
  }
  for (const requestedModel of ['a/reserved', 'reserved', 'mine'])
    assert.equal(decide({ requestedModel }, [reserved, other]).chosen, 'a/reserved');
});

test('a tag asks for all that bear it, and for nothing else', () => {
  const states = [
    state(deployment('a/m', 1, { tags: ['eu'] })),
    state(deployment('b/m', 1, { tags: ['us', 'eu'] })),
    state(deployment('c/eu', 1, { aliases: ['eu'] })),
  ];
  const ids = decide({ requestedModel: 'tag:eu' }, states).candidates.map(({ deploymentId }) => deploymentId);

  assert.deepEqual(ids.sort(), ['a/m', 'b/m']);
});

/** Its two places are taken. */
const full = (id: string, usd: number, change: Partial<Deployment> = {}) =>
  state(deployment(id, usd, { maxConcurrency: 2, ...change }), { inFlight: 2 });
const order = ({ candidates }: ReturnType<typeof decide>) =>
  candidates.map(({ deploymentId, heldBack }) => `${deploymentId} ${heldBack ?? ''}`.trimEnd());

test('a full deployment stays a candidate, which is waited for when there is no other', () => {
  const decision = decide({}, [full('a/m', 1)]);

  assert.deepEqual([order(decision), decision.rejections], [['a/m FULL'], []]);
  assert.equal(decision.explanation, 'No room at a/m: the request waits for the first call there to end.');
  const roomy = state(deployment('a/m', 1, { maxConcurrency: 2 }), { inFlight: 1 });
  assert.deepEqual(order(decide({}, [roomy])), ['a/m']);
});

test('who has room goes before who is full, however good that is', () => {
  const decision = decide({ strategy: 'COST' }, [full('a/cheap', 0.1), state(deployment('b/dear', 50))]);

  assert.deepEqual(order(decision), ['b/dear', 'a/cheap FULL']);
  assert.equal(decision.explanation, 'b/dear first: no room at a/cheap; a/cheap is next.');
  assert.equal(decision.draw, undefined);
});

test('a full local deployment spills over to distant ones, the best of them first', () => {
  const local = full('a/local', 0, { local: true });
  const [near, dear] = [state(deployment('b/near', 1)), state(deployment('c/dear', 50))];
  const decision = decide({ preferLocal: true, strategy: 'COST' }, [local, near, dear]);

  assert.deepEqual(order(decision), ['b/near', 'c/dear', 'a/local FULL']);
  assert.match(
    decision.explanation,
    /^b\/near first: no other comes near its score under COST; no room at a\/local;/,
  );
});

test('in an alias the next in the order serves while those before it are full', () => {
  const states = chain.map(each =>
    each.deployment.id === 'a/first'
      ? { ...each, inFlight: 2, deployment: { ...each.deployment, maxConcurrency: 2 } }
      : each,
  );
  const decision = decide({ requestedModel: 'careful' }, [...states, outside]);

  assert.deepEqual(order(decision), ['b/second', 'c/last', 'a/first FULL']);
  assert.equal(
    decision.explanation,
    'b/second first: ahead of the others in careful; no room at a/first; c/last is next.',
  );
});

test('when all are full the order is that of times with room', () => {
  const states = [full('a/dear', 50), full('b/cheap', 1)];

  assert.deepEqual(order(decide({ strategy: 'COST' }, states)), ['b/cheap FULL', 'a/dear FULL']);
});
