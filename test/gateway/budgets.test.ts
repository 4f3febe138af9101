// Requests under a budget, over real sockets: what they reserve, whom they may be given to, and what they spend.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/app.ts';
import { cut, finish, gate, text } from '../support/upstream.ts';
import { ended, startSpender } from './budget-setup.ts';

const usage = (inputTokens: number, outputTokens: number) => finish({ usage: { inputTokens, outputTokens } });
const CHEAP = { input: 0, output: 0.001 };
const DEAR = { input: 0, output: 0.01 };

test('a request holds the most that it can cost, and spends what it did cost', async t => {
  const spender = await startSpender(t, '1', [{ input: 0.0001, output: 0.001 }]);
  const go = Promise.withResolvers<void>();
  spender.upstreams[0]!.enqueue([text('4'), gate(go.promise), text('2'), usage(10, 20)]);

  const submitted = await spender.submit({ maxOutputTokens: 100 });
  assert.ok('id' in submitted);
  const { reserved } = await spender.look(submitted.id);
  // A hundred tokens of output, and of input more than the provider can count.
  assert.ok(Number(reserved) > 0.1 && Number(reserved) < 0.15, reserved);
  const { spent, remaining, ...during } = await spender.budget();
  assert.deepEqual([during.reserved, spent, Number(remaining)], [reserved, '0', 1 - Number(reserved)]);
  go.resolve();

  await until(async () => (await spender.look(submitted.id)).status === 'SUCCEEDED', 'it ends');
  const after = await spender.budget();
  assert.deepEqual([after.spent, after.reserved, after.remaining], ['0.021', '0', '0.979']);
});

test('who asks for no number of output tokens gets what the setting allows, and no more', async t => {
  const env = { MCPLANE_BUDGET_OUTPUT_TOKENS: '50' };
  const spender = await startSpender(t, '1', [CHEAP], { env });

  const request = await ended(spender);
  await ended(spender, { maxOutputTokens: 70 });
  const asAdmin = { prompt: 'Hello', model: 'chain' };
  await spender.app.ask(
    'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }',
    {
      input: asAdmin,
    },
  );
  await spender.upstreams[0]!.nextRequest();

  await until(() => spender.upstreams[0]!.modelCalls.length === 3, 'the third is called');
  const bounds = spender.upstreams[0]!.modelCalls.map(({ body }) => body.max_tokens);
  assert.deepEqual(bounds.slice(0, 2), [50, 70]);
  assert.ok(bounds[2]! > 1_000, 'who falls under no budget is not bounded by it');
  assert.equal(request.reserved, '0.05');
});

test('a submission that is not covered is refused, says why, and leaves nothing behind', async t => {
  const spender = await startSpender(t, '0.05', [CHEAP]);

  const { error } = (await spender.submit({ maxOutputTokens: 51, idempotencyKey: 'key' })) as {
    error: never;
  };

  const { message, extensions } = error as { message: string; extensions: Record<string, unknown> };
  const { id, resetsAt, ...budget } = await spender.budget();
  assert.match(message, /\$0\.05 left.*may cost \$0\.051.*resets at/);
  assert.deepEqual(extensions, {
    code: 'BUDGET_EXCEEDED',
    retryable: false,
    budgetId: id,
    period: 'MONTH',
    limit: '0.05',
    remaining: '0.05',
    required: '0.051',
    resetsAt,
  });
  assert.deepEqual([budget.reserved, budget.spent], ['0', '0']);
  assert.equal(spender.upstreams[0]!.modelCalls.length, 0);
  assert.ok(
    'id' in (await spender.submit({ maxOutputTokens: 49, idempotencyKey: 'key' })),
    'its key is free',
  );
  const metrics = await fetch(`${spender.app.url}/metrics`, {
    headers: { authorization: `Bearer ${spender.app.adminToken}` },
  });
  assert.match(await metrics.text(), /mcplane_budget_refusals_total\{scope="user",period="month"\} 1/);
});

test('a resend is answered as before although nothing is left', async t => {
  const spender = await startSpender(t, '0.06', [CHEAP]);
  const first = { maxOutputTokens: 60, idempotencyKey: 'key' };
  const sent = await spender.submit(first);

  assert.deepEqual(await spender.submit(first), sent);
  assert.ok('error' in (await spender.submit({ maxOutputTokens: 59 })));
  assert.equal(spender.upstreams[0]!.modelCalls.length, 1);
});

test('a deployment of unknown price gets nothing of a budget, unless the operator allows it', async t => {
  const strict = await startSpender(t, '1', [undefined, CHEAP]);
  const request = await ended(strict, { maxOutputTokens: 10 });

  assert.deepEqual(request.routing.candidates, [{ deploymentId: 'p2/m' }]);
  const [rejection] = request.routing.rejections;
  assert.deepEqual([rejection.deploymentId, rejection.reason], ['p1/m', 'UNPRICED']);
  const { error } = (await strict.submit({ model: 'p1/m' })) as {
    error: { message: string; extensions: object };
  };
  assert.match(error.message, /p1\/m \(its price is unknown, and a budget applies\)/);
  const simulated = await strict.app.ask(
    `query ($input: SubmitRequestInput!) { simulateRoute(input: $input) { rejections { reason } } }`,
    { input: { prompt: 'Hello', model: 'p1/m' } },
    strict.token,
  );
  assert.ok(
    simulated.simulateRoute.rejections.some(({ reason }: { reason: string }) => reason === 'UNPRICED'),
  );

  const lax = await startSpender(t, '0', [undefined], { env: { MCPLANE_BUDGET_ALLOW_UNPRICED: 'true' } });
  const served = await ended(lax, {});
  assert.deepEqual([served.status, served.cost, served.reserved], ['SUCCEEDED', null, '0']);
  assert.equal((await lax.budget()).spent, '0');
});

test('a failed call that cost something counts, and the next one is made when there is room for it', async t => {
  const spender = await startSpender(t, '0.13', [CHEAP, DEAR]);
  // Ten words of forty bytes: ten tokens as they are estimated.
  const [first, second] = spender.upstreams;
  first!.answerWith(() => [text('0123456789 123456789 123456789 123456789'), cut()]);
  second!.answerWith(() => [text('0123456789 123456789 123456789 123456789 and so on'), usage(1, 9)]);

  const request = await ended(spender, { maxOutputTokens: 12 });

  assert.equal(request.status, 'SUCCEEDED', JSON.stringify(request.error));
  assert.deepEqual(
    request.attempts.map(({ deployment, outcome, cost }: never) => [
      (deployment as { id: string }).id,
      outcome,
      cost,
    ]),
    [
      ['p1/m', 'FAILED', '0.01'],
      ['p2/m', 'SUCCEEDED', '0.09'],
    ],
  );
  assert.equal(request.reserved, '0.13', 'twelve cheap ones, and then what the dear ones took besides');
  const { spent, reserved } = await spender.budget();
  assert.deepEqual([spent, reserved], ['0.1', '0']);
});
