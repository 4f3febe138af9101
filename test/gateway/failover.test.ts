import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestApp } from '../support/app.ts';
import { REQUEST, readStream, SUBMIT, submit, textOf } from '../support/requests.ts';
import { cut, gate, startUpstream, status, text } from '../support/upstream.ts';

test('a provider that fails before its first token is replaced, and the client sees only the answer', async t => {
  const [openai, anthropic] = [await startUpstream(t), await startUpstream(t)];
  const app = await startTestApp(t, {
    OPENAI_BASE_URL: `${openai.url}/v1`,
    ANTHROPIC_BASE_URL: anthropic.url,
  });
  // Nothing is known of either, so chance decides who is asked first: that one is broken, and stays so.
  let broken: object | undefined;
  for (const upstream of [openai, anthropic])
    upstream.answerWith(() => {
      broken ??= upstream;
      return upstream === broken ? status(500) : [text('rescued')];
    });

  const id = await submit(app, { prompt: 'Help' });
  const events = await readStream(app, id);

  assert.equal(textOf(events), 'rescued');
  assert.equal(events.at(-1).__typename, 'StreamCompleted');
  const { request } = await app.ask(REQUEST, { id });
  assert.equal(request.status, 'SUCCEEDED');
  assert.ok(request.attempts.length >= 2);
  assert.deepEqual(request.attempts[0].error, { code: 'PROVIDER_FAILED' });
  assert.equal(request.attempts.at(-1).outcome, 'SUCCEEDED');
});

test('an answer that breaks off is a failure with its text kept, never a success', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  upstream.answerWith(() => [text('half an ans'), cut()]);

  const id = await submit(app, { prompt: 'Tell me' });
  const events = await readStream(app, id);

  assert.equal(events.at(-1).__typename, 'StreamFailed');
  assert.equal(events.at(-1).error.code, 'STREAM_TRUNCATED');
  assert.deepEqual(events.at(-1).request, { status: 'FAILED', output: 'half an ans' });
  // Asked once more, it broke off at the same place.
  assert.equal(upstream.modelCalls.length, 2);
  const { request } = await app.ask(REQUEST, { id });
  assert.equal(request.usage.estimated, true);
});

test('the only provider is asked once more, and then the failure says so', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  upstream.answerWith(() => status(500));

  const events = await readStream(app, await submit(app, { prompt: 'Hello' }));
  assert.equal(events.at(-1).error.code, 'PROVIDER_FAILED');
  assert.equal(events.at(-1).error.retryable, true);
  assert.equal(upstream.modelCalls.length, 2);
});

test("the caller's own bad request is tried once and does not open the breaker", async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  upstream.answerWith(() => status(400));

  for (let index = 0; index < 6; index += 1) await readStream(app, await submit(app, { prompt: 'Hello' }));
  assert.equal(upstream.modelCalls.length, 6);
  const { providers } = await app.ask('{ providers { deployments { breaker { state failures } } } }');
  const breakers = providers.flatMap((provider: { deployments: { breaker: object }[] }) =>
    provider.deployments.map(({ breaker }) => breaker),
  );
  assert.deepEqual(breakers, [{ state: 'CLOSED', failures: 0 }]);
});

test('a breaker opens after repeated failures, keeps calls away, and an administrator closes it', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  upstream.answerWith(() => status(500));
  for (let index = 0; index < 3; index += 1) await readStream(app, await submit(app, { prompt: 'Hello' }));
  const calls = upstream.modelCalls.length;

  const { providers } = await app.ask(
    '{ providers { id deployments { id breaker { state lastError retryAt } } } }',
  );
  const { deployments } = providers.find((provider: { id: string }) => provider.id === 'openai');
  assert.equal(deployments[0].breaker.state, 'OPEN');
  await app.ask(`mutation ($input: OpenBreakerInput!) { openBreaker(input: $input) { provider { id } } }`, {
    input: { providerId: 'openai', reason: 'no last resort' },
  });
  const { errors } = await app.send(SUBMIT, { input: { prompt: 'Hello' } });
  assert.equal(errors?.[0]?.extensions.code, 'NO_ROUTE');
  assert.match(errors![0]!.message, /its circuit breaker is open/);
  assert.equal(upstream.modelCalls.length, calls);

  const reset = `mutation ($input: ResetBreakerInput!) { resetBreaker(input: $input) { provider { deployments { breaker { state history { to cause detail } } } } } }`;
  const user = await app.login('mallory');
  assert.equal(
    (await app.send(reset, { input: { providerId: 'openai', reason: 'mine' } }, user)).errors?.[0]?.extensions
      .code,
    'FORBIDDEN',
  );
  await app.ask(reset, { input: { providerId: 'openai', reason: 'the provider is back' } });
  upstream.answerWith();
  assert.equal(
    (await readStream(app, await submit(app, { prompt: 'Hello' }))).at(-1).__typename,
    'StreamCompleted',
  );

  const { auditEvents } = await app.ask('{ auditEvents(first: 50) { nodes { action reason } } }');
  assert.ok(
    auditEvents.nodes.some(
      (event: { action: string; reason: string }) =>
        event.action === 'breaker.reset' && event.reason === 'the provider is back',
    ),
  );
});

test('the ledger equals what the provider billed', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, index) => submit(app, { prompt: `Count to ${index} with me` })),
  );
  await Promise.all(ids.map(id => readStream(app, id)));

  const { metrics } = await app.ask(
    '{ metrics { total { requests succeeded inputTokens outputTokens unpriced } } }',
  );
  assert.deepEqual(metrics.total, {
    requests: 20,
    succeeded: 20,
    inputTokens: String(upstream.billed.inputTokens),
    outputTokens: String(upstream.billed.outputTokens),
    unpriced: 20,
  });
});

test('a cancelled request closes the call to its provider before the cancel is answered', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  upstream.enqueue([text('never '), gate(new Promise(() => {}))]);
  const id = await submit(app, { prompt: 'Wait' });
  const streaming = readStream(app, id);
  const call = await upstream.nextRequest();

  const { cancelRequest } = await app.ask(
    'mutation ($input: CancelRequestInput!) { cancelRequest(input: $input) { request { status error { code } } } }',
    { input: { requestId: id } },
  );
  assert.deepEqual(cancelRequest.request, { status: 'CANCELLED', error: { code: 'CANCELLED' } });
  await call.closed;
  assert.equal((await streaming).at(-1).error.code, 'CANCELLED');
});

test('the same idempotency key joins the request that it made, other input is refused', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('once')]);

  const ids = await Promise.all([1, 2, 3].map(() => submit(app, { prompt: 'Once', idempotencyKey: 'k1' })));
  assert.equal(new Set(ids).size, 1);
  const streams = ids.map(id => readStream(app, id));
  go.resolve();
  assert.deepEqual((await Promise.all(streams)).map(textOf), ['once', 'once', 'once']);
  assert.equal(upstream.modelCalls.length, 1);

  const other = await app.send(
    `mutation { submitRequest(input: { prompt: "Other", idempotencyKey: "k1" }) { request { id } } }`,
  );
  assert.equal(other.errors?.[0]?.extensions.code, 'IDEMPOTENCY_CONFLICT');
  const stranger = await app.login('bob');
  assert.notEqual(await submit(app, { prompt: 'Mine', idempotencyKey: 'k1' }, stranger), ids[0]);
});

test('requests beyond the limit wait, start by priority, and can be cancelled while they wait', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, {
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    MCPLANE_MAX_RUNNING_REQUESTS: '1',
  });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('first')]);
  const first = await submit(app, { prompt: 'first' });
  const low = await submit(app, { prompt: 'low', priority: 10 });
  const dropped = await submit(app, { prompt: 'dropped', priority: 99 });
  const high = await submit(app, { prompt: 'high', priority: 90 });
  assert.equal((await app.ask(REQUEST, { id: low })).request.status, 'QUEUED');

  await app.ask('mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { id } } }', {
    id: dropped,
  });
  go.resolve();
  await Promise.all([first, low, high].map(id => readStream(app, id)));

  const prompts = upstream.modelCalls.map(call => call.body.messages.at(-1).content);
  assert.deepEqual(prompts, ['first', 'high', 'low']);
  assert.equal((await app.ask(REQUEST, { id: dropped })).request.status, 'CANCELLED');
});

test("nobody reads or cancels another user's request, an administrator may", async t => {
  const app = await startTestApp(t);
  const [alice, bob] = [await app.login('alice'), await app.login('bob')];
  const id = await submit(app, { prompt: 'private' }, alice);
  await readStream(app, id);

  assert.deepEqual(await app.ask(REQUEST, { id }, bob), { request: null });
  assert.deepEqual((await app.ask('{ requests { nodes { id } } }', {}, bob)).requests.nodes, []);
  const cancel = await app.send(
    'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { id } } }',
    { id },
    bob,
  );
  assert.equal(cancel.errors?.[0]?.extensions.code, 'NOT_FOUND');
  assert.equal((await app.ask('{ requests { nodes { id } } }')).requests.nodes.length, 1);
});

test('a provider whose key was refused is routed to again after an administrator resets it', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  upstream.enqueue(status(401));
  const failed = await readStream(app, await submit(app, { prompt: 'Hello' }));
  assert.equal(failed.at(-1).error.code, 'PROVIDER_FAILED');
  const refused = await app.send('mutation { submitRequest(input: { prompt: "Hello" }) { request { id } } }');
  assert.equal(refused.errors?.[0]?.extensions.code, 'NO_ROUTE');

  await app.ask(
    'mutation { resetBreaker(input: { providerId: "openai", reason: "new key" }) { provider { status } } }',
  );
  const events = await readStream(app, await submit(app, { prompt: 'Hello' }));
  assert.equal(events.at(-1).__typename, 'StreamCompleted');
});

test('a resend with its key finds its request even when there is no room for more', async t => {
  const upstream = await startUpstream(t);
  const limits = { MCPLANE_MAX_RUNNING_REQUESTS: '1', MCPLANE_MAX_QUEUED_REQUESTS: '0' };
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1`, ...limits });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('once')]);
  const input = { prompt: 'Once', idempotencyKey: 'k1' };
  const id = await submit(app, input);

  assert.equal(await submit(app, input), id);
  const other = await app.send('mutation { submitRequest(input: { prompt: "Other" }) { request { id } } }');
  assert.equal(other.errors?.[0]?.extensions.code, 'OVERLOADED');
  const changed = await app.send(
    'mutation { submitRequest(input: { prompt: "Other", idempotencyKey: "k1" }) { request { id } } }',
  );
  assert.equal(changed.errors?.[0]?.extensions.code, 'IDEMPOTENCY_CONFLICT');
  go.resolve();
  assert.equal(textOf(await readStream(app, id)), 'once');
});
