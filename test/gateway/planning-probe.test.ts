// Planning asks the breakers how they stand and changes nothing there: whoever only looks takes nobody's probe.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { DomainError } from '../../src/domain/errors.ts';
import { createHealth } from '../../src/gateway/health.ts';
import { createPlanning } from '../../src/gateway/planning.ts';
import { mockedClock as clock, fail, overloaded, setUp } from './breaker-setup.ts';
import { catalogOfTwo, SPEC } from './planning-setup.ts';

const [FIRST, SECOND] = ['openai/first', 'openai/second'] as const;

function start(t: TestContext) {
  const { breakers, tick, changes } = setUp(t);
  const health = createHealth({ clock });
  const planning = createPlanning({
    catalog: catalogOfTwo(clock),
    breakers,
    health,
    clock,
    random: () => 0.5,
  });
  return { breakers, tick, changes, planning, health, first: () => planning.decide(SPEC).candidates[0] };
}

test('once its open time is over the next request probes it, one at a time, until it closed', t => {
  const { breakers, tick, first, changes } = start(t);
  fail(breakers, 5, FIRST);
  assert.equal(first()?.deploymentId, SECOND);

  tick(5_000);
  for (const probe of [1, 2]) {
    assert.deepEqual([first()?.deploymentId, first()?.selected], [FIRST, 'PROBE'], `probe ${probe}`);
    const permit = breakers.acquire(FIRST);
    assert.deepEqual([first()?.deploymentId, first()?.selected], [SECOND, undefined]);
    permit.succeed();
  }

  assert.deepEqual(changes(), ['CLOSED>OPEN', 'OPEN>HALF_OPEN', 'HALF_OPEN>CLOSED']);
  assert.equal(first()?.selected, undefined);
});

test('with both breakers open the sooner one gets one call, and then the refusal says how long', t => {
  const { breakers, tick, planning, first } = start(t);
  fail(breakers, 5, FIRST);
  tick(1_000);
  fail(breakers, 5, SECOND);
  planning.refuseHopeless(planning.decide(SPEC));
  assert.deepEqual([first()?.deploymentId, first()?.selected], [FIRST, 'LAST_RESORT']);

  breakers.acquireLastResort(FIRST)!.fail(overloaded);

  assert.throws(
    () => planning.refuseHopeless(planning.decide(SPEC)),
    (error: unknown) =>
      error instanceof DomainError && error.code === 'NO_ROUTE' && error.retryAfterMs === 4_000,
  );
  tick(4_000);
  assert.deepEqual([first()?.deploymentId, first()?.selected], [FIRST, 'PROBE']);
});

test('a request is refused without a time while all is held open, and not while somebody is only busy', t => {
  const { breakers, planning, health } = start(t);
  breakers.open(FIRST, 'maintenance');
  breakers.open(SECOND, 'maintenance');
  assert.throws(
    () => planning.refuseHopeless(planning.decide(SPEC)),
    (error: unknown) =>
      error instanceof DomainError && error.code === 'NO_ROUTE' && error.retryAfterMs === undefined,
  );

  breakers.reset(SECOND, 'done');
  health.cooldown(SECOND, 5_000);
  const decision = planning.decide(SPEC);
  planning.refuseHopeless(decision);
  assert.deepEqual([decision.candidates, decision.retryAfterMs], [[], 5_000]);
});

test('looking at a decision takes no probe away', t => {
  const { breakers, tick, planning, changes } = start(t);
  fail(breakers, 5, FIRST);
  tick(5_000);

  for (let looks = 0; looks < 10; looks += 1) {
    planning.decide(SPEC);
    planning.estimate(SPEC);
  }

  assert.equal(breakers.admits(FIRST), true);
  assert.deepEqual(changes(), ['CLOSED>OPEN', 'OPEN>HALF_OPEN']);
});
