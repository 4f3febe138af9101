// Our reader against the SDKs' own iterators: the same bytes, cut anywhere, mean the same text, end and usage.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { createAnthropicAdapter } from '../../src/providers/anthropic.ts';
import { createOpenAIAdapter } from '../../src/providers/openai.ts';
import type { ProviderAdapter } from '../../src/providers/provider.ts';
import { collect } from '../support/provider-calls.ts';
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
