// Deleting a user: nobody comes in as them again, nothing of what they said is left, and the books still add up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestApp, until } from '../support/app.ts';
import { readStream, submit } from '../support/requests.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';
import { providerAt } from '../workflows/setup.ts';

const DELETE = `mutation ($id: ID!) { deleteUser(input: { userId: $id, reason: "She has left." }) { user {
  id username disabled deletedAt apiKeys { name revokedAt } sessions { id } } } }`;
const REQUEST = `query ($id: ID!) { request(id: $id) {
  status prompt contentDeletedAt attemptCount submittedBy { id username } } }`;

async function idOf(app: Awaited<ReturnType<typeof startTestApp>>, token: string): Promise<string> {
  return (await app.ask('{ viewer { id } }', {}, token)).viewer.id;
}

test('her credentials end, her words are deleted, and a pseudonym stands for her', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, providerAt(upstream));
  const anna = await app.login('anna');
  const { createApiKey } = await app.ask(
    'mutation { createApiKey(input: { name: "of anna" }) { secret } }',
    {},
    anna,
  );
  const userId = await idOf(app, anna);
  const ended = await submit(app, { prompt: 'My secret' }, anna);
  await readStream(app, ended);
  upstream.answerWith(() => [text('half '), gate(new Promise(() => {}))]);
  const running = await submit(app, { prompt: 'My other secret' }, anna);
  await until(() => upstream.modelCalls.length === 2, 'it is under way');
  await app.ask(
    'mutation { createWorkflow(input: { name: "hers", workflow: { steps: [{ id: "a", prompt: "a" }] } }) { definition { id } } }',
    {},
    anna,
  );

  const { user } = (await app.ask(DELETE, { id: userId })).deleteUser;

  const pseudonym = `deleted-${userId}`;
  const { deletedAt, apiKeys, ...rest } = user;
  assert.deepEqual(rest, { id: userId, username: pseudonym, disabled: true, sessions: [] });
  assert.ok(deletedAt && apiKeys[0].revokedAt);
  assert.equal(apiKeys[0].name, 'deleted');
  for (const credential of [anna, createApiKey.secret]) {
    const { status } = await app.send('{ viewer { id } }', {}, credential);
    assert.equal(status, 401);
  }
  await assert.rejects(app.app.members.login('anna', 'password of anna', 'test'), {
    code: 'UNAUTHENTICATED',
  });
  for (const [id, status] of [
    [ended, 'SUCCEEDED'],
    [running, 'CANCELLED'],
  ]) {
    const { request } = await app.ask(REQUEST, { id });
    assert.deepEqual([request.status, request.prompt, request.attemptCount], [status, null, 1]);
    assert.ok(request.contentDeletedAt);
    assert.deepEqual(request.submittedBy, { id: userId, username: pseudonym });
  }
  const { workflowDefinitions } = await app.ask('{ workflowDefinitions { nodes { id } } }');
  assert.deepEqual(workflowDefinitions.nodes, []);
  const { auditEvents } = await app.ask(
    '{ auditEvents(filter: { action: "user.delete" }) { nodes { actorName subject reason } } }',
  );
  assert.deepEqual(auditEvents.nodes, [{ actorName: 'admin', subject: userId, reason: 'She has left.' }]);
});

test('the name is free again, and the deleted user never comes back', async t => {
  const app = await startTestApp(t);
  const id = await idOf(app, await app.login('anna'));
  await app.ask(DELETE, { id });

  const back = 'mutation ($id: ID!) { updateUser(input: { userId: $id, disabled: false }) { user { id } } }';
  const { errors } = await app.send(back, { id });
  assert.equal(errors?.[0]?.extensions.code, 'CONFLICT');
  await app.ask(DELETE, { id });
  assert.notEqual(await idOf(app, await app.login('anna')), id);
});

test('the last administrator stays, and others delete nobody', async t => {
  const app = await startTestApp(t);
  const admin = await idOf(app, app.adminToken);
  const anna = await app.login('anna');

  const codeOf = async (id: string, token?: string) =>
    (await app.send(DELETE, { id }, token)).errors?.[0]?.extensions.code;
  assert.equal(await codeOf(admin), 'CONFLICT');
  assert.equal(await codeOf(await idOf(app, anna), anna), 'FORBIDDEN');
  assert.equal(await codeOf(`usr_${'0'.repeat(32)}`), 'NOT_FOUND');

  await app.login('berta', 'ADMIN');
  await app.ask(DELETE, { id: admin });
});
