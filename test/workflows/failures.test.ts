// Steps that fail: tried again, done without, or the end of the whole; and runs that take up what was paid.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status, text } from '../support/upstream.ts';
import { promptIn, startWorkflowWorld, statusesOf } from './setup.ts';

test('a step that fails is tried again, and then fails the workflow with its reason', async t => {
  const world = await startWorkflowWorld(t, { MCPLANE_MAX_ATTEMPTS: '1' });
  const retry = { maxRetries: 1, backoffMs: 1 };
  world.upstream.enqueue(status(500), [text('good')]);
  const lucky = await world.ended(await world.start({ steps: [{ id: 'a', prompt: 'x', retry }] }));
  assert.equal(lucky.output, 'good');
  assert.equal(lucky.workflow.steps[0].tries, 2);

  world.upstream.answerWith(request => (promptIn(request) === 'bad' ? status(400) : [text('fine')]));
  const failed = await world.ended(
    await world.start({
      steps: [
        { id: 'bad', prompt: 'bad', retry },
        { id: 'after', prompt: '{{steps.bad.output}}' },
        { id: 'other', prompt: 'other' },
      ],
    }),
  );
  assert.equal(failed.status, 'FAILED');
  assert.match(failed.error.message, /^Step "bad"/);
  assert.deepEqual(statusesOf(failed), { bad: 'FAILED', after: 'CANCELLED', other: 'SUCCEEDED' });
});

test('a failure that may be done without leaves the rest to go on', async t => {
  const world = await startWorkflowWorld(t);
  world.upstream.answerWith(request => (promptIn(request) === 'bad' ? status(400) : [text('fine')]));
  const request = await world.ended(
    await world.start({
      steps: [
        { id: 'bad', prompt: 'bad', onFailure: 'CONTINUE' },
        { id: 'good', prompt: 'good' },
        { id: 'needs', prompt: '{{steps.bad.output}}' },
        { id: 'takes', prompt: 'has {{steps.bad.output}}{{steps.good.output}}', join: 'ANY' },
      ],
    }),
  );
  assert.equal(request.status, 'SUCCEEDED');
  assert.deepEqual(statusesOf(request), {
    bad: 'FAILED',
    good: 'SUCCEEDED',
    needs: 'SKIPPED',
    takes: 'SUCCEEDED',
  });
  assert.ok(world.prompts().includes('has fine'));
});

test('what succeeded is not paid again when a failed workflow is run again', async t => {
  const world = await startWorkflowWorld(t);
  let broken = true;
  world.upstream.answerWith(request =>
    broken && promptIn(request).startsWith('late 1') ? status(400) : [text(promptIn(request).toUpperCase())],
  );
  const first = await world.start({
    parameters: { list: [0, 1, 2] },
    steps: [
      { id: 'early', prompt: 'early' },
      { id: 'late', prompt: 'late {{item}} {{steps.early.output}}', forEach: { items: 'parameters.list' } },
      { id: 'end', prompt: 'end {{steps.late.output}}' },
    ],
  });
  assert.equal((await world.ended(first)).status, 'FAILED');
  const paid = world.prompts().length;
  broken = false;
  const rerun = async (input: object) => {
    const data = await world.ask(
      'mutation ($input: RerunWorkflowInput!) { rerunWorkflow(input: $input) { request { id } } }',
      { input },
    );
    return world.ended(data.rerunWorkflow.request.id);
  };
  const second = await rerun({ requestId: first });
  assert.equal(second.status, 'SUCCEEDED');
  assert.deepEqual(world.prompts().slice(paid), [
    'late 1 EARLY',
    'end ["LATE 0 EARLY","LATE 1 EARLY","LATE 2 EARLY"]',
  ]);
  assert.ok(second.workflow.steps[0].reused);

  const third = await rerun({ requestId: second.id, fromStep: 'end' });
  assert.equal(third.status, 'SUCCEEDED');
  assert.equal(world.prompts().length, paid + 3);
});
