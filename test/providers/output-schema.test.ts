// An answer in JSON of a schema, as it is asked for on the wire of each API; and in words where that is not possible.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { JsonSchema } from '../../src/lib/json-schema.ts';
import { createAnthropicAdapter } from '../../src/providers/anthropic.ts';
import { createLocalAdapter } from '../../src/providers/local.ts';
import { createOpenAIAdapter } from '../../src/providers/openai.ts';
import { chatBody } from '../../src/providers/openai-chat.ts';
import type { ProviderAdapter, ProviderCall } from '../../src/providers/provider.ts';
import { collect, faultOf, providerCall } from '../support/provider-calls.ts';
import { errorEvent, startUpstream, status, text, type Upstream } from '../support/upstream.ts';

const PERSON: JsonSchema = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: ['integer', 'null'], minimum: 0 } },
  required: ['name', 'age'],
  additionalProperties: false,
};
/** Its members need not be there, so OpenAI cannot hold a model to it. */
const LOOSE: JsonSchema = { type: 'object', properties: { name: { type: 'string' } } };
const LIST: JsonSchema = { type: 'array', items: { type: 'string' } };
const MAP: JsonSchema = { type: 'object', additionalProperties: { type: 'number' } };

const WORDS = (schema: JsonSchema) =>
  `Answer with one JSON value that is valid against the following JSON Schema, and with nothing else: no explanation, no Markdown, no code fence.\n\n${JSON.stringify(schema)}`;

const asking = (schema: JsonSchema, change: Partial<ProviderCall> = {}) =>
  providerCall({ output: { schema, enforced: true }, ...change });
const inWords = (schema: JsonSchema, change: Partial<ProviderCall> = {}) =>
  providerCall({ output: { schema, enforced: false }, ...change });

const chat = (url: string) => createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'k', api: 'chat' });
const responses = (url: string) =>
  createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'k', api: 'responses' });
const messages = (url: string) => createAnthropicAdapter({ baseUrl: url, apiKey: 'k' });
const ollama = (url: string) => createLocalAdapter({ kind: 'ollama', baseUrl: url });
const lmstudio = (url: string) => createLocalAdapter({ kind: 'lmstudio', baseUrl: url });

async function start(
  t: TestContext,
  create: (url: string) => ProviderAdapter,
): Promise<{ upstream: Upstream; adapter: ProviderAdapter }> {
  const upstream = await startUpstream(t);
  const adapter = create(upstream.url);
  t.after(() => adapter.close());
  return { upstream, adapter };
}

async function bodyOf(t: TestContext, create: (url: string) => ProviderAdapter, call: ProviderCall) {
  const { upstream, adapter } = await start(t, create);
  const { error } = await collect(adapter, call);
  assert.equal(error, undefined);
  assert.equal(upstream.modelCalls.length, 1);
  return upstream.modelCalls[0]!.body;
}

for (const [kind, create] of [
  ['a compatible server', chat],
  ['Ollama', ollama],
  ['LM Studio', lmstudio],
] as const)
  test(`${kind} is given the schema, and the model is told it`, async t => {
    const { response_format, messages: sent } = await bodyOf(
      t,
      create,
      asking(PERSON, { system: 'Be kind.' }),
    );

    assert.deepEqual(response_format, {
      type: 'json_schema',
      json_schema: { name: 'answer', schema: PERSON, strict: true },
    });
    assert.deepEqual(sent, [
      { role: 'system', content: `Be kind.\n\n${WORDS(PERSON)}` },
      { role: 'user', content: 'Hello there' },
    ]);
  });

test('OpenAI itself tells the model', () => {
  const body = chatBody(asking(PERSON), { official: true, includeUsage: true });

  assert.deepEqual(body.messages, [{ role: 'user', content: 'Hello there' }]);
  assert.deepEqual(body.response_format, {
    type: 'json_schema',
    json_schema: { name: 'answer', schema: PERSON, strict: true },
  });
});

test('OpenAI takes objects only: a list is asked for in words', () => {
  const body = chatBody(asking(LIST), { official: true, includeUsage: true });

  assert.equal('response_format' in body, false);
  assert.deepEqual(body.messages[0], { role: 'system', content: WORDS(LIST) });
});

test('Responses is given the schema as its text format', async t => {
  const { text: sent, instructions } = await bodyOf(t, responses, asking(PERSON, { system: 'Be kind.' }));

  assert.deepEqual(sent, { format: { type: 'json_schema', name: 'answer', schema: PERSON, strict: true } });
  assert.equal(instructions, 'Be kind.');
});

test('a schema that is looser than the strict mode is a hint', async t => {
  const { text: sent } = await bodyOf(t, responses, asking(LOOSE));

  assert.deepEqual(sent.format, { type: 'json_schema', name: 'answer', schema: LOOSE, strict: false });
});

test('Anthropic is given the schema in its own form', async t => {
  const body = await bodyOf(t, messages, asking(PERSON, { system: 'Be kind.' }));

  assert.equal(body.system, 'Be kind.');
  assert.deepEqual(body.output_config, {
    format: {
      type: 'json_schema',
      schema: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          age: { type: ['integer', 'null'], description: '{minimum: 0}' },
        },
        additionalProperties: false,
        required: ['name', 'age'],
      },
    },
  });
});

describe('Anthropic is told in words what its form would lose', () => {
  const lost: [string, JsonSchema][] = [
    ['members of any name', MAP],
    ['such members further down', { type: 'object', properties: { a: { type: 'array', items: MAP } } }],
    ['members by a pattern', { type: 'object', patternProperties: { '^x': {} } }],
    ['a list', LIST],
    ['a value of any type', { type: 'object', properties: { a: {} } }],
    ['an object or nothing', { type: 'object', properties: { a: { ...PERSON, type: ['object', 'null'] } } }],
  ];
  for (const [what, schema] of lost)
    test(what, async t => {
      const body = await bodyOf(t, messages, asking(schema));

      assert.equal('output_config' in body, false);
      assert.equal(body.system, WORDS(schema));
    });
});

describe('a model of which nothing is known is told in words only', () => {
  test('over Chat Completions', async t => {
    const body = await bodyOf(t, chat, inWords(PERSON));

    assert.equal('response_format' in body, false);
    assert.deepEqual(body.messages[0], { role: 'system', content: WORDS(PERSON) });
  });

  test('over Responses', async t => {
    const body = await bodyOf(t, responses, inWords(PERSON));

    assert.equal('text' in body, false);
    assert.equal(body.instructions, WORDS(PERSON));
  });

  test('over Messages, in front of instructions in the conversation', async t => {
    const turns = [
      { role: 'SYSTEM', content: 'In French.' },
      { role: 'USER', content: 'Hi' },
    ] as const;
    const body = await bodyOf(t, messages, inWords(PERSON, { messages: turns }));

    assert.equal('output_config' in body, false);
    assert.equal(body.system, `${WORDS(PERSON)}\n\nIn French.`);
  });
});

describe('who refuses the schema is asked again in words', () => {
  const refusals: [string, (url: string) => ProviderAdapter, string][] = [
    ['Chat Completions', chat, "Invalid parameter: 'response_format' of type 'json_schema' is not supported"],
    ['Responses', responses, "Invalid schema for response_format 'answer'"],
    ['Messages', messages, 'output_config.format: Schema is too complex'],
  ];
  for (const [api, create, message] of refusals) {
    test(`over ${api}`, async t => {
      const { upstream, adapter } = await start(t, create);
      upstream.enqueue(status(400, {}, { error: { type: 'invalid_request_error', message } }));
      upstream.enqueue([text('{"name":"Ada","age":36}')]);

      const { text: answer, events, error } = await collect(adapter, asking(PERSON));

      assert.deepEqual([error, answer], [undefined, '{"name":"Ada","age":36}']);
      assert.equal(events.filter(({ type }) => type === 'connected').length, 1);
      assert.deepEqual(
        upstream.modelCalls.map(({ body }) =>
          Boolean(body.response_format ?? body.text ?? body.output_config),
        ),
        [true, false],
      );
      assert.match(JSON.stringify(upstream.modelCalls[1]!.body), /Answer with one JSON value/);
    });

    test(`once only over ${api}`, async t => {
      const { upstream, adapter } = await start(t, create);
      const refusal = status(400, {}, { error: { type: 'invalid_request_error', message } });
      upstream.answerWith(() => refusal);

      const { error } = await collect(adapter, asking(PERSON));

      assert.equal(faultOf(error), 'bad-request 400');
      assert.equal(upstream.modelCalls.length, 2);
    });
  }

  test('and so is a server that refuses to be asked for usage as well', async t => {
    const { upstream, adapter } = await start(t, chat);
    upstream.enqueue(
      status(400, {}, { error: { message: 'unknown field stream_options' } }),
      status(422, {}, { error: { message: 'unknown field response_format' } }),
      [text('{}')],
    );

    assert.equal((await collect(adapter, asking(LOOSE))).text, '{}');
    assert.deepEqual(
      upstream.modelCalls.map(({ body }) => ['stream_options' in body, 'response_format' in body]),
      [
        [true, true],
        [false, true],
        [false, false],
      ],
    );
  });

  test('but not for another refusal, nor one in the middle', async t => {
    const { upstream, adapter } = await start(t, chat);
    upstream.enqueue(status(400, {}, { error: { message: 'max_tokens is too large' } }));
    upstream.enqueue([text('{'), errorEvent('invalid_request_error', 'response_format went wrong')]);

    const [other, midway] = [await collect(adapter, asking(PERSON)), await collect(adapter, asking(PERSON))];

    assert.deepEqual([faultOf(other.error), faultOf(midway.error)], ['bad-request 400', 'bad-request']);
    assert.equal(upstream.modelCalls.length, 2);
  });
});

test('the model list of Anthropic says who keeps to a schema', async t => {
  const { upstream, adapter } = await start(t, messages);
  const capabilities = (supported: boolean) => ({ structured_outputs: { supported } });
  upstream.answerPath('/v1/models?limit=1000', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      data: [
        { id: 'a', capabilities: capabilities(true) },
        { id: 'b', capabilities: capabilities(false) },
        { id: 'c' },
      ],
    }),
  });

  const listed = await adapter.listModels(new AbortController().signal);

  assert.deepEqual(
    listed.map(({ model, structuredOutput }) => [model, structuredOutput]),
    [
      ['a', true],
      ['b', false],
      ['c', undefined],
    ],
  );
});
