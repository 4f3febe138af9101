// What the whole of a workflow may take: money, tokens, requests at a time; and what it is estimated to take.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startTestApp, until } from '../support/app.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';
import { providerAt, startWorkflowWorld, statusesOf, type WorkflowWorld, workflowsOn } from './setup.ts';

/** With a model that has a price. */
async function startPriced(t: TestContext): Promise<WorkflowWorld> {
  const upstream = await startUpstream(t, { models: [{ id: 'gpt-4o-mini' }] });
  return workflowsOn(await startTestApp(t, providerAt(upstream)), upstream);
}

async function estimateOf(world: WorkflowWorld, id: string): Promise<number> {
  const { request } = await world.ask(
    'query ($id: ID!) { request(id: $id) { workflow { estimatedRemainingCost } } }',
    { id },
  );
  return Number(request.workflow.estimatedRemainingCost);
}

test('the estimate for a step counts its schema, which is sent with the prompt', async t => {
  const world = await startPriced(t);
  const estimate = async (outputSchema?: object) =>
    estimateOf(
      world,
      await world.start({
        steps: [
          { id: 'ask', kind: 'APPROVAL', prompt: 'well?' },
          { id: 'a', prompt: 'a', outputSchema, dependsOn: ['ask'] },
        ],
      }),
    );
  const without = await estimate();
  assert.ok(without > 0);
  assert.ok((await estimate({ type: 'object', description: 'long '.repeat(1_000) })) > without);
});

test('a step that does not fit into the rest of the money or the tokens is not begun', async t => {
  const world = await startPriced(t);
  const steps = [
    { id: 'a', prompt: 'a' },
    { id: 'b', prompt: 'b {{steps.a.output}}' },
  ];
  const outOfTokens = await world.ended(await world.start({ steps, limits: { maxTokens: 1 } }));
  assert.equal(outOfTokens.error.code, 'BUDGET_EXCEEDED');
  assert.match(outOfTokens.error.message, /Step "b": The step was not begun: .* of its 1 tokens/);
  assert.deepEqual(world.prompts(), ['a']);

  const outOfMoney = await world.ended(await world.start({ steps, limits: { maxCost: '0.000000001' } }));
  assert.equal(outOfMoney.error.code, 'BUDGET_EXCEEDED');
  assert.match(
    outOfMoney.error.message,
    /Step "a": .* \$0\.000000001 of the workflow's \$0\.000000001 are left/,
  );
  const step = { ...steps[0], maxCost: '0.000000001' };
  assert.match((await world.ended(await world.start({ steps: [step] }))).error.message, /its maxCost is/);
  assert.deepEqual(world.prompts(), ['a']);
});

test('no more requests are under way at a time than the workflow allows', async t => {
  const world = await startWorkflowWorld(t);
  const go = Promise.withResolvers<void>();
  world.upstream.answerWith(() => [gate(go.promise), text('done')]);
  const steps = ['a', 'b', 'c', 'd'].map(id => ({ id, prompt: id }));
  const id = await world.start({ steps, limits: { maxParallel: 2 } });
  const running = async () =>
    Object.values(statusesOf(await world.state(id))).filter(status => status === 'RUNNING').length;
  await until(() => world.prompts().length === 2, 'two are under way');
  assert.equal(await running(), 2);
  go.resolve();
  assert.equal((await world.ended(id)).status, 'SUCCEEDED');
  assert.equal(world.prompts().length, 4);
});

test('the deadline of a workflow ends the steps that run', async t => {
  const world = await startWorkflowWorld(t);
  world.upstream.answerWith(() => [text('half '), gate(new Promise<never>(() => {}))]);
  const id = await world.start({ steps: [{ id: 'a', prompt: 'a' }], limits: { deadlineMs: 300 } });
  const request = await world.ended(id);
  assert.equal(request.error.code, 'TIMEOUT');
  assert.deepEqual(statusesOf(request), { a: 'CANCELLED' });
  await until(() => world.upstream.openCalls === 0, 'its call has ended');
});
