// An answer that was asked for as JSON of a schema is one only if it is: what a provider says instead is a failure, and
// the next one is asked. Real servers, real sockets.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Data, startTestApp } from '../support/app.ts';
import { readStream, submit, textOf } from '../support/requests.ts';
import { cut, finish, type Step, scriptedTokens, startUpstream, text } from '../support/upstream.ts';
import { ask, type Chain, startChain } from './chain-setup.ts';
import { shownBy } from './fault-world.ts';

const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
};
const GOOD = '{"name": "Ada", "age": 36}';
const told = (answer: string): Step[] => scriptedTokens(answer).map(text);
const breakers = '{ providers { deployments { id breaker { state calls failures } } } }';

async function startWith(t: TestContext, ...answers: (readonly Step[])[]): Promise<Chain> {
  const chain = await startChain(t, answers.length);
  for (const [index, steps] of answers.entries()) chain.upstreams[index]!.answerWith(() => steps);
  return chain;
}

const WRONG: [string, readonly Step[], RegExp][] = [
  ['prose around the JSON', told(`Here you are: ${GOOD}`), /is not JSON: it begins with something else/],
  ['prose behind the JSON', told(`${GOOD} Anything else?`), /is not JSON: something follows on it/],
  ['a code fence', told(`\`\`\`json\n${GOOD}\n\`\`\``), /is not JSON: it is wrapped in a code fence/],
  ['JSON that breaks off', told('{"name": "Ada", "age": '), /is not JSON: it breaks off/],
  [
    'JSON of another schema',
    told('{"name": "Ada"}'),
    /is not of its schema: the value must have required property 'age'/,
  ],
  ['a value of another type', told('{"name": "Ada", "age": "36"}'), /\/age must be integer/],
];

describe('an answer that ends well and is not JSON of its schema', () => {
  for (const [what, steps, message] of WRONG) {
    test(`${what}: the next provider is asked, and its answer shown`, async t => {
      const chain = await startWith(t, steps, told(GOOD));

      const { request, events, attempts } = await ask(chain, { outputSchema: SCHEMA });

      assert.deepEqual(attempts, ['p1/m BAD_RESPONSE', 'p2/m SUCCEEDED']);
      assert.deepEqual([request.status, request.output], ['SUCCEEDED', GOOD]);
      assert.equal(shownBy(events), GOOD);
      assert.equal(
        request.usage.outputTokens,
        scriptedTokens(textOfSteps(steps)).length + 4,
        'both are paid for',
      );
    });

    test(`${what}: a provider that is alone is asked once more`, async t => {
      const chain = await startWith(t, steps);

      const { request, events, attempts } = await ask(chain, { outputSchema: SCHEMA });

      assert.deepEqual(attempts, ['p1/m BAD_RESPONSE', 'p1/m BAD_RESPONSE']);
      assert.deepEqual(
        [request.status, request.error.code, request.error.retryable],
        ['FAILED', 'BAD_RESPONSE', true],
      );
      assert.match(request.error.message, message);
      assert.equal(request.output, textOfSteps(steps), 'what came is kept');
      assert.equal(shownBy(events), textOfSteps(steps));
    });
  }

  test('says nothing against the provider: its breaker has seen a success', async t => {
    const chain = await startWith(t, told('No.'), told(GOOD));

    await ask(chain, { outputSchema: SCHEMA });

    const { providers } = await chain.app.ask(breakers);
    assert.deepEqual(
      providers.flatMap(({ deployments }: Data) => deployments.map(({ breaker }: Data) => breaker)),
      [
        { state: 'CLOSED', calls: 1, failures: 0 },
        { state: 'CLOSED', calls: 1, failures: 0 },
      ],
    );
  });

  test('is begun again where the next one differs, and the reason is told', async t => {
    const chain = await startWith(t, told('{"name": "Ada"}'), told('{"name": "Grace", "age": 85}'));

    const { events } = await ask(chain, { outputSchema: SCHEMA });

    const restarts = events.filter(({ __typename }) => __typename === 'StreamRestarted');
    assert.deepEqual(
      restarts.map(({ attempt, reason }) => [attempt, reason]),
      [[2, 'The answer broke off or was not of its schema, and was begun again.']],
    );
  });

  test('goes on where the next one says the same, and more', async t => {
    const chain = await startWith(t, told('{"name": "Ada",'), told(GOOD));

    const { events } = await ask(chain, { outputSchema: SCHEMA });

    assert.deepEqual(events.filter(({ __typename }) => __typename === 'StreamRestarted').length, 0);
    assert.equal(textOf(events), GOOD);
  });

  test('is never seen of a buffered request', async t => {
    const chain = await startWith(t, told('Certainly!'), told(GOOD));

    const { events, attempts } = await ask(chain, { outputSchema: SCHEMA, buffered: true });

    assert.deepEqual(attempts, ['p1/m BAD_RESPONSE', 'p2/m SUCCEEDED']);
    assert.equal(textOf(events), GOOD);
    assert.deepEqual(
      events.map(({ __typename }) => __typename),
      ['AttemptStarted', 'AttemptStarted', 'TokenDelta', 'StreamCompleted'],
    );
  });
});

describe('an answer that ends at its greatest length', () => {
  const long = (answer: string) => [...told(answer), finish({ reason: 'length' })];

  for (const [what, answer] of [
    ['is no success', '{"name": "Ad'],
    ['is none either when it happens to be JSON', GOOD],
  ] as const)
    test(`${what}: the next provider is asked`, async t => {
      const chain = await startWith(t, long(answer), told(GOOD));

      const { request, attempts } = await ask(chain, { outputSchema: SCHEMA });

      assert.deepEqual(attempts, ['p1/m BAD_RESPONSE', 'p2/m SUCCEEDED']);
      assert.equal(request.output, GOOD);
    });

  test('is not asked for again, and submitting it again will not help', async t => {
    const chain = await startWith(t, long('{"name": "Ad'));

    const { request, attempts } = await ask(chain, { outputSchema: SCHEMA });

    assert.deepEqual(attempts, ['p1/m BAD_RESPONSE']);
    assert.equal(request.error.retryable, false);
    assert.match(request.error.message, /allow more with maxOutputTokens/);
  });
});

describe('other ends', () => {
  test('a connection that breaks is a fault of the provider as ever', async t => {
    const chain = await startWith(t, [...told('{"name": "Ada",'), cut()], told(GOOD));

    const { request, attempts } = await ask(chain, { outputSchema: SCHEMA });

    assert.deepEqual(attempts, ['p1/m STREAM_TRUNCATED', 'p2/m SUCCEEDED']);
    assert.equal(request.output, GOOD);
  });

  test('a refusal in words is a refusal: nobody else is asked', async t => {
    const refusal = [...told('I cannot help with that.'), finish({ reason: 'content-filter' })];
    const chain = await startWith(t, refusal, told(GOOD));

    const { request, attempts } = await ask(chain, { outputSchema: SCHEMA });

    assert.deepEqual(attempts, ['p1/m CONTENT_REFUSED']);
    assert.equal(request.error.retryable, false);
  });

  test('white space around the JSON is none of our business', async t => {
    const chain = await startWith(t, told(`\n${GOOD}\n`));

    const { request, attempts } = await ask(chain, { outputSchema: SCHEMA });

    assert.deepEqual([attempts, request.output], [['p1/m SUCCEEDED'], `\n${GOOD}\n`]);
  });

  test('without a schema any text is an answer, also one that ends at its greatest length', async t => {
    const chain = await startWith(t, [...told('Once upon a'), finish({ reason: 'length' })]);

    const { request, attempts } = await ask(chain);

    assert.deepEqual([attempts, request.finishReason], [['p1/m SUCCEEDED'], 'length']);
  });
});

test('an answer that broke off is not handed on as a beginning, for it might be whole and wrong', async t => {
  // Its model goes on from the beginning of a text.
  const upstream = await startUpstream(t, { models: [{ id: 'claude-haiku-4-5' }] });
  const app = await startTestApp(t, { ANTHROPIC_BASE_URL: upstream.url });
  upstream.enqueue([...told('{"name": "Ada",'), cut()], told(GOOD));

  const id = await submit(app, { prompt: 'Who?', outputSchema: SCHEMA });

  assert.equal(textOf(await readStream(app, id)), GOOD);
  const [first, second] = upstream.modelCalls.map(({ body }) => body);
  assert.deepEqual(second, first);
  assert.deepEqual(first.output_config.format.schema.required, ['name', 'age']);
});

describe('who is asked', () => {
  const file = {
    models: { 'p1/m': { structuredOutput: false }, 'p2/m': { structuredOutput: true } },
  };
  const SUPPORT = '{ providers { deployments { id structuredOutput } } }';

  test('not who is known not to keep to a schema; who is known to is given it', async t => {
    const chain = await startChain(t, 3, { file });
    for (const upstream of chain.upstreams) upstream.answerWith(() => told(GOOD));

    const { request, attempts } = await ask(chain, { outputSchema: SCHEMA });

    assert.deepEqual(attempts, ['p2/m SUCCEEDED']);
    assert.deepEqual(
      request.routing.rejections.filter(({ reason }: { reason: string }) => reason === 'NOT_SUPPORTED'),
      [{ deploymentId: 'p1/m', reason: 'NOT_SUPPORTED' }],
    );
    assert.deepEqual(chain.upstreams[1]!.modelCalls[0]!.body.response_format.json_schema.schema, SCHEMA);
    const { providers } = await chain.app.ask(SUPPORT);
    assert.deepEqual(
      providers.flatMap(({ deployments }: Data) => deployments.map((each: Data) => each.structuredOutput)),
      [false, true, null],
    );
    assert.deepEqual((await ask(chain)).attempts, ['p1/m SUCCEEDED'], 'for any text it is asked');
  });

  test('nobody, when the only one that is named is known not to', async t => {
    const chain = await startChain(t, 1, { file: { models: { 'p1/m': { structuredOutput: false } } } });

    const { errors } = await chain.app.send(
      'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }',
      { input: { prompt: 'Hello', model: 'p1/m', outputSchema: SCHEMA } },
    );

    assert.equal(errors?.[0]?.extensions.code, 'NO_ROUTE');
    assert.match(errors[0].message, /p1\/m \(it does not answer in JSON of a schema\)/);
  });

  test('of whom nothing is known: in words', async t => {
    const chain = await startWith(t, told(GOOD));

    await ask(chain, { outputSchema: SCHEMA, system: 'Be kind.' });

    const { body } = chain.upstreams[0]!.modelCalls[0]!;
    assert.equal('response_format' in body, false);
    assert.match(
      body.messages[0].content,
      /^Be kind\.\n\nAnswer with one JSON value .*"required":\["name","age"\]/s,
    );
  });
});

describe('over the API', () => {
  const SHOW = 'query ($id: ID!) { request(id: $id) { outputSchema output status } }';

  test('the simulated provider answers in JSON of the schema, and the request tells what it was asked', async t => {
    const app = await startTestApp(t);

    const id = await submit(app, { prompt: 'Who?', model: 'simulated/smart', outputSchema: SCHEMA });
    await readStream(app, id);

    const { request } = await app.ask(SHOW, { id });
    assert.equal(JSON.stringify(request.outputSchema), JSON.stringify(SCHEMA));
    const { name, age } = JSON.parse(request.output);
    assert.match(name, /^\[simulated\] /);
    assert.equal(typeof age, 'number');
    const other = await submit(app, { prompt: 'Who?', model: 'simulated/smart' });
    assert.equal((await app.ask(SHOW, { id: other })).request.outputSchema, null);
  });

  const submitting =
    'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }';
  const refused: [string, unknown, RegExp][] = [
    ['is none', { type: 'txt' }, /^outputSchema is not a valid JSON Schema: \/type must be equal to one of/],
    ['leads elsewhere', { $ref: 'https://example.com/x' }, /^outputSchema cannot be used: the \$ref/],
    ['is too large', { description: 'x'.repeat(16_384) }, /^outputSchema is too large: at most 16384 bytes/],
    ['is a text', 'string', /^outputSchema must be a JSON Schema/],
  ];
  for (const [what, outputSchema, message] of refused)
    test(`a schema that ${what} is refused, with the reason`, async t => {
      const app = await startTestApp(t);

      const { errors } = await app.send(submitting, { input: { prompt: 'a', outputSchema } });

      assert.equal(errors?.[0]?.extensions.code, 'BAD_USER_INPUT');
      assert.match(errors[0].message, message);
    });

  test('the same key with another schema is another input', async t => {
    const app = await startTestApp(t);
    const input = { prompt: 'a', idempotencyKey: 'key', outputSchema: SCHEMA };
    const first = await submit(app, input);

    assert.equal(await submit(app, input), first);
    const { errors } = await app.send(submitting, { input: { ...input, outputSchema: {} } });
    assert.equal(errors?.[0]?.extensions.code, 'IDEMPOTENCY_CONFLICT');
  });
});

function textOfSteps(steps: readonly Step[]): string {
  return steps.map(step => (step.do === 'text' ? step.text : '')).join('');
}
