// Figures, the dashboard, providers and their breakers, as operators see them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toGlobalId } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import { seedRequest, startOperations } from '../support/operations.ts';

const usage = {
  inputTokens: 10,
  outputTokens: 20,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  estimated: false,
};
const failed = { status: 'FAILED', error: requestError('TIMEOUT', 'Too slow.'), output: undefined } as const;

async function startWithTraffic(t: Parameters<typeof startOperations>[0]) {
  const operations = await startOperations(t);
  const { store, user } = operations;
  const [anna, berta] = [await user('anna'), await user('berta')];
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  // Ids order by the time of their making, so the oldest is made first.
  await seedRequest(store, berta.userId, { createdAt: hoursAgo(30), finished: failed });
  await seedRequest(store, berta.userId, {
    createdAt: hoursAgo(3),
    finished: { ...failed, providerId: 'ollama' },
  });
  await seedRequest(store, anna.userId, { createdAt: hoursAgo(2), finished: { usage } });
  await seedRequest(store, anna.userId, { finished: { usage, costNanoUsd: 3_000n } });
  await seedRequest(store, berta.userId);
  return { ...operations, anna, berta };
}

test('metrics count over the whole filter, in groups that add up to the total', async t => {
  const { ask, admin, anna, berta } = await startWithTraffic(t);

  const { metrics, ofAnna } = await ask(
    admin,
    `query ($user: ID!) {
      metrics(groupBy: USER) { groupBy total { ...Figures } groups { key requests } }
      ofAnna: metrics(filter: { user: $user, status: SUCCEEDED }) { total { requests cost unpriced } groups { key } } }
    fragment Figures on MetricsRow { requests succeeded failed cancelled inProgress successRate
      inputTokens outputTokens totalTokens cost unpriced }`,
    { user: toGlobalId('user', anna.userId) },
  );

  assert.deepEqual(metrics.total, {
    requests: 5,
    succeeded: 2,
    failed: 2,
    cancelled: 0,
    inProgress: 1,
    successRate: 0.5,
    inputTokens: '20',
    outputTokens: '40',
    totalTokens: '60',
    cost: '0.000003',
    unpriced: 1,
  });
  assert.deepEqual(metrics.groups, [
    { key: toGlobalId('user', berta.userId), requests: 3 },
    { key: toGlobalId('user', anna.userId), requests: 2 },
  ]);
  assert.deepEqual(ofAnna, { total: { requests: 2, cost: '0.000003', unpriced: 1 }, groups: [] });
});

test('metrics keep to their range, and a range is given once', async t => {
  const { ask, refuse, admin, anna } = await startWithTraffic(t);
  const range = { from: new Date(Date.now() - 4 * 3_600_000).toISOString(), to: null };
  const query = `query ($range: TimeRangeInput, $filter: RequestFilter) {
    metrics(range: $range, filter: $filter) { from to total { requests } } }`;

  assert.deepEqual((await ask(admin, query, { range })).metrics, {
    from: range.from,
    to: null,
    total: { requests: 4 },
  });
  assert.equal(await refuse(admin, query, { range, filter: { createdAt: range } }), 'BAD_USER_INPUT');
  assert.equal(await refuse(anna, query, {}), 'FORBIDDEN');
});

test('the dashboard is one query', async t => {
  const { ask, refuse, admin, anna } = await startWithTraffic(t);

  const { dashboard } = await ask(
    admin,
    `{ dashboard { generatedAt lastHour { total { requests } } lastDay { total { requests } groups { key requests } }
      byProvider { key requests } byModel { key requests } errorCodes { code requests }
      providers { id status deployments { id breaker { state calls failures } } } load { running queued }
      recentRequests(first: 2) { status submittedBy { username } } recentFailures { status error { code } } } }`,
  );

  assert.equal(dashboard.lastHour.total.requests, 2);
  assert.equal(dashboard.lastDay.total.requests, 4);
  assert.deepEqual(dashboard.byProvider, [
    { key: 'openai', requests: 2 },
    { key: 'ollama', requests: 1 },
    { key: '(none)', requests: 1 },
  ]);
  assert.deepEqual(dashboard.errorCodes, [{ code: 'TIMEOUT', requests: 1 }]);
  assert.deepEqual(dashboard.load, { running: 0, queued: 0 });
  assert.deepEqual(dashboard.recentRequests, [
    { status: 'RUNNING', submittedBy: { username: 'berta' } },
    { status: 'SUCCEEDED', submittedBy: { username: 'anna' } },
  ]);
  assert.equal(dashboard.recentFailures.length, 2);
  const deployments = dashboard.providers.flatMap((each: { deployments: Deployment[] }) => each.deployments);
  assert.ok(deployments.length > 0);
  assert.ok(deployments.every((each: Deployment) => each.breaker.state === 'CLOSED'));
  assert.equal(await refuse(anna, '{ dashboard { generatedAt } }'), 'FORBIDDEN');
});

interface Deployment {
  readonly id: string;
  readonly breaker: { readonly state: string };
}

test('a breaker is reset by ADMIN, for a deployment or a provider, with a reason', async t => {
  const { ask, refuse, admin, user } = await startOperations(t);
  const reset = 'mutation ($input: ResetBreakerInput!) { resetBreaker(input: $input) { provider { id } } }';
  const { providers } = await ask(admin, '{ providers { id simulated deployments { id } } }');
  const { id: providerId, deployments } = providers.find((each: { simulated: boolean }) => each.simulated);
  const deploymentId = deployments[0].id;
  const reason = 'the provider says it is repaired';

  for (const target of [{ providerId }, { deploymentId }])
    assert.deepEqual(await ask(admin, reset, { input: { ...target, reason } }), {
      resetBreaker: { provider: { id: providerId } },
    });

  for (const input of [{ reason }, { providerId, deploymentId, reason }, { providerId, reason: ' ' }])
    assert.equal(await refuse(admin, reset, { input }), 'BAD_USER_INPUT', JSON.stringify(input));
  assert.equal(await refuse(admin, reset, { input: { deploymentId: 'no/such', reason } }), 'NOT_FOUND');
  assert.equal(await refuse(await user('anna'), reset, { input: { providerId, reason } }), 'FORBIDDEN');
});

test('a request can be priced and routed before it is sent', async t => {
  const { ask, refuse, user, store } = await startOperations(t);
  const anna = await user('anna');
  const query = `query ($input: SubmitRequestInput!) {
    estimateCost(input: $input) { deploymentId deployment { model } inputTokens cost typicalCost rejection }
    simulateRoute(input: $input) { strategy chosen { deploymentId score terms { latency cost quality } }
      candidates { deploymentId deployment { id } estimatedCost } rejections { deploymentId reason detail } explanation } }`;

  const { estimateCost, simulateRoute } = await ask(anna, query, {
    input: { prompt: 'Hello there', strategy: 'COST' },
  });

  assert.ok(estimateCost.length > 0);
  assert.equal(simulateRoute.strategy, 'COST');
  assert.deepEqual(simulateRoute.chosen.deploymentId, simulateRoute.candidates[0].deploymentId);
  const { terms, score } = simulateRoute.chosen;
  assert.ok(Math.abs(terms.latency + terms.cost + terms.quality - score) < 1e-9);
  assert.ok(simulateRoute.candidates.every((each: { deployment: object }) => each.deployment));
  assert.equal(await store.requests.count({}, 10), 0);
  const empty = 'query { simulateRoute(input: { prompt: " " }) { explanation } }';
  assert.equal(await refuse(anna, empty), 'BAD_USER_INPUT');
});
