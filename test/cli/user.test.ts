// `mcplane user export`: everything that is kept of a user, for that user and for administrators.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Data } from '../support/app.ts';
import { readStream, submit } from '../support/requests.ts';
import { startWorkflowWorld } from '../workflows/setup.ts';

const COMMAND = join(import.meta.dirname, '../../src/cli/mcplane.js');

interface Exported {
  readonly code: number;
  readonly lines: Data[];
  readonly stdout: string;
  readonly stderr: string;
}

function exportOf(user: string, url: string, token: string): Promise<Exported> {
  const env = { PATH: process.env.PATH ?? '', MCPLANE_URL: url, MCPLANE_TOKEN: token };
  const { promise, resolve } = Promise.withResolvers<Exported>();
  execFile(process.execPath, [COMMAND, 'user', 'export', user], { env }, (error, stdout, stderr) => {
    const lines = stdout.split('\n').filter(line => line !== '');
    resolve({
      code: error === null ? 0 : Number(error.code),
      lines: lines.map(line => JSON.parse(line)),
      stdout,
      stderr,
    });
  });
  return promise;
}

const WORKFLOW = {
  steps: [
    { id: 'list', kind: 'TRANSFORM', template: '["x", "y"]' },
    { id: 'each', prompt: 'say {{item}}', forEach: { items: 'steps.list.json' } },
  ],
};

test('has the account, keys without secrets, logins, requests with what was said, workflows and audit entries', async t => {
  const world = await startWorkflowWorld(t);
  const [anna, berta] = [await world.login('anna'), await world.login('berta')];
  const { createApiKey } = await world.ask(
    'mutation { createApiKey(input: { name: "hers" }) { secret } }',
    {},
    anna,
  );
  await world.ask(
    'mutation ($workflow: WorkflowInput!) { createWorkflow(input: { name: "kept", workflow: $workflow }) { definition { id } } }',
    { workflow: WORKFLOW },
    anna,
  );
  const input = { prompt: 'My question', system: 'Be brief', metadata: { a: 1 } };
  const id = await submit(world, input, anna);
  await readStream(world, id);
  const workflowId = await submit(world, { workflow: WORKFLOW }, anna);
  await readStream(world, workflowId);
  await readStream(world, await submit(world, { prompt: 'Another question' }, berta));

  const own = await exportOf('anna', world.url, anna);
  assert.equal(own.code, 0, own.stderr);
  const of = (type: string, { lines } = own) => lines.filter(line => line.type === type);
  assert.deepEqual(
    of('account').map(({ username, role }) => [username, role]),
    [['anna', 'USER']],
  );
  assert.deepEqual(
    of('apiKey').map(({ name }) => name),
    ['hers'],
  );
  assert.equal(of('session').length, 1);
  // The workflow and its two calls besides.
  assert.equal(of('request').length, 4);
  const request = of('request').find(line => line.id === id);
  assert.deepEqual(request.messages, [{ role: 'USER', content: 'My question' }]);
  assert.deepEqual([request.system, request.metadata, request.attempts.length], ['Be brief', { a: 1 }, 1]);
  assert.ok(request.output);
  assert.deepEqual(
    of('workflowStep').map(step => [step.workflow, step.id, step.status]),
    WORKFLOW.steps.map(step => [workflowId, step.id, 'SUCCEEDED']),
  );
  assert.deepEqual(
    of('workflowStepItem').map(({ index, input: item }) => [index, item]),
    [
      [0, 'x'],
      [1, 'y'],
    ],
  );
  assert.equal(of('workflowDefinition')[0].steps[1].id, 'each');
  const actions = new Set(of('auditEvent').map(({ action }) => action));
  for (const action of ['user.create', 'session.begin', 'apiKey.create'])
    assert.ok(actions.has(action), action);
  assert.ok(!own.stdout.includes(createApiKey.secret));
  assert.ok(!own.stdout.includes('Another question'));
  assert.match(own.stderr, /4 requests/);

  const byAdmin = await exportOf('Anna', world.url, world.adminToken);
  assert.deepEqual(of('request', byAdmin), of('request'));
  // That it was read is known to her from then on.
  const later = await exportOf('anna', world.url, anna);
  assert.ok(of('auditEvent', later).some(({ action }) => action === 'request.read'));
});

test('nobody exports another user but an administrator', async t => {
  const world = await startWorkflowWorld(t);
  const anna = await world.login('anna');
  await world.login('berta');

  const { code, stdout, stderr } = await exportOf('berta', world.url, anna);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /no user berta/);
  assert.equal((await exportOf('nobody', world.url, world.adminToken)).code, 1);
});
