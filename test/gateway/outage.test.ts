// A provider that is down for a while under steady traffic: nobody notices, it is left in peace, and it gets its
// traffic back. With the real rules of the breakers in a shorter time.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BreakerRules } from '../../src/domain/breaker-rules.ts';
import { type TestApp, until } from '../support/app.ts';
import { startUpstream, status, text, type Upstream } from '../support/upstream.ts';
import { ANSWER, OWN } from './fault-row.ts';
import { type Ended, endpointOf, run, startWith } from './fault-world.ts';

const RULES: Partial<BreakerRules> = {
  openForMs: 200,
  maxOpenForMs: 400,
  openJitter: 0,
  consecutiveFailures: 5,
};
const CALLERS = 3;

interface Pair {
  readonly app: TestApp;
  readonly primary: Upstream;
  /** The states that the breaker of the primary has entered, in order. */
  entered(): Promise<string[]>;
}

async function startPair(t: TestContext): Promise<Pair> {
  const primary = await startUpstream(t);
  primary.answerWith(() => [text(OWN)]);
  const endpoint = endpointOf('openai', primary.url, { id: 'primary' });
  const app = await startWith(t, [endpoint], ['primary'], RULES);
  return {
    app,
    primary,
    async entered() {
      const [newestFirst] = await app.app.gateway.breakerHistory(['primary/m']);
      return newestFirst!.map(({ to }) => to).reverse();
    },
  };
}

/** Callers who ask again as soon as they have an answer, until they are stopped. */
function startTraffic(app: TestApp) {
  const answers: Ended[] = [];
  let stopped = false;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!stopped) answers.push(await run(app, 'primary-then-sound'));
  });
  return {
    answers,
    async stop() {
      stopped = true;
      await Promise.all(callers);
    },
  };
}

const servedBy = ({ request }: Ended) => request.attempts.at(-1).deployment.id;
const count = (states: readonly string[], state: string) => states.filter(each => each === state).length;

test('an outage of the first provider is noticed by nobody, and ends by itself', async t => {
  const { app, primary, entered } = await startPair(t);
  const traffic = startTraffic(app);
  await until(() => traffic.answers.length >= 5, 'traffic flows');
  assert.ok(traffic.answers.every(answer => servedBy(answer) === 'primary/m'));

  const callsBefore = primary.modelCalls.length;
  primary.answerWith(() => status(503));
  await until(async () => count(await entered(), 'OPEN') >= 5, 'the outage has lasted for several probes');
  const askedInVain = primary.modelCalls.length - callsBefore;
  const probes = count(await entered(), 'HALF_OPEN');
  primary.answerWith(() => [text(OWN)]);
  const opened = count(await entered(), 'OPEN');
  const answeredInOutage = traffic.answers.length;
  await until(async () => (await entered()).at(-1) === 'CLOSED', 'the breaker has closed');
  await until(
    () => traffic.answers.slice(answeredInOutage).map(servedBy).includes('primary/m'),
    'traffic is back',
  );
  await traffic.stop();

  assert.ok(traffic.answers.length > 20, 'there was traffic all the time');
  for (const { request } of traffic.answers) {
    assert.equal(request.status, 'SUCCEEDED');
    assert.ok([OWN, ANSWER].includes(request.output));
  }
  // Those that opened it, those under way at that moment, each asked once more; from then on one call a probe.
  assert.ok(askedInVain <= 2 * (5 + CALLERS) + probes + 1, `${askedInVain} calls, ${probes} probes`);
  // Within one open period: the first probe after its return finds it well.
  const states = await entered();
  assert.deepEqual(states.slice(-2), ['HALF_OPEN', 'CLOSED']);
  // A probe may have been under way when it came back.
  assert.ok(count(states, 'OPEN') <= opened + 1, 'it opens no more once the provider is back');
  for (let index = 0; index < 5; index += 1)
    assert.equal(servedBy(await run(app, 'primary-then-sound')), 'primary/m');
});

test('while its breaker is open a provider is called by its probes alone', async t => {
  const { app, primary, entered } = await startPair(t);
  primary.answerWith(() => status(503));
  const traffic = startTraffic(app);
  await until(async () => count(await entered(), 'OPEN') >= 1, 'the breaker is open');
  await until(() => primary.openCalls === 0, 'what was under way is over');
  const callsBefore = primary.modelCalls.length;
  const openedBefore = count(await entered(), 'OPEN');

  await until(async () => count(await entered(), 'OPEN') >= openedBefore + 4, 'four more probes have failed');
  await traffic.stop();
  const probes = count(await entered(), 'OPEN') - openedBefore;

  assert.ok(Math.abs(primary.modelCalls.length - callsBefore - probes) <= 1, 'one call for each opening');
  assert.ok(traffic.answers.every(({ request }) => request.output === ANSWER));
});

test('a provider that comes and goes fails no request', async t => {
  const { app, primary, entered } = await startPair(t);
  const answers: Ended[] = [];
  const state = () => app.app.gateway.breaker('primary/m')!.state;
  async function askUntil(wanted: string): Promise<void> {
    do answers.push(await run(app, 'primary-then-sound'));
    while (state() !== wanted);
    await until(async () => (await entered()).at(-1) === state(), 'what was entered is stored');
  }

  for (let cycle = 0; cycle < 8; cycle += 1) {
    primary.answerWith(() => (cycle % 2 ? { before: 'reset' } : status(500)));
    await askUntil('OPEN');
    const opened = count(await entered(), 'OPEN');
    primary.answerWith(() => [text(OWN)]);
    await askUntil('CLOSED');
    assert.equal(count(await entered(), 'OPEN'), opened, 'it does not open while the provider is well');
  }

  for (const { request } of answers) {
    assert.equal(request.status, 'SUCCEEDED');
    assert.ok([OWN, ANSWER].includes(request.output));
  }
  assert.equal(count(await entered(), 'CLOSED'), 8);
  assert.deepEqual(app.app.gateway.load(), { running: 0, queued: 0 });
  await until(() => primary.openCalls === 0, 'no call is left');
});
