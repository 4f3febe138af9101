// Deleting what was said, as callers see it: at once, for good, and told apart from an answer that was empty.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf } from '../../src/domain/ids.ts';
import { startTestApp } from '../support/app.ts';
import { readStream, submit, textOf } from '../support/requests.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';
import { providerAt, startWorkflowWorld } from '../workflows/setup.ts';

const DELETE = `mutation ($id: ID!) { deleteRequestContent(input: { requestId: $id }) { request { contentDeletedAt } } }`;
const CONTENT = `query ($id: ID!) { request(id: $id) {
  status attemptCount usage { totalTokens } prompt system output metadata outputSchema stop messages { content }
  error { code message } contentDeletedAt } }`;

test('its own submitter deletes it: figures stay, words are null, and the stream is its end', async t => {
  const app = await startTestApp(t);
  const anna = await app.login('anna');
  const input = { prompt: 'My secret', system: 'Be brief', metadata: { a: 1 }, idempotencyKey: 'k' };
  const id = await submit(app, input, anna);
  assert.notEqual(textOf(await readStream(app, id)), '');
  const [{ cursor }] = await readStream(app, id);
  const { request: before } = await app.ask(CONTENT, { id }, anna);
  assert.equal(before.contentDeletedAt, null);

  const { deleteRequestContent } = await app.ask(DELETE, { id }, anna);

  const { request } = await app.ask(CONTENT, { id }, anna);
  const { contentDeletedAt } = deleteRequestContent.request;
  assert.ok(contentDeletedAt);
  const nothing = { prompt: null, system: null, output: null, metadata: null, outputSchema: null };
  assert.deepEqual(request, { ...before, ...nothing, stop: [], messages: [], contentDeletedAt });
  for (const after of [undefined, cursor]) {
    const events = await readStream(app, id, after);
    assert.equal(textOf(events), '');
    assert.equal(events.at(-1).__typename, 'StreamCompleted');
    assert.equal(events.at(-1).request.output, null);
  }
  assert.equal(await submit(app, input, anna), id);
  const { requests } = await app.ask('{ requests(filter: { text: "secret" }) { nodes { id } } }', {}, anna);
  assert.deepEqual(requests.nodes, []);
  const again = await app.ask(DELETE, { id }, anna);
  assert.equal(again.deleteRequestContent.request.contentDeletedAt, contentDeletedAt);
});

test('an instance that still holds the events of an answer tells none of its text after another one deleted it', async t => {
  const app = await startTestApp(t);
  const id = await submit(app, { prompt: 'My secret' });
  assert.notEqual(textOf(await readStream(app, id)), '');

  await app.store.content.delete(idOf('request', id)!);

  const events = await readStream(app, id);
  assert.equal(textOf(events), '');
  assert.equal(events.at(-1).__typename, 'StreamCompleted');
});

test('nobody else does, but an administrator, who is remembered', async t => {
  const app = await startTestApp(t);
  const [anna, berta] = [await app.login('anna'), await app.login('berta')];
  const id = await submit(app, { prompt: 'My secret' }, anna);
  await readStream(app, id);

  const { errors } = await app.send(DELETE, { id }, berta);
  assert.equal(errors?.[0]?.extensions.code, 'NOT_FOUND');
  assert.equal((await app.ask(CONTENT, { id }, anna)).request.prompt, 'My secret');

  await app.ask(DELETE, { id });
  await app.ask(DELETE, { id });
  const { auditEvents } = await app.ask(
    '{ auditEvents(filter: { action: "request.deleteContent" }) { nodes { actorName subject } } }',
  );
  assert.deepEqual(auditEvents.nodes, [{ actorName: 'admin', subject: id }]);
});

test('a key needs the scope MANAGE', async t => {
  const app = await startTestApp(t);
  const id = await submit(app, { prompt: 'My secret' });
  await readStream(app, id);
  const keyOf = async (scope: string) =>
    (await app.ask(`mutation { createApiKey(input: { name: "a", scopes: [${scope}] }) { secret } }`))
      .createApiKey.secret;

  const { errors } = await app.send(DELETE, { id }, await keyOf('SUBMIT'));
  assert.equal(errors?.[0]?.extensions.code, 'FORBIDDEN');
  await app.ask(DELETE, { id }, await keyOf('MANAGE'));
});

test('what runs has to be cancelled first', async t => {
  const upstream = await startUpstream(t);
  upstream.answerWith(() => [text('half '), gate(new Promise(() => {}))]);
  const app = await startTestApp(t, providerAt(upstream));
  const id = await submit(app, { prompt: 'My secret' });

  const { errors } = await app.send(DELETE, { id });
  assert.equal(errors?.[0]?.extensions.code, 'CONFLICT');
  assert.match(errors![0]!.message, /Cancel it first/);

  await app.ask('mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { id } } }', {
    id,
  });
  await app.ask(DELETE, { id });
  const { request } = await app.ask(CONTENT, { id });
  assert.equal(request.status, 'CANCELLED');
  assert.equal(request.prompt, null);
});

const WORKFLOW = {
  steps: [
    { id: 'a', title: 'The first', prompt: 'say {{input}}' },
    { id: 'b', prompt: 'b {{steps.a.output}}' },
  ],
};
const STEPS = `query ($id: ID!) { request(id: $id) { output prompt workflow { progress { percent } steps {
  id title status prompt output note request { id prompt output contentDeletedAt } } } } }`;

test('a workflow loses what its steps were given and made, keeps their states, and cannot be run again', async t => {
  const world = await startWorkflowWorld(t);
  const id = await world.start(WORKFLOW, { prompt: 'My secret' });
  await world.ended(id);
  const stepId = (await world.ask(STEPS, { id })).request.workflow.steps[0].request.id;
  const { errors } = await world.send(DELETE, { id: stepId });
  assert.equal(errors?.[0]?.extensions.code, 'CONFLICT');
  assert.ok(errors![0]!.message.includes(id));

  await world.ask(DELETE, { id });

  const { request } = await world.ask(STEPS, { id });
  assert.deepEqual([request.output, request.prompt, request.workflow.progress.percent], [null, null, 100]);
  for (const { request: made, ...step } of request.workflow.steps) {
    assert.deepEqual(step, {
      id: step.id,
      title: step.id,
      status: 'SUCCEEDED',
      prompt: '',
      output: null,
      note: null,
    });
    assert.deepEqual([made.prompt, made.output], [null, null]);
    assert.ok(made.contentDeletedAt);
  }
  const events = [];
  for await (const { tokenStream } of world.follow(
    'subscription ($id: ID!) { tokenStream(requestId: $id) { __typename } }',
    { id },
  ))
    events.push(tokenStream.__typename);
  assert.deepEqual(events, ['StreamCompleted']);
  const rerun = 'mutation ($id: ID!) { rerunWorkflow(input: { requestId: $id }) { request { id } } }';
  const refused = await world.send(rerun, { id });
  assert.equal(refused.errors?.[0]?.extensions.code, 'CONFLICT');
  assert.match(refused.errors![0]!.message, /deleted/);
});
