// What becomes of requests whose deployments have all the calls they may have: they wait, and are served in their turn.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type TestApp, until } from '../support/app.ts';
import { REQUEST, readStream, submit, textOf } from '../support/requests.ts';
import { cut, finish, gate, stall, startUpstream, status, text } from '../support/upstream.ts';
import { census, promptOf, startConfigured, startLimited } from './capacity-setup.ts';

const CANCEL = 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { status } } }';
const LOADS = '{ providers { deployments { id inFlight waiting } } }';

async function loadOf({ ask }: TestApp, model: string): Promise<{ inFlight: number; waiting: number }> {
  const { providers } = await ask(LOADS);
  const deployments = providers.flatMap((provider: { deployments: object[] }) => provider.deployments);
  const { inFlight, waiting } = deployments.find(({ id }: { id: string }) => id === `house/${model}`);
  return { inFlight, waiting };
}

test('a hundred requests at once are all answered by a deployment that takes three calls', async t => {
  const { app, upstream } = await startLimited(t, { small: 3 });
  const crowd = Promise.withResolvers<void>();
  const counted = census(upstream, () => {
    if (counted.now === 3) crowd.resolve();
    return [gate(crowd.promise), text('done')];
  });
  const admin = (await app.app.members.authenticate(app.adminToken))!;

  const requests = await Promise.all(
    Array.from({ length: 100 }, (_, index) => app.app.gateway.submit(admin, { prompt: `${index}` })),
  );
  const ends = requests.map(async ({ id }) => {
    let last = '';
    for await (const { event } of await app.app.gateway.follow(admin, id, undefined)) last = event.type;
    return last;
  });

  assert.deepEqual(new Set(await Promise.all(ends)), new Set(['completed']));
  assert.deepEqual([upstream.modelCalls.length, counted.peak], [100, 3]);
  await until(() => counted.now === 0, 'the last call was over');
  await until(async () => (await loadOf(app, 'small')).inFlight === 0, 'the last place was given back');
});

test('who is cut off or refused by the provider gives its place back like the others', async t => {
  const { app, upstream } = await startLimited(t, { small: 1 });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('a'), gate(go.promise), cut()], status(500), [text('second')], [text('third')]);

  const ids = [];
  for (const prompt of ['first', 'second', 'third']) ids.push(await submit(app, { prompt }));
  await until(async () => (await loadOf(app, 'small')).waiting === 2, 'two wait');
  go.resolve();
  const streams = await Promise.all(ids.map(id => readStream(app, id)));

  assert.ok(streams.every(events => ['StreamCompleted', 'StreamFailed'].includes(events.at(-1).__typename)));
  assert.deepEqual(await loadOf(app, 'small'), { inFlight: 0, waiting: 0 });
});

test('those who wait are served by priority, and everybody sees how many they are', async t => {
  const { app, upstream } = await startLimited(t, { small: 1, other: 1 });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('first')]);
  const ids = [await submit(app, { prompt: 'first', model: 'small' })];
  await upstream.nextRequest();
  for (const [prompt, priority] of [
    ['low', 10],
    ['middle', 50],
    ['high', 90],
  ] as const)
    ids.push(await submit(app, { prompt, priority, model: 'small' }));
  await until(async () => (await loadOf(app, 'small')).waiting === 3, 'three wait');

  assert.deepEqual(await loadOf(app, 'small'), { inFlight: 1, waiting: 3 });
  assert.deepEqual(await loadOf(app, 'other'), { inFlight: 0, waiting: 0 });
  const headers = { authorization: `Bearer ${app.adminToken}` };
  const metrics = await (await fetch(`${app.url}/metrics`, { headers })).text();
  assert.match(metrics, /^mcplane_in_flight_calls\{deployment="house\/small"\} 1$/m);
  assert.match(metrics, /^mcplane_waiting_for_capacity\{deployment="house\/small"\} 3$/m);
  go.resolve();
  const streams = await Promise.all(ids.map(id => readStream(app, id)));
  assert.deepEqual(upstream.modelCalls.map(promptOf), ['first', 'high', 'middle', 'low']);
  assert.ok(streams.every(events => events.at(-1).__typename === 'StreamCompleted'));
  const { request } = await app.ask(REQUEST, { id: ids[1] });
  assert.equal(
    request.routing.explanation,
    'No room at house/small: the request waits for the first call there to end.',
  );
});

test('a request that is cancelled while it waits ends at once and calls nobody', async t => {
  const { app, upstream } = await startLimited(t, { small: 1 });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('first')]);
  const first = await submit(app, { prompt: 'first' });
  const id = await submit(app, { prompt: 'second' });
  await until(async () => (await loadOf(app, 'small')).waiting === 1, 'it waits');

  assert.equal((await app.ask(CANCEL, { id })).cancelRequest.request.status, 'CANCELLED');
  assert.deepEqual(await loadOf(app, 'small'), { inFlight: 1, waiting: 0 });
  go.resolve();
  assert.equal(textOf(await readStream(app, first)), 'first');
  assert.equal(upstream.modelCalls.length, 1);
  assert.deepEqual((await app.ask(REQUEST, { id })).request.attempts, []);
});

test('a request that waits beyond its total deadline says so, and its waiting is no overhead of ours', async t => {
  const { app, upstream } = await startLimited(t, { small: 1 });
  upstream.enqueue([gate(new Promise(() => {}))]);
  await submit(app, { prompt: 'first' });
  await upstream.nextRequest();
  const id = await submit(app, { prompt: 'second', deadlines: { totalMs: 400 } });
  const { error } = (await readStream(app, id)).at(-1);

  assert.equal(error.code, 'TIMEOUT');
  assert.match(
    error.message,
    /^It waited \d+ ms for room at house\/small, until its total deadline passed\.$/,
  );
  const { request } = await app.ask(REQUEST, { id });
  assert.ok(request.overheadMs < 300, `overhead of ${request.overheadMs} ms`);
  assert.equal(upstream.modelCalls.length, 1);
});

test('a cancelled call gives its place to the next only when its connection is closed', async t => {
  const { app, upstream } = await startLimited(t, { small: 1 });
  const counted = census(upstream, request =>
    promptOf(request) === 'first' ? [text('a'), gate(new Promise(() => {}))] : [text('second')],
  );
  const first = await submit(app, { prompt: 'first' });
  await upstream.nextRequest();
  const second = await submit(app, { prompt: 'second' });
  await app.ask(CANCEL, { id: first });

  assert.equal(textOf(await readStream(app, second)), 'second');
  assert.equal(counted.peak, 1);
});

test('a provider that is not done after its answer keeps its place until its connection is free', async t => {
  const { app, upstream } = await startLimited(t, { small: 1 });
  const counted = census(upstream, () => [text('whole'), finish(), stall()]);
  const ids = [await submit(app, { prompt: 'first' }), await submit(app, { prompt: 'second' })];

  for (const id of ids) assert.equal(textOf(await readStream(app, id)), 'whole');
  assert.deepEqual([upstream.modelCalls.length, counted.peak], [2, 1]);
});

test('who fails at one deployment waits for the other that is full, rather than to fail', async t => {
  const { app, upstream } = await startLimited(t, { broken: 5, small: 1 });
  const go = Promise.withResolvers<void>();
  upstream.answerWith(request => {
    if (request.body.model === 'broken') return status(500);
    return promptOf(request) === 'first' ? [gate(go.promise), text('first')] : [text('rescued')];
  });
  await submit(app, { prompt: 'first', model: 'small' });
  await upstream.nextRequest();
  const id = await submit(app, { prompt: 'second' });
  await until(async () => (await loadOf(app, 'small')).waiting === 1, 'it waits');
  go.resolve();

  assert.equal(textOf(await readStream(app, id)), 'rescued');
  const { request } = await app.ask(REQUEST, { id });
  assert.match(request.routing.explanation, /^house\/broken first: no room at house\/small;/);
  assert.equal(request.attempts.at(-1).deployment.id, 'house/small');
});

test('a deployment that is drained lets go of those who wait for it', async t => {
  const { app, upstream } = await startLimited(t, { small: 1 });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('first')]);
  await submit(app, { prompt: 'first' });
  const ids = [await submit(app, { prompt: 'second' }), await submit(app, { prompt: 'third' })];
  await until(async () => (await loadOf(app, 'small')).waiting === 2, 'they wait');
  await app.ask(
    'mutation { drainDeployment(input: { deploymentId: "house/small", reason: "repair" }) { provider { id } } }',
  );
  go.resolve();

  for (const id of ids) assert.equal((await readStream(app, id)).at(-1).error.code, 'NO_ROUTE');
  assert.equal(upstream.modelCalls.length, 1);
});

/** The first call is answered when it is told to go on; three others wait for it in line. */
async function startLine(t: TestContext) {
  const { app, upstream } = await startLimited(t, { small: 1 });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('first')]);
  await submit(app, { prompt: 'first' });
  await upstream.nextRequest();
  const ids: string[] = [];
  for (const prompt of ['second', 'third', 'fourth']) ids.push(await submit(app, { prompt }));
  await until(async () => (await loadOf(app, 'small')).waiting === 3, 'three wait');
  return { app, upstream, ids, go: go.resolve };
}

test('after a 429 nobody in line calls before the pause is over, and then all are answered', async t => {
  const { app, upstream, ids, go } = await startLine(t);
  let refusedAtMs: number | undefined;
  upstream.answerWith(() => {
    refusedAtMs ??= performance.now();
    const isPause = performance.now() - refusedAtMs < 1_000;
    return isPause ? status(429, { 'retry-after': '1' }) : [text('served')];
  });
  go();

  for (const id of ids) assert.equal(textOf(await readStream(app, id)), 'served');
  assert.equal(upstream.modelCalls.length, 5, 'one of them was refused');
  await until(async () => (await loadOf(app, 'small')).inFlight === 0, 'the last place was given back');
});

test('a pause that is too long ends the waiting at once, and the caller is told how long it is', async t => {
  const { app, upstream, ids, go } = await startLine(t);
  upstream.answerWith(() => status(429, { 'retry-after': '120' }));
  go();

  const [refused, ...others] = await Promise.all(ids.map(id => readStream(app, id)));
  assert.equal(refused!.at(-1).error.code, 'PROVIDER_FAILED');
  for (const events of others) {
    const { code, retryable, retryAfterMs } = events.at(-1).error;
    assert.deepEqual([code, retryable], ['NO_ROUTE', true]);
    assert.ok(retryAfterMs > 90_000 && retryAfterMs <= 120_000, `${retryAfterMs}`);
  }
  assert.equal(upstream.modelCalls.length, 2);
  assert.deepEqual(await loadOf(app, 'small'), { inFlight: 0, waiting: 0 });
});

test('a full local deployment spills over to one with room, and the decision says so', async t => {
  const [house, cloud] = [await startUpstream(t, { models: [] }), await startUpstream(t, { models: [] })];
  const app = await startConfigured(
    t,
    `
providers:
  - { id: house, kind: ollama, baseUrl: "${house.url}", onlyModels: true, models: [{ model: small, maxConcurrency: 1 }] }
  - { id: cloud, kind: openai, baseUrl: "${cloud.url}/v1", onlyModels: true, models: [{ model: large }] }
  - { kind: lmstudio, enabled: false }
aliases:
  careful: { deployments: [house/small], fallbacks: [cloud/large] }
`,
  );
  const go = Promise.withResolvers<void>();
  house.enqueue([gate(go.promise), text('local')]);
  cloud.answerWith(() => [text('distant')]);
  const first = await submit(app, { prompt: 'first', preferLocal: true });
  await house.nextRequest();

  const spilt = await submit(app, { prompt: 'second', preferLocal: true });
  assert.equal(textOf(await readStream(app, spilt)), 'distant');
  const { request } = await app.ask(REQUEST, { id: spilt });
  assert.equal(
    request.routing.explanation,
    'cloud/large first: no room at house/small; house/small is next.',
  );
  const fallenBack = await submit(app, { prompt: 'third', model: 'careful' });
  assert.equal(textOf(await readStream(app, fallenBack)), 'distant');

  const named = await submit(app, { prompt: 'fourth', model: 'house/small' });
  await until(async () => (await loadOf(app, 'small')).waiting === 1, 'who names it waits');
  go.resolve();
  assert.equal(textOf(await readStream(app, first)), 'local');
  assert.match(textOf(await readStream(app, named)), /^echo/);
});
