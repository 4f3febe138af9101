// What the steps of a workflow say is its owner's, like what a request says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startWorkflowWorld } from './setup.ts';

const WORKFLOW = {
  steps: [
    { id: 'a', prompt: 'a' },
    { id: 'b', prompt: 'b {{steps.a.output}}' },
  ],
};
const SUBMIT = (selection: string) =>
  `mutation ($workflow: WorkflowInput!) { submitRequest(input: { workflow: $workflow }) { request { ${selection} } } }`;

test('a key for submitting sees how far a workflow is, and not what its steps say', async t => {
  const world = await startWorkflowWorld(t);
  const create = 'mutation { createApiKey(input: { name: "a", scopes: [SUBMIT] }) { secret } }';
  const { secret } = (await world.ask(create)).createApiKey;
  const send = (selection: string) => world.send(SUBMIT(selection), { workflow: WORKFLOW }, secret);

  const { data } = await send('workflow { progress { total } steps { id status } }');
  assert.equal(data.submitRequest.request.workflow.progress.total, 2);
  for (const field of ['prompt', 'output', 'note', 'items { output }']) {
    const { errors } = await send(`workflow { steps { ${field} } }`);
    assert.equal(
      errors?.[0]?.message,
      `WorkflowStep.${field.split(' ')[0]} needs an API key with the scope READ.`,
    );
  }
});

test("an administrator who reads the steps of another's workflow is remembered", async t => {
  const world = await startWorkflowWorld(t);
  const anna = await world.login('anna');
  const { submitRequest } = await world.ask(SUBMIT('id'), { workflow: WORKFLOW }, anna);
  const { id } = submitRequest.request;
  const read = (selection: string, token?: string) =>
    world.ask(`query ($id: ID!) { request(id: $id) { workflow { ${selection} } } }`, { id }, token);
  const readers = async () =>
    (await world.ask('{ auditEvents(filter: { action: "request.read" }) { nodes { actorName subject } } }'))
      .auditEvents.nodes;

  await read('steps { output }', anna);
  await read('progress { percent } steps { id status }');
  assert.deepEqual(await readers(), []);
  await read('steps { output }');
  assert.deepEqual(await readers(), [{ actorName: 'admin', subject: id }]);
});
