// Planning ties the breakers to what routing knows: who was away comes back little by little.

import assert from 'node:assert/strict';
import test from 'node:test';
import { createCatalog } from '../../src/control/catalog.ts';
import { createPriceBook } from '../../src/control/prices.ts';
import { createBreakers } from '../../src/gateway/breakers.ts';
import { createHealth } from '../../src/gateway/health.ts';
import { createPlanning } from '../../src/gateway/planning.ts';
import { createTestClock } from '../support/clock.ts';

const OPENAI = {
  id: 'openai',
  kind: 'openai',
  baseUrl: 'http://127.0.0.1:9',
  apiKey: 'unused',
  api: undefined,
  models: [{ model: 'first' }, { model: 'second' }],
  onlyModels: true,
  deadlines: {},
  explicit: true,
} as const;

const SPEC = {
  messages: [{ role: 'USER', content: 'Hello' }],
  system: undefined,
  taskType: 'CHAT',
  model: undefined,
  strategy: 'BALANCED',
  preferLocal: false,
  priority: 50,
  buffered: false,
  maxOutputTokens: undefined,
  temperature: undefined,
  stop: [],
  deadlines: {},
  metadata: undefined,
} as const;

test('a deployment whose breaker closed is not drawn beyond its first call while others are free', () => {
  const clock = createTestClock();
  const log = { debug() {}, info() {}, warn() {}, error() {} } as never;
  const createAdapter = () => assert.fail('nothing is called');
  const catalog = createCatalog({
    providers: [OPENAI],
    prices: createPriceBook(),
    createAdapter,
    clock,
    log,
  });
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
