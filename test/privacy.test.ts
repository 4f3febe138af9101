// Canaries: what is planted in every input of a caller is nowhere any more after it was deleted, by whichever of the ways
// there are, on an embedded database and on Postgres, and in Redis.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import type { Kysely } from 'kysely';
import type { Tables } from '../src/store/tables.ts';
import { type Data, startTestApp, until } from './support/app.ts';
import {
  openTestPGlite,
  openTestPostgresDatabase,
  postgresMissing,
  type TestDatabase,
} from './support/database.ts';
import { placesInDatabase, placesInRedis } from './support/places.ts';
import { redisMissing, sharedRedisUrl } from './support/redis.ts';
import { readStream, submit } from './support/requests.ts';
import { startUpstream, text } from './support/upstream.ts';
import { providerAt, workflowsOn } from './workflows/setup.ts';

/** What a caller hands in, with the canary wherever a text may be. */
function inputsOf(canary: string) {
  return {
    request: {
      messages: [
        { role: 'USER', content: `hello ${canary}` },
        { role: 'ASSISTANT', content: canary },
        { role: 'USER', content: `again ${canary}` },
      ],
      system: `Be brief, ${canary}.`,
      metadata: { [canary]: canary },
      stop: [`${canary}!`],
    },
    /** Whose answer is none of it: the error quotes the answer. */
    structured: {
      prompt: 'count',
      outputSchema: { type: 'object', description: canary, additionalProperties: false },
    },
    workflow: {
      steps: [
        { id: 'topics', title: canary, prompt: `list ${canary}`, system: canary },
        { id: 'each', prompt: 'say {{item}}', forEach: { items: 'steps.topics.json', joinWith: canary } },
        { id: 'ask', kind: 'APPROVAL', prompt: `Is it ${canary}?`, dependsOn: ['each'] },
        { id: 'end', kind: 'TRANSFORM', template: '{{steps.ask.output}} {{input}}' },
      ],
      parameters: { word: canary },
    },
  };
}

async function startWorld(t: TestContext, open: (t: TestContext) => Promise<TestDatabase>) {
  // Redis is shared, and has what other tests have left.
  const canary = `canary-${randomBytes(6).toString('hex')}`;
  const inputs = inputsOf(canary);
  const upstream = await startUpstream(t);
  upstream.answerWith(({ body }) => {
    const prompt: string = body.messages.at(-1).content;
    if (prompt === 'count') return [text(JSON.stringify({ [canary]: 1 }))];
    return [text(prompt.startsWith('list') ? JSON.stringify([canary, 'b']) : `You said ${prompt}`)];
  });
  let db!: Kysely<Tables>;
  const redisUrl = redisMissing() ? undefined : await sharedRedisUrl();
  const app = await startTestApp(
    t,
    { ...providerAt(upstream), ...(redisUrl && { REDIS_URL: redisUrl }) },
    async cleanup => {
      const opened = await open(cleanup as TestContext);
      db = opened.db;
      return opened.store;
    },
  );
  const world = workflowsOn(app, upstream);

  async function runWorkflow(token: string): Promise<string> {
    const id = await submit(app, { workflow: inputs.workflow, prompt: canary }, token);
    const stepsOf = async (): Promise<Data[]> => (await world.state(id)).workflow.steps;
    await until(async () => (await stepsOf())[2].status === 'WAITING', 'it asks');
    await app.ask(
      'mutation ($id: ID!, $said: String!) { decideStep(input: { requestId: $id, step: "ask", approved: true, comment: $said }) { request { id } } }',
      { id, said: `Yes, ${canary}` },
      token,
    );
    await readStream(app, id);
    assert.equal((await world.state(id)).status, 'SUCCEEDED');
    return id;
  }

  return {
    ...app,
    canary,
    inputs,
    /** One request of each kind, ended. */
    async askAll(token: string): Promise<string[]> {
      const ids = [await submit(app, inputs.request, token), await submit(app, inputs.structured, token)];
      for (const id of ids) await readStream(app, id);
      return [...ids, await runWorkflow(token)];
    },
    places: async () => [
      ...(await placesInDatabase(db, canary)),
      ...(redisUrl ? await placesInRedis(redisUrl, canary) : []),
    ],
  };
}

/** Everywhere but in what the database keeps of structure. */
const ALL = [
  'attempts.error_message',
  'request_bodies.prompt',
  'request_bodies.spec',
  'request_results.output',
  'requests.error_message',
  'workflow_steps.comment',
  'workflow_steps.input',
  'workflow_steps.note',
  'workflow_steps.output',
  'workflows.spec',
];

function suite(open: (t: TestContext) => Promise<TestDatabase>): void {
  test('deleted by their submitter, requests leave nothing of what was said', async t => {
    const world = await startWorld(t, open);
    const anna = await world.login('anna');
    const ids = await world.askAll(anna);
    assert.deepEqual(
      (await world.places()).filter(place => !place.startsWith('mcplane:')),
      ALL,
    );

    for (const id of ids)
      await world.ask(
        'mutation ($id: ID!) { deleteRequestContent(input: { requestId: $id }) { request { id } } }',
        { id },
        anna,
      );

    await until(async () => (await world.places()).length === 0, 'nothing is left');
  });

  test('when their time has come, requests leave nothing of what was said', async t => {
    const world = await startWorld(t, open);
    await world.askAll(world.adminToken);

    const deleted = await world.store.content.expire(0, 100);

    // Two requests, a workflow and its three calls.
    assert.equal(deleted.length, 6);
    assert.deepEqual(
      (await world.places()).filter(place => !place.startsWith('mcplane:')),
      [],
    );
  });

  test('a deleted user leaves nothing of what they said, kept or called themselves', async t => {
    const world = await startWorld(t, open);
    const anna = await world.login(world.canary);
    await world.askAll(anna);
    const ask = (mutation: string, variables: object) => world.ask(mutation, variables, anna);
    await ask(
      'mutation ($workflow: WorkflowInput!) { createWorkflow(input: { name: "a", workflow: $workflow }) { definition { id } } }',
      {
        workflow: world.inputs.workflow,
      },
    );
    await ask('mutation ($name: String!) { createApiKey(input: { name: $name }) { secret } }', {
      name: world.canary,
    });
    await submit(world, { prompt: 'hello', idempotencyKey: world.canary }, anna);
    const { viewer } = await ask('{ viewer { id } }', {});

    await world.ask(
      'mutation ($id: ID!) { deleteUser(input: { userId: $id, reason: "left" }) { user { id } } }',
      {
        id: viewer.id,
      },
    );

    // What was done, by whom, under which name, is what the audit log is for.
    const expected = ['audit_events.actor_name', 'audit_events.data'];
    await until(async () => (await world.places()).length <= expected.length, 'nothing else is left');
    assert.deepEqual(await world.places(), expected);
  });
}

describe('embedded PGlite', () => suite(openTestPGlite));
describe('Postgres', { skip: await postgresMissing() }, () => suite(openTestPostgresDatabase));
