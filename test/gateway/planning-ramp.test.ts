// Planning ties the breakers to what routing knows: who was away comes back little by little.

import assert from 'node:assert/strict';
import test from 'node:test';
import { createBreakers } from '../../src/gateway/breakers.ts';
import { createHealth } from '../../src/gateway/health.ts';
import { createPlanning } from '../../src/gateway/planning.ts';
import { createTestClock } from '../support/clock.ts';
import { catalogOfTwo, SPEC } from './planning-setup.ts';

test('a deployment whose breaker closed is not drawn beyond its first call while others are free', () => {
  const clock = createTestClock();
  const catalog = catalogOfTwo(clock);
  const [health, breakers] = [createHealth({ clock }), createBreakers({}, { clock })];
  const planning = createPlanning({ catalog, breakers, health, clock, random: () => 0.5 });
  health.begin('openai/first');
  clock.advance(60_000);
  const candidate = () =>
    planning.decide(SPEC).candidates.find(({ deploymentId }) => deploymentId === 'openai/first');
  assert.equal(candidate()?.heldBack, undefined);

  breakers.open('openai/first', 'maintenance');
  assert.equal(candidate(), undefined);
  breakers.reset('openai/first', 'done');

  assert.equal(candidate()?.heldBack, 'RAMPING');
  clock.advance(30_000);
  assert.equal(candidate()?.heldBack, undefined);
});
