// A workflow without steps: a model plans them, under the same rules as everybody.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/app.ts';
import { text } from '../support/upstream.ts';
import { promptIn, startWorkflowWorld, statusesOf } from './setup.ts';

const PLAN = {
  steps: [
    { id: 'facts', title: 'Facts', prompt: 'facts', dependsOn: [] },
    { id: 'answer', title: 'Answer', prompt: 'answer from {{steps.facts.output}}', dependsOn: ['facts'] },
  ],
};

test('a plan is made by a model and carried out', async t => {
  const world = await startWorkflowWorld(t);
  world.upstream.enqueue([text(JSON.stringify(PLAN))]);
  const request = await world.ended(await world.start({}, { prompt: 'a big task', taskType: 'WORKFLOW' }));
  assert.equal(request.status, 'SUCCEEDED');
  assert.deepEqual(statusesOf(request), { plan: 'SUCCEEDED', facts: 'SUCCEEDED', answer: 'SUCCEEDED' });
  assert.deepEqual(world.prompts(), ['a big task', 'facts', 'answer from echo: facts']);
  assert.equal(request.output, 'echo: answer from echo: facts');
});

test('a plan that breaks the rules is sent back with the reason, at most twice', async t => {
  const world = await startWorkflowWorld(t);
  const circle = { steps: [{ ...PLAN.steps[0], dependsOn: ['answer'] }, PLAN.steps[1]] };
  const doubled = { steps: [PLAN.steps[0], PLAN.steps[0]] };
  world.upstream.enqueue(...[circle, doubled, PLAN].map(plan => [text(JSON.stringify(plan))]));
  const good = await world.ended(await world.start({}, { prompt: 'task', taskType: 'WORKFLOW' }));
  assert.equal(good.status, 'SUCCEEDED');
  assert.match(world.prompts()[1]!, /task\n\n.*could not be used.*can never start: /s);
  assert.match(world.prompts()[2]!, /used twice/);

  world.upstream.answerWith(() => [text('never a plan')]);
  const bad = await world.ended(await world.start({}, { prompt: 'task', taskType: 'WORKFLOW' }));
  assert.equal(bad.status, 'FAILED');
  assert.equal(bad.error.code, 'BAD_RESPONSE');
  assert.equal(bad.workflow.steps[0].tries, 3);
});

test('a plan can wait for a person before anything of it is paid', async t => {
  const world = await startWorkflowWorld(t);
  world.upstream.answerWith(request =>
    promptIn(request) === 'task' ? [text(JSON.stringify(PLAN))] : [text('done')],
  );
  const id = await world.start({ approvePlan: true }, { prompt: 'task', taskType: 'WORKFLOW' });
  await until(async () => statusesOf(await world.state(id))['approve-plan'] === 'WAITING', 'the plan waits');
  const shown = await world.state(id);
  assert.deepEqual(Object.keys(statusesOf(shown)), ['plan', 'approve-plan', 'facts', 'answer']);
  assert.equal(world.prompts().length, 1);
  await world.ask(
    'mutation ($id: ID!) { decideStep(input: { requestId: $id, step: "approve-plan", approved: true }) { request { id } } }',
    { id },
  );
  assert.equal((await world.ended(id)).output, 'done');
});
