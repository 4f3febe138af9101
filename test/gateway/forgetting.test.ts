// What becomes of breakers, health and metrics of deployments that their provider offers no more. The model lists come
// over real sockets, and five minutes pass on a clock that the test moves.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { circuits, modules } from 'mollitia';
import { type Breakers, createBreakers } from '../../src/gateway/breakers.ts';
import { createForgetting } from '../../src/gateway/forgetting.ts';
import { createHealth, type Health } from '../../src/gateway/health.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { models, never, openCatalog, settings } from '../control/catalog-setup.ts';
import { createTestClock } from '../support/clock.ts';
import { startUpstream, status } from '../support/upstream.ts';
import { overloaded } from './breaker-setup.ts';

const MINUTES_MS = 60_000;
const ID = 'proxy/small';

async function setUp(t: TestContext) {
  const upstream = await startUpstream(t, { models: [{ id: 'small' }] });
  const clock = createTestClock();
  const catalog = openCatalog(t, [settings({ id: 'proxy', baseUrl: `${upstream.url}/v1` })], { clock });
  await catalog.refresh(never);
  const metrics = createMetrics();
  const breakers = createBreakers(
    {},
    {
      clock,
      onTransition: ({ deploymentId, to }) => metrics.breakerChanged(deploymentId, to),
      onForgotten: metrics.breakerForgotten,
    },
  );
  const health = createHealth({ clock });
  const forgetTheGone = createForgetting({ catalog, breakers, health, clock });
  async function offer(...ids: string[]) {
    upstream.answerPath('/v1/models', status(200, {}, { data: ids.map(id => ({ id })) }));
    // The first may join one that is under way.
    for (let asked = 0; asked < 2; asked += 1) await catalog.refresh(never);
    assert.deepEqual(models(catalog), ids);
  }
  const gauge = async () =>
    (await metrics.exposition()).body.split('\n').filter(line => line.startsWith('mcplane_breaker_state{'));
  return { clock, breakers, health, forgetTheGone, offer, gauge };
}

/** It answered slowly once, and then broke. */
function use(breakers: Breakers, health: Health): void {
  health.begin(ID)();
  health.record(ID, { timeToFirstTokenMs: 4_000, msPerOutputToken: 10 });
  breakers.openProvider([ID], 'It was overloaded.');
}

test('a deployment that is gone for five minutes is forgotten, by the library and the metrics too', async t => {
  const { clock, breakers, health, forgetTheGone, offer, gauge } = await setUp(t);
  const before = [circuits.length, modules.length];
  use(breakers, health);
  assert.deepEqual(await gauge(), [`mcplane_breaker_state{deployment="${ID}"} 2`]);
  await offer('other');

  clock.advance(5 * MINUTES_MS - 1);
  forgetTheGone();
  assert.deepEqual([breakers.known(), health.known()], [[ID], [ID]]);
  clock.advance(1);
  forgetTheGone();

  assert.deepEqual([breakers.known(), health.known()], [[], []]);
  assert.deepEqual([circuits.length, modules.length], before);
  assert.deepEqual(await gauge(), []);
  assert.equal(breakers.snapshot(ID).state, 'CLOSED');
  assert.equal(health.read(ID).timeToFirstTokenMs, undefined);
  breakers.acquire(ID).succeed();
  assert.equal(breakers.snapshot(ID).calls, 1, 'should it come back, it begins anew');
});

test('a deployment that comes back in time is known as before, and the five minutes begin anew', async t => {
  const { clock, breakers, health, forgetTheGone, offer } = await setUp(t);
  use(breakers, health);
  await offer('other');
  clock.advance(4 * MINUTES_MS);
  await offer('other', 'small');
  clock.advance(4 * MINUTES_MS);
  await offer('other');
  clock.advance(4 * MINUTES_MS);
  forgetTheGone();

  assert.deepEqual([breakers.known(), health.known()], [[ID], [ID]]);
  assert.equal(breakers.snapshot(ID).lastError, 'It was overloaded.');
});

test('what an administrator holds open is held for as long as the deployment is gone', async t => {
  const { clock, breakers, health, forgetTheGone, offer } = await setUp(t);
  use(breakers, health);
  breakers.open(ID, 'maintenance');
  await offer('other');
  clock.advance(60 * MINUTES_MS);
  forgetTheGone();

  assert.equal(breakers.snapshot(ID).state, 'OPEN');
  breakers.reset(ID, 'repaired');
  forgetTheGone();
  assert.deepEqual(breakers.known(), []);
});

test('what has calls under way is forgotten when they are over', async t => {
  const { clock, breakers, health, forgetTheGone, offer } = await setUp(t);
  const end = health.begin(ID);
  const permit = breakers.acquire(ID);
  await offer('other');
  clock.advance(60 * MINUTES_MS);
  forgetTheGone();
  assert.deepEqual([breakers.known(), health.known()], [[ID], [ID]]);

  permit.fail(overloaded);
  forgetTheGone();
  assert.deepEqual([breakers.known(), health.known()], [[ID], [ID]], 'the connection is still in use');
  end();
  forgetTheGone();
  assert.deepEqual([breakers.known(), health.known()], [[], []]);
});

test('a breaker with a call under way cannot be forgotten', () => {
  const breakers = createBreakers({}, { clock: createTestClock() });
  const permit = breakers.acquire(ID);
  assert.equal(breakers.forget(ID), false);
  permit.ignore();
  assert.equal(breakers.forget(ID), true);
  assert.equal(breakers.forget(ID), true, 'nothing is left of it');
});
