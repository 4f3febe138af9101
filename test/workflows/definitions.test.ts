// Definitions of workflows: kept by version, run with other inputs, and one's own unless they are shared.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkflowWorld } from './setup.ts';
import { startWorkflowWorld } from './setup.ts';

const CREATE = `mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { definition { id version shared } } }`;
const RUN = `mutation ($input: RunWorkflowInput!) {
  runWorkflow(input: $input) { request { id submittedBy { username } } } }`;

test('a definition is kept by version and run with other parameters', async t => {
  const world = await startWorkflowWorld(t);
  const create = (prompt: string) =>
    world.ask(
      'mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) { definition { id version } } }',
      { input: { name: 'greet', workflow: { parameters: { who: 'world' }, steps: [{ id: 'a', prompt }] } } },
    );
  await create('hello {{parameters.who}}');
  const { createWorkflow } = await create('good day {{parameters.who}}, {{input}}');
  assert.equal(createWorkflow.definition.version, 2);
  const run = async (input: object) => {
    const { runWorkflow } = await world.ask(
      'mutation ($input: RunWorkflowInput!) { runWorkflow(input: $input) { request { id } } }',
      { input },
    );
    return (await world.ended(runWorkflow.request.id)).output;
  };
  assert.equal(await run({ name: 'greet', version: 1 }), 'echo: hello world');
  assert.equal(
    await run({ name: 'greet', parameters: { who: 'you' }, request: { prompt: 'sir' } }),
    'echo: good day you, sir',
  );
  const stranger = await world.login('stranger');
  const { errors } = await world.send(
    'mutation ($input: RunWorkflowInput!) { runWorkflow(input: $input) { request { id } } }',
    { input: { definitionId: createWorkflow.definition.id } },
    stranger,
  );
  assert.equal(errors![0]!.extensions.code, 'NOT_FOUND');
});

/** Keeps a workflow that says what it is given. */
function keep(world: WorkflowWorld, name: string, more: { shared?: boolean; says?: string }, token?: string) {
  const { says = name, ...rest } = more;
  const workflow = { steps: [{ id: 'a', prompt: `${says}: {{input}}` }] };
  return world.send(CREATE, { input: { name, workflow, ...rest } }, token);
}

test('what an administrator shares everybody reads and runs, as their own request', async t => {
  const world = await startWorkflowWorld(t);
  const [anna, ben] = [await world.login('anna'), await world.login('ben')];
  const run = async (input: object, token: string) => {
    const { data, errors } = await world.send(RUN, { input: { ...input, request: { prompt: 'x' } } }, token);
    if (errors) return errors[0]!.extensions.code;
    const { id, submittedBy } = data.runWorkflow.request;
    return [submittedBy.username, (await world.ended(id)).output];
  };
  const listed = async (token: string) =>
    (await world.ask('{ workflowDefinitions { nodes { name version shared } } }', {}, token))
      .workflowDefinitions.nodes;

  await keep(world, 'greet', { shared: true });
  const { data } = await keep(world, 'greet', { says: 'not ready' });
  assert.equal(data.createWorkflow.definition.shared, false);
  await keep(world, 'hidden', {});
  for (const token of [anna, ben])
    assert.deepEqual(await listed(token), [{ name: 'greet', version: 1, shared: true }]);
  assert.deepEqual(await run({ name: 'greet' }, anna), ['anna', 'echo: greet: x']);
  assert.deepEqual(await run({ name: 'greet', version: 2 }, ben), 'NOT_FOUND');
  assert.deepEqual(await run({ name: 'hidden' }, ben), 'NOT_FOUND');
  assert.deepEqual(await run({ definitionId: data.createWorkflow.definition.id }, ben), 'NOT_FOUND');

  // Whoever has one of that name means their own, and deletes no other.
  await keep(world, 'greet', { says: 'mine' }, anna);
  assert.deepEqual(await run({ name: 'greet' }, anna), ['anna', 'echo: mine: x']);
  const remove = 'mutation { deleteWorkflow(input: { name: "greet" }) { name } }';
  await world.ask(remove, {}, anna);
  assert.equal((await world.send(remove, {}, anna)).errors![0]!.extensions.code, 'NOT_FOUND');
  assert.deepEqual(await run({ name: 'greet' }, anna), ['anna', 'echo: greet: x']);
});

test('only administrators share, and only with what may administer', async t => {
  const world = await startWorkflowWorld(t);
  const refused = async (token: string) => {
    const { errors } = await keep(world, 'greet', { shared: true }, token);
    return errors && errors[0]!.extensions.code;
  };
  const keyFor = async (scopes: string) => {
    const create = `mutation { createApiKey(input: { name: "k", scopes: [${scopes}] }) { secret } }`;
    return (await world.ask(create)).createApiKey.secret;
  };
  assert.equal(await refused(await world.login('anna')), 'FORBIDDEN');
  assert.equal(await refused(await world.login('ben')), 'FORBIDDEN');
  assert.equal(await refused(await keyFor('SUBMIT, READ, MANAGE')), 'FORBIDDEN');
  assert.equal(await refused(await keyFor('ADMIN')), undefined);
  const { data } = await keep(world, 'own', {}, await keyFor('SUBMIT'));
  assert.equal(data.createWorkflow.definition.shared, false);
});
