// Our reader against the SDKs' own iterators: the same bytes, cut anywhere, mean the same text, end and usage. And what
// we send for a schema against what their helpers make of it.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { toStrictJsonSchema } from 'openai/lib/transform';
import { z } from 'zod';
import type { JsonSchema } from '../../src/lib/json-schema.ts';
import { createAnthropicAdapter } from '../../src/providers/anthropic.ts';
import { messagesBody } from '../../src/providers/anthropic-messages.ts';
import { createOpenAIAdapter } from '../../src/providers/openai.ts';
import { chatBody } from '../../src/providers/openai-chat.ts';
import { responsesBody } from '../../src/providers/openai-responses.ts';
import { isStrict } from '../../src/providers/output-schema.ts';
import type { ProviderAdapter } from '../../src/providers/provider.ts';
import { collect, providerCall } from '../support/provider-calls.ts';
import { comment, finish, reasoning, type Script, startUpstream, text } from '../support/upstream.ts';

interface Meaning {
  readonly text: string;
  readonly reason: string;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

const messages = [{ role: 'user' as const, content: 'Hello there' }];
const clientOptions = { apiKey: 'key', maxRetries: 0, logLevel: 'off' } as const;

async function chatBySdk(url: string): Promise<Meaning> {
  const client = new OpenAI({ ...clientOptions, baseURL: `${url}/v1` });
  const stream = await client.chat.completions.create({
    model: 'm',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let [answer, reason]: [string, string] = ['', ''];
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    answer += chunk.choices[0]?.delta.content ?? '';
    reason ||= chunk.choices[0]?.finish_reason ?? '';
    usage ??= chunk.usage;
  }
  return {
    text: answer,
    reason,
    inputTokens: usage?.prompt_tokens,
    outputTokens: usage?.completion_tokens,
  };
}

async function responsesBySdk(url: string): Promise<Meaning> {
  const client = new OpenAI({ ...clientOptions, baseURL: `${url}/v1` });
  const stream = await client.responses.create({ model: 'm', input: messages, stream: true });
  let answer = '';
  let last: OpenAI.Responses.Response | undefined;
  for await (const event of stream) {
    if (event.type === 'response.output_text.delta') answer += event.delta;
    if (event.type === 'response.completed' || event.type === 'response.incomplete') last = event.response;
  }
  return {
    text: answer,
    reason: last?.incomplete_details?.reason ?? last?.status ?? '',
    inputTokens: last?.usage?.input_tokens,
    outputTokens: last?.usage?.output_tokens,
  };
}

async function messagesBySdk(url: string): Promise<Meaning> {
  const client = new Anthropic({ ...clientOptions, baseURL: url });
  const stream = await client.messages.create({ model: 'm', max_tokens: 9, messages, stream: true });
  let [answer, reason]: [string, string] = ['', ''];
  let usage: Anthropic.MessageDeltaUsage | undefined;
  for await (const event of stream) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') answer += event.delta.text;
    if (event.type !== 'message_delta') continue;
    reason = event.delta.stop_reason ?? '';
    usage = event.usage;
  }
  return {
    text: answer,
    reason,
    inputTokens: usage?.input_tokens ?? undefined,
    outputTokens: usage?.output_tokens,
  };
}

async function byUs(t: TestContext, adapter: ProviderAdapter): Promise<Meaning> {
  t.after(() => adapter.close());
  const { text: answer, finished } = await collect(adapter);
  return {
    text: answer,
    reason: finished?.reason.raw ?? '',
    inputTokens: finished?.usage?.inputTokens,
    outputTokens: finished?.usage?.outputTokens,
  };
}

const steps = [
  text('Grüße'),
  reasoning('hm'),
  comment(),
  text(' 😀🏳️‍🌈\n\n'),
  text('data: no event\r\n'),
  text(' \u0000\u2028" 世界'),
  finish({ reason: 'length', usage: { inputTokens: 40, outputTokens: 9 } }),
];
const scripts: Script[] = [
  { steps },
  { steps, bytesPerWrite: 1 },
  { steps, bytesPerWrite: 3 },
  { steps, bytesPerWrite: 61 },
  { steps, bytesPerWrite: 5, rewrite: events => events.replaceAll('\n', '\r\n') },
];

describe('our reader and the SDK read the same', () => {
  const apis: [string, (url: string) => Promise<Meaning>, (url: string) => ProviderAdapter][] = [
    [
      'chat stream',
      chatBySdk,
      url => createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'key', api: 'chat' }),
    ],
    [
      'Responses stream',
      responsesBySdk,
      url => createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'key', api: 'responses' }),
    ],
    ['Messages stream', messagesBySdk, url => createAnthropicAdapter({ baseUrl: url, apiKey: 'key' })],
  ];
  for (const [name, bySdk, createAdapter] of apis)
    test(name, async t => {
      const upstream = await startUpstream(t);
      for (const script of scripts) {
        upstream.enqueue(script, script);

        const theirs = await bySdk(upstream.url);
        const ours = await byUs(t, createAdapter(upstream.url));

        assert.notEqual(theirs.text, '');
        assert.deepEqual(ours, theirs);
      }
    });
});

const Plan = z.object({
  goal: z.string(),
  steps: z.array(z.object({ id: z.string(), after: z.array(z.string()), cost: z.number().nullable() })),
});

describe('an answer in JSON of a schema is asked for as the SDK would', () => {
  const bytes = (value: unknown) => JSON.stringify(value);

  test('Chat Completions', () => {
    const theirs = zodResponseFormat(Plan, 'answer');
    const { schema } = theirs.json_schema;
    const call = providerCall({ output: { schema: schema!, enforced: true } });

    const { response_format } = chatBody(call, { official: true, includeUsage: true });

    assert.deepEqual(JSON.parse(bytes(response_format)), JSON.parse(bytes(theirs)));
    assert.equal(isStrict(schema!), true);
  });

  test('Responses', () => {
    const theirs = zodTextFormat(Plan, 'answer');
    const call = providerCall({ output: { schema: theirs.schema, enforced: true } });

    const { text: ours } = responsesBody(call);

    assert.deepEqual(JSON.parse(bytes(ours)), { format: JSON.parse(bytes(theirs)) });
  });

  test('Messages', () => {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(Plan);
    const theirs = jsonSchemaOutputFormat({ ...schema, type: 'object' } as never);
    const call = providerCall({ output: { schema, enforced: true } });

    assert.equal(bytes(messagesBody(call).output_config), bytes({ format: theirs }));
  });
});

describe('what we call strict, the SDK has nothing to change in', () => {
  const closed = (properties: object, more: object = {}): JsonSchema => ({
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    ...more,
  });
  const text = { type: 'string' };
  const schemas: [string, boolean, JsonSchema][] = [
    ['closed objects', true, closed({ a: text, b: closed({}) })],
    ['a member that may be null', true, closed({ a: { type: ['string', 'null'] } })],
    ['alternatives', true, closed({ a: { anyOf: [text, { type: 'null' }] } })],
    ['a definition', true, closed({ a: { $ref: '#/$defs/x' } }, { $defs: { x: closed({ y: text }) } })],
    ['itself', true, closed({ children: { type: 'array', items: { $ref: '#' }, maxItems: 3 } })],
    ['values', true, closed({ a: { enum: ['x', 1] }, b: { const: 'y' } })],
    ['an open object', false, { type: 'object', properties: { a: text }, required: ['a'] }],
    ['an open object below', false, closed({ a: { type: 'object' } })],
    ['a member that may be missing', false, closed({ a: text }, { required: [] })],
    ['members of any name', false, closed({ a: { type: 'object', additionalProperties: text } })],
    ['a list', false, { type: 'array', items: text }],
    ['alternatives of the whole', false, closed({ a: text }, { anyOf: [closed({ a: text })] })],
    ['one of several', false, closed({ a: { oneOf: [text, { type: 'null' }] } })],
    ['all of several', false, closed({ a: { allOf: [text, { pattern: 'x' }] } })],
    ['different elements', false, closed({ a: { type: 'array', items: text, uniqueItems: true } })],
    ['a default', false, closed({ a: { type: 'string', default: 'x' } })],
    ['a value of any type', false, closed({ a: {} })],
    ['anything at all', false, closed({ a: true })],
  ];
  for (const [name, expected, schema] of schemas)
    test(`${name}: ${expected ? 'strict' : 'not strict'}`, () => {
      assert.equal(isStrict(schema), expected);
      if (expected) assert.deepEqual(toStrictJsonSchema(schema as never), schema);
    });
});
