// Who is drawn, who is held back, and what comes before all scores.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RAMP_MS } from '../../src/domain/routing-choice.ts';
import { chosenOver, decide, deployment, NOW, state } from './routing-setup.ts';

const times = (timeToFirstTokenMs: number, msPerOutputToken = 10) => ({
  timeToFirstTokenMs,
  msPerOutputToken,
});
const twins = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    state(deployment(`p${index}/m`, 1, { maxConcurrency: 20 }), times(500)),
  );

test('a decision is repeated by its own draw', () => {
  const input = fc.array(
    fc.record({
      usd: fc.integer({ min: 0, max: 20 }),
      ttftMs: fc.integer({ min: 50, max: 5_000 }),
      inFlight: fc.nat(30),
      weight: fc.integer({ min: 1, max: 5 }),
      local: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const query = fc.record({
    strategy: fc.constantFrom('BALANCED', 'COST', 'RELIABILITY', 'PERFORMANCE'),
    taskType: fc.constantFrom('CHAT', 'CODE'),
    preferLocal: fc.boolean(),
    priority: fc.integer({ min: 0, max: 100 }),
  });
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  fc.assert(
    fc.property(input, query, draw, (rows, asked, drawn) => {
      const states = rows.map(({ usd, ttftMs, inFlight, weight, local }, index) =>
        state(deployment(`p${index}/m`, usd, { weight, local }), { ...times(ttftMs), inFlight }),
      );
      const decision = decide(asked, states, drawn);

      assert.deepEqual(decide(asked, states, decision.draw), decision);
      assert.equal(decision.chosen, decision.candidates[0]?.deploymentId);
      assert.equal(decision.runnerUp?.deploymentId, decision.candidates[1]?.deploymentId);
      assert.equal(decision.candidates.length, states.length);
      if (decision.drawn.length > 0) assert.ok(decision.drawn.includes(decision.chosen!));
      if (decision.drawn.length === 2) {
        const scores = decision.drawn.map(
          id => decision.candidates.find(candidate => candidate.deploymentId === id)!.score,
        );
        assert.equal(new Set(decision.drawn).size, 2);
        assert.equal(decision.candidates[0]!.score, Math.min(...scores));
      }
    }),
  );
});

test('of two that are drawn the better one is taken, and the sentence says so', () => {
  const [first, second, third] = [520, 500, 560].map((ttftMs, index) =>
    state(deployment(`p${index}/m`, 1), times(ttftMs)),
  );
  const decision = decide({ strategy: 'PERFORMANCE' }, [first!, second!, third!], 0.9);

  assert.deepEqual(new Set(decision.drawn).size, 2);
  assert.ok(decision.drawn.includes('p2/m'));
  assert.equal(
    decision.explanation,
    `${decision.chosen} first: two drawn: ${decision.drawn.join(', ')}; ` +
      `${decision.chosen} has the lower score under PERFORMANCE; ${decision.runnerUp?.deploymentId} is next.`,
  );
});

test('equals share the requests, instead of all going to one between two measurements', () => {
  const chosen = chosenOver(1_000, {}, twins(4));

  assert.equal(Object.keys(chosen).length, 4);
  for (const count of Object.values(chosen)) assert.ok(count > 200 && count < 300, JSON.stringify(chosen));
});

test('of nearly equal ones all but the worst are chosen, the better the more often', () => {
  const states = [500, 505, 510, 515].map((ttftMs, index) =>
    state(deployment(`p${index}/m`, 1), times(ttftMs)),
  );
  const chosen = chosenOver(1_000, {}, states);

  assert.ok(chosen['p0/m']! > chosen['p1/m']! && chosen['p1/m']! > chosen['p2/m']!);
  assert.equal(chosen['p3/m'], undefined);
});

test('a draw never makes COST pick one that is much dearer', () => {
  const states = [0.5, 0.5, 5, 5, 5, 5, 5].map((usd, index) => state(deployment(`p${index}/m`, usd)));

  assert.deepEqual(Object.keys(chosenOver(200, { strategy: 'COST' }, states)), ['p0/m', 'p1/m']);
});

test('capacity and weight say how often one is drawn', () => {
  const states = twins(3);
  const heavy = state(deployment('heavy/m', 1, { weight: 4, maxConcurrency: 20 }), times(500));
  const wide = state(deployment('wide/m', 1, { maxConcurrency: 80 }), times(500));

  for (const favoured of [heavy, wide]) {
    const chosen = chosenOver(1_000, {}, [...states, favoured]);
    assert.ok(chosen[favoured.deployment.id]! > 2 * chosen['p0/m']!, JSON.stringify(chosen));
  }
});

test('chance has no part where there is nothing to choose', () => {
  for (const states of [[], twins(1), [state(deployment('a/m', 1)), state(deployment('b/m', 50))]]) {
    const decision = decide({ strategy: 'COST' }, states);
    assert.deepEqual([decision.draw, decision.drawn], [undefined, []]);
  }
});

test('one that nobody has tried is expected to be as quick as the mean of the others', () => {
  const known = [state(deployment('a/m', 1), times(400)), state(deployment('b/m', 1), times(800))];
  const decision = decide({ strategy: 'PERFORMANCE' }, [...known, state(deployment('c/new', 1))]);

  const fresh = decision.candidates.find(({ deploymentId }) => deploymentId === 'c/new');
  assert.equal(fresh?.estimatedDurationMs, 600 + 500 * 10);
});

test('a new one gets one call at first, and within half a minute as many as the others', () => {
  const fresh = (inFlight: number, sinceMs: number) =>
    state(deployment('new/m', 1, { maxConcurrency: 20 }), {
      ...times(100),
      inFlight,
      rampStartedAtMs: NOW - sinceMs,
    });
  const heldBack = (inFlight: number, sinceMs: number) =>
    decide({ strategy: 'PERFORMANCE' }, [...twins(2), fresh(inFlight, sinceMs)]).candidates.find(
      ({ deploymentId }) => deploymentId === 'new/m',
    )?.heldBack;

  assert.equal(heldBack(0, 0), undefined);
  assert.equal(heldBack(1, 0), 'RAMPING');
  assert.equal(heldBack(9, RAMP_MS / 2), undefined);
  assert.equal(heldBack(10, RAMP_MS / 2), 'RAMPING');
  assert.equal(heldBack(15, RAMP_MS), undefined);
});

test('one that comes up to speed alone still serves', () => {
  const alone = state(deployment('new/m', 1), { inFlight: 5, rampStartedAtMs: NOW });

  assert.equal(decide({}, [alone]).chosen, 'new/m');
  assert.equal(decide({}, [{ ...alone, rampStartedAtMs: NOW + 5_000 }]).chosen, 'new/m');
});

test('the hottest is not drawn while others are not hot, and stays the last resort', () => {
  const states = twins(5).map((twin, index) => ({ ...twin, inFlight: index === 0 ? 19 : 10 }));
  const quickButHot = { ...states[0]!, ...times(50, 1) };
  const decision = decide({ strategy: 'PERFORMANCE' }, [quickButHot, ...states.slice(1)]);

  assert.equal(decision.candidates.at(-1)?.deploymentId, 'p0/m');
  assert.equal(decision.candidates.at(-1)?.heldBack, 'HOT');
});

test('nobody is hot while there is room everywhere', () => {
  const states = twins(5).map((twin, index) => ({ ...twin, inFlight: index === 0 ? 3 : 0 }));

  assert.ok(decide({}, states).candidates.every(({ heldBack }) => heldBack === undefined));
});

test('work under way makes a deployment less attractive, the more the less it can serve at once', () => {
  const busy = { ...times(500), inFlight: 3 };
  const small = state(deployment('small/m', 1, { maxConcurrency: 4 }), busy);
  const large = state(deployment('large/m', 1, { maxConcurrency: 100 }), busy);
  const { candidates } = decide({ strategy: 'PERFORMANCE' }, [small, large]);

  const scoreOf = (id: string) => candidates.find(({ deploymentId }) => deploymentId === id)!.score;
  assert.ok(scoreOf('small/m') > 1.5 * scoreOf('large/m'));
});

test('one in a hundred requests of low priority goes anywhere, to learn; others never do', () => {
  const states = [
    state(deployment('a/best', 1), times(100, 1)),
    state(deployment('b/poor', 5), times(3_000, 50)),
  ];

  const patient = chosenOver(1_000, { priority: 10 }, states);
  assert.ok(patient['b/poor']! >= 5 && patient['b/poor']! <= 20, JSON.stringify(patient));
  assert.match(decide({ priority: 10 }, states, 0.001).explanation, /drawn to learn how it does/);
  for (const priority of [undefined, 50, 90])
    assert.deepEqual(chosenOver(1_000, { priority }, states), { 'a/best': 1_000 });
});

test('local ones come first among themselves by score, before the capable tier', () => {
  const capable = state(deployment('a/capable', 1, { quality: 0.95 }));
  const local = [900, 300].map((ttftMs, index) =>
    state(deployment(`l${index}/m`, 0, { local: true, quality: 0.3 }), times(ttftMs, 1)),
  );
  const { candidates, explanation } = decide({ taskType: 'CODE', preferLocal: true }, [capable, ...local]);

  assert.deepEqual(
    candidates.map(({ deploymentId }) => deploymentId),
    ['l1/m', 'l0/m', 'a/capable'],
  );
  assert.match(explanation, /^l1\/m first: local, as preferred; /);
});

test('CODE stays within the capable tier whatever the others cost, and falls back to them', () => {
  const states = [0.95, 0.9, 0.5].map((quality, index) =>
    state(deployment(`p${index}/m`, index === 2 ? 0.01 : 10, { quality })),
  );

  const chosen = chosenOver(100, { taskType: 'CODE', strategy: 'COST' }, states);
  assert.equal(chosen['p2/m'], undefined);
  assert.equal(decide({ taskType: 'CODE' }, states).candidates.at(-1)?.deploymentId, 'p2/m');
  assert.deepEqual(chosenOver(100, { strategy: 'COST' }, states), { 'p2/m': 100 });
});
