// What a workflow does when nothing goes wrong: chains, branches that join, lists, conditions, definitions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../support/upstream.ts';
import { startWorkflowWorld, statusesOf } from './setup.ts';

test('steps run in the order of what they need, and each gets the results of those before', async t => {
  const world = await startWorkflowWorld(t);
  const id = await world.start(
    {
      steps: [
        { id: 'end', prompt: 'join {{steps.left.output}} and {{steps.right.output}}' },
        { id: 'left', prompt: 'left of {{steps.start.output}}' },
        { id: 'right', prompt: 'right of {{steps.start.output}}' },
        { id: 'start', prompt: 'begin with {{input}}' },
      ],
    },
    { prompt: 'a task' },
  );
  const request = await world.ended(id);
  assert.equal(request.status, 'SUCCEEDED');
  const [first, ...rest] = world.prompts();
  assert.equal(first, 'begin with a task');
  assert.deepEqual(rest.slice(0, 2).sort(), [
    'left of echo: begin with a task',
    'right of echo: begin with a task',
  ]);
  assert.equal(rest.length, 3);
  assert.equal(request.output, `echo: ${rest[2]}`);
  assert.deepEqual(request.workflow.progress, { total: 4, ended: 4, running: 0, waiting: 0, percent: 100 });
});

test('a list is run element by element, a transformation calls nobody, a condition skips', async t => {
  const world = await startWorkflowWorld(t);
  const id = await world.start({
    parameters: { topics: ['a', 'b', 'c'] },
    steps: [
      {
        id: 'each',
        prompt: 'about {{item}} number {{index}}',
        forEach: { items: 'parameters.topics', joinWith: ' | ' },
      },
      { id: 'framed', kind: 'TRANSFORM', template: '<{{steps.each.output}}>' },
      {
        id: 'long',
        prompt: 'shorten {{steps.framed.output}}',
        condition: { value: '{{steps.framed.output}}', contains: 'zebra' },
      },
      { id: 'sum', prompt: 'sum {{steps.framed.output}}' },
    ],
  });
  const request = await world.ended(id);
  assert.deepEqual(statusesOf(request), {
    each: 'SUCCEEDED',
    framed: 'SUCCEEDED',
    long: 'SKIPPED',
    sum: 'SUCCEEDED',
  });
  const framed = '<echo: about a number 0 | echo: about b number 1 | echo: about c number 2>';
  assert.equal(request.output, `echo: sum ${framed}`);
  assert.equal(world.prompts().length, 4);
  const { request: listed } = await world.ask(
    `query ($id: ID!) { request(id: $id) { workflow { step(id: "each") { itemCount itemsEnded items(from: 1, first: 1) { index input status output request { step parent { id } } } } } } }`,
    { id },
  );
  assert.deepEqual(listed.workflow.step, {
    itemCount: 3,
    itemsEnded: 3,
    items: [
      {
        index: 1,
        input: 'b',
        status: 'SUCCEEDED',
        output: 'echo: about b number 1',
        request: { step: 'each[1]', parent: { id } },
      },
    ],
  });
});

test('braces in an answer are text: a model cannot reach into the workflow', async t => {
  const world = await startWorkflowWorld(t);
  world.upstream.enqueue([text('{{input}} {{steps.other.output}}')]);
  const id = await world.start(
    {
      steps: [
        { id: 'a', prompt: 'x' },
        { id: 'b', prompt: 'say: {{steps.a.output}}' },
      ],
    },
    { prompt: 'secret' },
  );
  await world.ended(id);
  assert.equal(world.prompts()[1], 'say: {{input}} {{steps.other.output}}');
});

test('the stream of a workflow tells its steps, and their text by step', async t => {
  const world = await startWorkflowWorld(t);
  const id = await world.start({
    steps: [
      { id: 'a', prompt: 'one' },
      { id: 'b', prompt: 'two {{steps.a.output}}' },
    ],
  });
  const follow = async (after?: string) => {
    const events = [];
    for await (const { tokenStream } of world.follow(
      `subscription ($id: ID!, $after: String) { tokenStream(requestId: $id, after: $after) {
        __typename cursor ... on TokenDelta { text step } ... on StepUpdated { updated: step { id } } } }`,
      { id, after },
    ))
      events.push(tokenStream);
    return events;
  };
  const live = await follow();
  const textOf = (events: { text?: string; step?: unknown }[], step: string) =>
    events.map(event => (event.step === step ? event.text : '')).join('');
  assert.equal(textOf(live, 'a'), 'echo: one');
  assert.equal(textOf(live, 'b'), 'echo: two echo: one');
  assert.equal(live.at(-1).__typename, 'StreamCompleted');
  assert.ok(live.some(({ __typename }) => __typename === 'StepUpdated'));
  // From a cursor in the middle the rest follows, and nothing twice.
  const middle = live.findIndex(event => event.text !== undefined);
  assert.deepEqual(
    (await follow(live[middle].cursor))
      .filter(event => event.__typename !== 'StepUpdated')
      .map(e => e.__typename),
    live
      .slice(middle + 1)
      .filter(event => event.__typename !== 'StepUpdated')
      .map(e => e.__typename),
  );
});

test('steps are requests of their own, and listed only when they are asked for', async t => {
  const world = await startWorkflowWorld(t);
  const id = await world.start({
    steps: [
      { id: 'a', prompt: 'a' },
      { id: 'b', prompt: 'b' },
    ],
  });
  await world.ended(id);
  const idsOf = async (filter: object) => {
    const { requests } = await world.ask(
      'query ($filter: RequestFilter) { requests(filter: $filter) { nodes { id step } } }',
      { filter },
    );
    return requests.nodes.map((node: { id: string; step: string | null }) => node.step ?? node.id).sort();
  };
  assert.deepEqual(await idsOf({}), [id]);
  assert.deepEqual(await idsOf({ workflow: id }), ['a', 'b']);
  assert.deepEqual(await idsOf({ includeSteps: true }), ['a', 'b', id].sort());
});
