// What administrators do to deployments by hand, over a whole server: open breakers, drain, enable; what callers see
// of it, what is kept of it, and that it lasts over a restart.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { type Data, startTestApp, type TestApp, until } from '../support/app.ts';
import { REQUEST, readStream, submit, textOf } from '../support/requests.ts';
import { gate, startUpstream, status, text, type Upstream } from '../support/upstream.ts';

const ACTS = ['resetBreaker', 'openBreaker', 'drainDeployment', 'enableDeployment'] as const;
type Act = (typeof ACTS)[number];

const PROVIDER =
  'provider { id deployments { id drained drainReason breaker { state retryAt history { from to cause detail } } } }';

const mutation = (act: Act) =>
  `mutation ($input: ${act[0]!.toUpperCase()}${act.slice(1)}Input!) { ${act}(input: $input) { ${PROVIDER} } }`;

/** Does it, and resolves with the first deployment as it is then. */
async function order(app: TestApp, act: Act, input: object): Promise<Data> {
  const data = await app.ask(mutation(act), { input: { reason: 'maintenance', ...input } });
  return data[act].provider.deployments[0];
}

async function codeOf(app: TestApp, act: Act, input: object, token?: string): Promise<unknown> {
  const { errors } = await app.send(mutation(act), { input: { reason: 'maintenance', ...input } }, token);
  return errors?.[0]?.extensions.code;
}

/** One provider, `openai`, with one deployment. */
async function openaiOnly(t: TestContext) {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, envOf(upstream));
  return { upstream, app, deploymentId: (await deploymentOf(app)).id as string };
}

const envOf = (upstream: Upstream) => ({ OPENAI_BASE_URL: `${upstream.url}/v1` });

async function deploymentOf(app: TestApp): Promise<Data> {
  const { providers } = await app.ask(
    '{ providers { id deployments { id drained drainReason breaker { state retryAt } } } }',
  );
  return providers.find(({ id }: Data) => id === 'openai').deployments[0];
}

/** Another server on the same store, as after a restart. */
const restarted = (t: TestContext, app: TestApp, upstream: Upstream) =>
  startTestApp(t, envOf(upstream), async () => app.store);

const refusalOf = async (app: TestApp, model?: string) =>
  (
    await app.send(
      'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }',
      { input: { prompt: 'Hello', ...(model ? { model } : {}) } },
    )
  ).errors?.[0];

test('a drained deployment gets no new request, also when it is named, until it is enabled', async t => {
  const { upstream, app, deploymentId } = await openaiOnly(t);

  const drained = await order(app, 'drainDeployment', { deploymentId });
  assert.deepEqual([drained.drained, drained.drainReason], [true, 'maintenance']);
  for (const model of [undefined, deploymentId]) {
    const refusal = await refusalOf(app, model);
    assert.equal(refusal?.extensions.code, 'NO_ROUTE');
    assert.match(refusal!.message, /an administrator drained it: maintenance/);
  }
  const { simulateRoute } = await app.ask(
    'query ($input: SubmitRequestInput!) { simulateRoute(input: $input) { rejections { deploymentId reason } } }',
    { input: { prompt: 'Hello', model: deploymentId } },
  );
  assert.deepEqual(simulateRoute.rejections, [{ deploymentId, reason: 'DRAINED' }]);
  assert.equal(upstream.modelCalls.length, 0);

  const enabled = await order(app, 'enableDeployment', { deploymentId, reason: 'all done' });
  assert.deepEqual([enabled.drained, enabled.drainReason], [false, null]);
  const events = await readStream(app, await submit(app, { prompt: 'Hello' }));
  assert.equal(events.at(-1).__typename, 'StreamCompleted');
});

test('a stream that runs while its deployment is drained is finished, and the next goes elsewhere', async t => {
  const [openai, anthropic] = [await startUpstream(t), await startUpstream(t)];
  const app = await startTestApp(t, { ...envOf(openai), ANTHROPIC_BASE_URL: anthropic.url });
  const { id: deploymentId } = await deploymentOf(app);
  const go = Promise.withResolvers<void>();
  openai.enqueue([text('half '), gate(go.promise), text('and half')]);
  const running = await submit(app, { prompt: 'Hello', model: deploymentId });
  await openai.nextRequest();

  await order(app, 'drainDeployment', { providerId: 'openai' });
  const elsewhere = await submit(app, { prompt: 'Hello' });
  await readStream(app, elsewhere);
  go.resolve();

  assert.equal(textOf(await readStream(app, running)), 'half and half');
  const { request } = await app.ask(REQUEST, { id: elsewhere });
  assert.equal(request.provider.id, 'anthropic');
  assert.ok(
    request.routing.rejections.some(
      (rejection: Data) => rejection.deploymentId === deploymentId && rejection.reason === 'DRAINED',
    ),
  );
  assert.deepEqual([openai.modelCalls.length, anthropic.modelCalls.length], [1, 1]);
});

test('a request that fails while its deployment is drained is not tried there again', async t => {
  const { upstream, app, deploymentId } = await openaiOnly(t);
  const go = Promise.withResolvers<void>();
  upstream.answerWith(() => status(500));
  upstream.enqueue({ ...status(500), steps: [gate(go.promise)] });
  const id = await submit(app, { prompt: 'Hello' });
  await order(app, 'drainDeployment', { deploymentId });
  go.resolve();

  assert.equal((await readStream(app, id)).at(-1).error.code, 'PROVIDER_FAILED');
  assert.equal(upstream.modelCalls.length, 1);
});

test('a breaker opened by hand has no next probe and lets nothing through until it is reset', async t => {
  const { upstream, app, deploymentId } = await openaiOnly(t);

  const held = await order(app, 'openBreaker', { deploymentId });
  assert.deepEqual([held.breaker.state, held.breaker.retryAt], ['OPEN', null]);
  assert.deepEqual(held.breaker.history, [
    { from: 'CLOSED', to: 'OPEN', cause: 'MANUAL', detail: 'maintenance' },
  ]);
  // The list of models is answered, which lets a breaker that opened by itself probe early.
  await app.app.catalog.refresh(AbortSignal.timeout(5_000));
  const refusal = await refusalOf(app);
  assert.deepEqual([refusal?.extensions.code, refusal?.extensions.retryAfterMs], ['NO_ROUTE', undefined]);
  assert.equal(upstream.modelCalls.length, 0);

  const reset = await order(app, 'resetBreaker', { deploymentId });
  assert.equal(reset.breaker.state, 'CLOSED');
  const answered = await readStream(app, await submit(app, { prompt: 'Hello' }));
  assert.equal(answered.at(-1).__typename, 'StreamCompleted');
});

test('what was drained and opened by hand is so after a restart, and what was enabled and reset is not', async t => {
  const { upstream, app, deploymentId } = await openaiOnly(t);
  await order(app, 'drainDeployment', { deploymentId, reason: 'new disks' });
  await order(app, 'openBreaker', { deploymentId });

  const second = await restarted(t, app, upstream);
  assert.deepEqual(await deploymentOf(second), {
    id: deploymentId,
    drained: true,
    drainReason: 'new disks',
    breaker: { state: 'OPEN', retryAt: null },
  });
  await order(second, 'enableDeployment', { deploymentId });
  await order(second, 'resetBreaker', { deploymentId });

  const third = await restarted(t, app, upstream);
  const { drained, breaker } = await deploymentOf(third);
  assert.deepEqual([drained, breaker.state], [false, 'CLOSED']);
});

test('a breaker that was open already when it was opened by hand is held open after a restart', async t => {
  const { upstream, app, deploymentId } = await openaiOnly(t);
  upstream.answerWith(() => status(500));
  for (let index = 0; index < 3; index += 1) await readStream(app, await submit(app, { prompt: 'Hello' }));
  assert.notEqual((await deploymentOf(app)).breaker.retryAt, null);

  await order(app, 'openBreaker', { deploymentId });

  const second = await restarted(t, app, upstream);
  assert.deepEqual((await deploymentOf(second)).breaker, { state: 'OPEN', retryAt: null });
});

test('a breaker opened by hand long ago is held open after a restart', async t => {
  const { upstream, app, deploymentId } = await openaiOnly(t);
  const at = new Date(Date.now() - 30 * 24 * 3_600_000);
  const transition = { id: newId(at.getTime()), deploymentId, from: 'CLOSED', to: 'OPEN', at } as const;
  await app.store.breakers.append({ ...transition, cause: 'manual', detail: 'retired' });

  const second = await restarted(t, app, upstream);
  assert.deepEqual((await deploymentOf(second)).breaker, { state: 'OPEN', retryAt: null });
});

test('only administrators may, and only with one target that exists and a reason', async t => {
  const { app, deploymentId } = await openaiOnly(t);
  const user = await app.login('mallory');

  for (const act of ACTS) {
    assert.equal(await codeOf(app, act, { deploymentId }, user), 'FORBIDDEN');
    const refusals: [object, string][] = [
      [{ deploymentId: 'openai/none' }, 'NOT_FOUND'],
      [{ providerId: 'none' }, 'NOT_FOUND'],
      [{}, 'BAD_USER_INPUT'],
      [{ deploymentId, providerId: 'openai' }, 'BAD_USER_INPUT'],
      [{ deploymentId, reason: ' ' }, 'BAD_USER_INPUT'],
      [{ deploymentId, reason: 'x'.repeat(501) }, 'BAD_USER_INPUT'],
    ];
    for (const [input, code] of refusals) assert.equal(await codeOf(app, act, input), code);
  }
  const { drained, breaker } = await deploymentOf(app);
  assert.deepEqual([drained, breaker.state], [false, 'CLOSED']);
  const { auditEvents } = await app.ask('{ auditEvents(first: 50) { nodes { action } } }');
  assert.ok(!auditEvents.nodes.some(({ action }: Data) => /^(breaker|deployment)\./.test(action)));
});

test('every act is in the audit log with who, what, why and what was before', async t => {
  const { app, deploymentId } = await openaiOnly(t);

  await order(app, 'drainDeployment', { deploymentId, reason: 'one' });
  await order(app, 'enableDeployment', { providerId: 'openai', reason: 'two' });
  await order(app, 'openBreaker', { deploymentId, reason: 'three' });
  await order(app, 'resetBreaker', { deploymentId, reason: 'four' });

  const { rows } = await app.store.audit.page({}, { first: 4 });
  assert.deepEqual(
    rows.map(({ action, actorName, subject, reason, data }) => [action, actorName, subject, reason, data]),
    [
      ['breaker.reset', 'admin', deploymentId, 'four', { before: [{ deploymentId, state: 'OPEN' }] }],
      ['breaker.open', 'admin', deploymentId, 'three', { before: [{ deploymentId, state: 'CLOSED' }] }],
      ['deployment.enable', 'admin', 'openai', 'two', { before: [{ deploymentId, drained: true }] }],
      ['deployment.drain', 'admin', deploymentId, 'one', { before: [{ deploymentId, drained: false }] }],
    ],
  );
});

test('what cannot be written to the audit log does not take effect', async t => {
  const { app, deploymentId } = await openaiOnly(t);
  const failing = () => Promise.reject(new Error('disk full'));
  Object.assign(app.store.audit, { append: failing });
  Object.assign(app.store, { transaction: failing });

  for (const act of ['openBreaker', 'drainDeployment'] as const)
    assert.equal(await codeOf(app, act, { deploymentId }), 'INTERNAL');

  const { drained, breaker } = await deploymentOf(app);
  assert.deepEqual([drained, breaker.state], [false, 'CLOSED']);
});

test('a drain is news of its provider', async t => {
  const { app, deploymentId } = await openaiOnly(t);
  const updates = app.follow('subscription { providerUpdates { id deployments { id drained } } }');
  let news: Data;
  void updates.next().then(({ value }) => {
    news = value.providerUpdates;
  });

  // No event tells that a subscription stands, so it is done until it is heard of.
  await until(async () => {
    await order(app, 'drainDeployment', { deploymentId });
    return news !== undefined;
  }, 'the subscriber heard of it');

  assert.deepEqual(news, { id: 'openai', deployments: [{ id: deploymentId, drained: true }] });
  await updates.return?.();
});
