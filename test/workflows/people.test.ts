// What people do to a workflow that runs: decide, pause, cancel.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/app.ts';
import { gate, text } from '../support/upstream.ts';
import { startWorkflowWorld, statusesOf } from './setup.ts';

test('a step that waits for a person goes on with a yes, and ends the workflow with a no', async t => {
  const world = await startWorkflowWorld(t);
  const decide = (requestId: string, approved: boolean) =>
    world.send('mutation ($input: DecideStepInput!) { decideStep(input: $input) { request { id } } }', {
      input: { requestId, step: 'review', approved, comment: 'because' },
    });
  const workflow = {
    steps: [
      { id: 'draft', prompt: 'draft' },
      { id: 'review', kind: 'APPROVAL', prompt: 'Publish {{steps.draft.output}}?' },
      { id: 'publish', prompt: 'publish {{steps.draft.output}}, {{steps.review.output}}' },
    ],
  };
  const waits = async (id: string) =>
    until(async () => statusesOf(await world.state(id)).review === 'WAITING', 'the step waits');

  const yes = await world.start(workflow);
  await waits(yes);
  assert.equal(world.prompts().length, 1);
  assert.equal((await decide(yes, true)).errors, undefined);
  const approved = await world.ended(yes);
  assert.equal(approved.output, 'echo: publish echo: draft, because');
  assert.equal(approved.workflow.steps[1].note, 'approved by admin: because');

  const no = await world.start(workflow);
  await waits(no);
  await decide(no, false);
  const rejected = await world.ended(no);
  assert.equal(rejected.status, 'CANCELLED');
  assert.match(rejected.error.message, /review.*rejected by admin: because/);
  assert.equal(statusesOf(rejected).publish, 'CANCELLED');
  assert.equal((await decide(no, true)).errors![0]!.extensions.code, 'CONFLICT');
});

test('a paused workflow begins nothing until it is resumed', async t => {
  const world = await startWorkflowWorld(t);
  const go = Promise.withResolvers<void>();
  world.upstream.enqueue([text('one'), gate(go.promise)]);
  const id = await world.start({
    steps: [
      { id: 'a', prompt: 'a' },
      { id: 'b', prompt: 'b {{steps.a.output}}' },
    ],
  });
  await world.upstream.nextRequest();
  const change = (name: string) =>
    world.ask(
      `mutation ($id: ID!) { ${name}Workflow(input: { requestId: $id }) { request { workflow { pausedAt } } } }`,
      { id },
    );
  const { pauseWorkflow } = await change('pause');
  assert.ok(pauseWorkflow.request.workflow.pausedAt);
  go.resolve();
  await until(async () => statusesOf(await world.state(id)).a === 'SUCCEEDED', 'the running step has ended');
  assert.equal(statusesOf(await world.state(id)).b, 'PENDING');
  assert.equal(world.prompts().length, 1);
  await change('resume');
  assert.equal((await world.ended(id)).output, 'echo: b one');
});

test('cancelling a workflow cancels the steps that run, and begins no other', async t => {
  const world = await startWorkflowWorld(t);
  world.upstream.enqueue([text('one'), gate(new Promise<void>(() => {}))]);
  const id = await world.start({
    steps: [
      { id: 'a', prompt: 'a' },
      { id: 'b', prompt: 'b {{steps.a.output}}' },
    ],
  });
  const call = await world.upstream.nextRequest();
  await world.ask('mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { status } } }', {
    id,
  });
  await call.closed;
  const request = await world.ended(id);
  assert.equal(request.status, 'CANCELLED');
  assert.deepEqual(statusesOf(request), { a: 'CANCELLED', b: 'CANCELLED' });
  const { requests } = await world.ask('{ requests(filter: { includeSteps: true }) { nodes { status } } }');
  assert.deepEqual(
    requests.nodes.map((node: { status: string }) => node.status),
    ['CANCELLED', 'CANCELLED'],
  );
});
