import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CandidateState, outputLimit, type RouteQuery, route } from '../../src/domain/routing.ts';
import { deployment, NOW, QUERY, state } from './routing-setup.ts';

const order = (query: Partial<RouteQuery>, states: CandidateState[]) =>
  route({ ...QUERY, ...query }, states, NOW, () => 0.5).candidates.map(candidate => candidate.deploymentId);

const cheap = state(deployment('a/cheap', 1), { timeToFirstTokenMs: 900, msPerOutputToken: 30 });
const fast = state(deployment('b/fast', 10), { timeToFirstTokenMs: 100, msPerOutputToken: 5 });

test('COST takes the cheap one, PERFORMANCE the fast one', () => {
  assert.deepEqual(order({ strategy: 'COST' }, [cheap, fast]), ['a/cheap', 'b/fast']);
  assert.deepEqual(order({ strategy: 'PERFORMANCE' }, [cheap, fast]), ['b/fast', 'a/cheap']);
});

test('RELIABILITY avoids the one that fails often', () => {
  const flaky = state(deployment('a/flaky', 1), {
    timeToFirstTokenMs: 100,
    msPerOutputToken: 5,
    successRate: 0.5,
  });
  const sound = state(deployment('b/sound', 1), { timeToFirstTokenMs: 150, msPerOutputToken: 5 });
  assert.deepEqual(order({ strategy: 'RELIABILITY' }, [flaky, sound]), ['b/sound', 'a/flaky']);
});

test('preferLocal puts local deployments first and keeps the others as failover', () => {
  const local = state(deployment('ollama/slow', 0, { local: true }), {
    timeToFirstTokenMs: 5_000,
    msPerOutputToken: 200,
  });
  assert.deepEqual(order({ preferLocal: true }, [cheap, fast, local])[0], 'ollama/slow');
  assert.equal(order({ preferLocal: true }, [cheap, fast, local]).length, 3);
  assert.notEqual(order({ strategy: 'PERFORMANCE' }, [cheap, fast, local])[0], 'ollama/slow');
});

test('CODE and WORKFLOW ask for the most capable model, CHAT does not', () => {
  const capable = state(deployment('a/capable', 5, { quality: 0.95 }));
  const small = state(deployment('b/small', 0.1, { quality: 0.4 }));
  assert.deepEqual(order({ taskType: 'CODE' }, [capable, small]), ['a/capable', 'b/small']);
  assert.deepEqual(order({ taskType: 'WORKFLOW' }, [capable, small]), ['a/capable', 'b/small']);
  assert.deepEqual(order({ taskType: 'CHAT' }, [capable, small]), ['b/small', 'a/capable']);
});

test('a model is asked for by id, name, alias or provider', () => {
  const aliased = state(deployment('a/m', 1, { aliases: ['quick'] }));
  for (const requestedModel of ['a/m', 'm', 'quick', 'a/*'])
    assert.deepEqual(order({ requestedModel }, [aliased, fast]), ['a/m']);
});

test('every rejection says why', () => {
  const decision = route(
    { ...QUERY, inputTokens: 50_000, maxOutputTokens: 5_000 },
    [
      state(
        deployment('a/small-window', 1, {
          capabilities: { ...fast.deployment.capabilities, contextWindow: 8_000 },
        }),
      ),
      state(
        deployment('a/short-answer', 1, {
          capabilities: { ...fast.deployment.capabilities, maxOutputTokens: 4_096 },
        }),
      ),
      state(deployment('a/down', 1), { unavailable: 'nothing answers' }),
      state(deployment('a/drained', 1), { drained: 'new disks' }),
      state(deployment('a/open', 1), { admits: false }),
      state(deployment('a/cooling', 1), { cooldownUntilMs: NOW + 5_000 }),
      state(deployment('simulated/x', 0, { simulated: true })),
    ],
    NOW,
    () => 0.5,
  );
  assert.deepEqual(decision.candidates, []);
  assert.deepEqual(
    decision.rejections.map(({ deploymentId, reason }) => [deploymentId, reason]),
    [
      ['a/small-window', 'CONTEXT_TOO_LONG'],
      ['a/short-answer', 'OUTPUT_TOO_LONG'],
      ['a/down', 'PROVIDER_UNAVAILABLE'],
      ['a/drained', 'DRAINED'],
      ['a/open', 'BREAKER_OPEN'],
      ['a/cooling', 'COOLDOWN'],
      ['simulated/x', 'SIMULATED'],
    ],
  );
  assert.match(decision.explanation, /^No deployment can serve this: /);
});

test('who is known not to keep to a schema is not asked for one; who may, is', () => {
  const able = (structuredOutput: boolean | undefined) => ({
    capabilities: { ...fast.deployment.capabilities, structuredOutput },
  });
  const states = [
    state(deployment('a/never', 1, able(false))),
    state(deployment('a/always', 1, able(true))),
    state(deployment('a/perhaps', 1, able(undefined))),
  ];

  assert.deepEqual(order({ structuredOutput: true }, states).sort(), ['a/always', 'a/perhaps']);
  assert.equal(order({}, states).length, 3);
});

test('simulated answers are given only while nothing real is configured, or by name', () => {
  const simulated = state(deployment('simulated/fast', 0, { simulated: true }));
  assert.deepEqual(order({}, [simulated]), ['simulated/fast']);
  assert.deepEqual(order({}, [simulated, state(fast.deployment, { unavailable: 'down' })]), []);
  assert.deepEqual(order({ requestedModel: 'simulated/fast' }, [simulated, fast]), ['simulated/fast']);
});

test('an unknown price is judged as the mean, not as free', () => {
  const unpriced = state(deployment('a/unpriced', 0, { price: undefined }));
  const bargain = state(deployment('b/bargain', 0.1));
  const dear = state(deployment('c/dear', 10));
  assert.deepEqual(order({ strategy: 'COST' }, [unpriced, bargain, dear]), [
    'b/bargain',
    'a/unpriced',
    'c/dear',
  ]);
});

test('an answer may take what was asked for, what the model allows and what fits beside the prompt', () => {
  const { capabilities } = fast.deployment;
  assert.equal(outputLimit(capabilities, undefined, 100), 8_000);
  assert.equal(outputLimit(capabilities, 50, 100), 50);
  assert.equal(outputLimit(capabilities, undefined, 99_000), 1_000);
});
