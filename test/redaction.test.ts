// Redaction on a server: what a caller hands in reaches neither the database nor a provider, and what a model answers
// is stored without it.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Kysely } from 'kysely';
import type { Tables } from '../src/store/tables.ts';
import { startTestApp } from './support/app.ts';
import { openTestDatabase } from './support/database.ts';
import { placesInDatabase } from './support/places.ts';
import { readStream, submit, textOf } from './support/requests.ts';
import { startUpstream, text } from './support/upstream.ts';
import { providerAt, workflowsOn } from './workflows/setup.ts';

const MAIL = 'anna.lee@example.com';
const ANSWER = `Write to ${MAIL}, please.`;
const REDACTED = 'Write to [EMAIL], please.';

async function start(t: TestContext, env: Record<string, string> = { MCPLANE_REDACT: 'email,card' }) {
  const upstream = await startUpstream(t);
  let db!: Kysely<Tables>;
  const app = await startTestApp(t, { ...providerAt(upstream), ...env }, async cleanup => {
    const opened = await openTestDatabase(cleanup);
    db = opened.db;
    return opened.store;
  });
  const outputOf = async (id: string) =>
    (await app.ask('query ($id: ID!) { request(id: $id) { output } }', { id })).request.output;
  return {
    ...workflowsOn(app, upstream),
    outputOf,
    places: () => placesInDatabase(db, MAIL),
    sent: () => JSON.stringify(upstream.modelCalls.map(({ body }) => body)),
  };
}

test('what is handed in reaches neither the database nor the provider', async t => {
  const world = await start(t);
  const id = await submit(world, {
    messages: [
      { role: 'USER', content: `I am ${MAIL}` },
      { role: 'USER', content: 'Pay with 4111 1111 1111 1111' },
    ],
    system: `You work for ${MAIL}`,
    metadata: { [MAIL]: [MAIL, 4111111111111111] },
  });
  await readStream(world, id);

  assert.deepEqual(await world.places(), []);
  assert.ok(!world.sent().includes(MAIL) && !world.sent().includes('4111'));
  assert.match(world.sent(), /I am \[EMAIL\]/);
  const { request } = await world.ask(
    'query ($id: ID!) { request(id: $id) { prompt system metadata messages { content } } }',
    { id },
  );
  assert.deepEqual(request, {
    prompt: 'Pay with [CARD]',
    system: 'You work for [EMAIL]',
    metadata: { '[EMAIL]': ['[EMAIL]', '[CARD]'] },
    messages: [{ content: 'I am [EMAIL]' }, { content: 'Pay with [CARD]' }],
  });
});

test('an answer goes to its subscribers as it comes, and is stored without it', async t => {
  const world = await start(t);
  world.upstream.answerWith(() => [text(ANSWER)]);
  const id = await submit(world, { prompt: 'To whom?' });

  assert.equal(textOf(await readStream(world, id)), ANSWER);
  assert.equal(await world.outputOf(id), REDACTED);
  assert.deepEqual(await world.places(), []);
});

test('of a buffered answer not even its subscribers see it', async t => {
  const world = await start(t);
  world.upstream.answerWith(() => [text('Write to anna.lee@'), text('example.com, please.')]);
  const id = await submit(world, { prompt: 'To whom?', buffered: true });

  assert.equal(textOf(await readStream(world, id)), REDACTED);
  assert.equal(await world.outputOf(id), REDACTED);
});

test('an answer in JSON stays JSON', async t => {
  const world = await start(t);
  world.upstream.answerWith(() => [text(`{ "card": 4111111111111111, "mail": "${MAIL}", "count": 2 }`)]);
  const id = await submit(world, { prompt: 'What?', outputSchema: { type: 'object' } });
  await readStream(world, id);

  assert.deepEqual(JSON.parse(await world.outputOf(id)), { card: '[CARD]', mail: '[EMAIL]', count: 2 });
});

test('a workflow, its steps, decisions about it and what is kept to be run again are redacted too', async t => {
  const world = await start(t);
  world.upstream.answerWith(({ body }) => [text(`You said ${body.messages.at(-1).content}, and ${MAIL}.`)]);
  const workflow = {
    steps: [
      { id: 'a', title: MAIL, prompt: `write {{input}} and ${MAIL}` },
      { id: 'b', prompt: 'b {{steps.a.output}} {{parameters.to}}' },
    ],
    parameters: { to: MAIL },
  };
  await world.ask(
    'mutation ($workflow: WorkflowInput!, $to: String!) { createWorkflow(input: { name: "a", description: $to, workflow: $workflow }) { definition { id } } }',
    { workflow, to: MAIL },
  );
  const id = await world.start(workflow, { prompt: MAIL });
  const { status, output } = await world.ended(id);

  assert.equal(status, 'SUCCEEDED');
  assert.match(output, /You said b You said write \[EMAIL\] and \[EMAIL\], and \[EMAIL\]. \[EMAIL\]/);
  assert.deepEqual(await world.places(), []);
  assert.ok(!world.sent().includes(MAIL));
});

test('the same key with the same input finds its request', async t => {
  const world = await start(t);
  const input = { prompt: `I am ${MAIL}`, idempotencyKey: 'k' };

  assert.equal(await submit(world, input), await submit(world, input));
});

test('is off unless it is asked for, and knows what it can be asked for', async t => {
  const world = await start(t, {});
  const id = await submit(world, { prompt: `I am ${MAIL}` });
  await readStream(world, id);

  assert.ok((await world.places()).includes('request_bodies.prompt'));
  await assert.rejects(start(t, { MCPLANE_REDACT: 'email,shoe-size' }), /MCPLANE_REDACT/);
});
