// Anthropic Messages: the contract, the body that is sent, and what its stream says about tokens.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAnthropicAdapter } from '../../src/providers/anthropic.ts';
import { providerContract, startProvider } from '../contracts/provider.ts';
import { providerConnections } from '../contracts/provider-connections.ts';
import { providerFaults } from '../contracts/provider-faults.ts';
import { collect, faultOf, NEVER, providerCall } from '../support/provider-calls.ts';
import { cut, raw, status, text, withoutEnd } from '../support/upstream.ts';

const provider = {
  name: 'Anthropic Messages',
  create: (url: string) => createAnthropicAdapter({ baseUrl: url, apiKey: 'secret-key' }),
};

providerContract(provider);
providerConnections(provider);
providerFaults(provider);

const event = (type: string, fields: object = {}) => ({
  do: 'raw' as const,
  bytes: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`,
});
const start = (usage: object) => event('message_start', { message: { id: 'msg_1', model: 'served', usage } });
const delta = (content: object) => event('content_block_delta', { index: 0, delta: content });
const stop = (stop_reason: string, usage?: object) =>
  event('message_delta', { delta: { stop_reason, stop_sequence: null }, usage });

describe('the Messages call', () => {
  test('carries every setting, with all instructions in front', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const call = providerCall({
      system: 'Be brief.',
      messages: [
        { role: 'USER', content: 'Hi' },
        { role: 'ASSISTANT', content: 'Hello' },
        { role: 'SYSTEM', content: 'Now in French.' },
        { role: 'USER', content: 'Again' },
      ],
      temperature: 1,
      stop: ['END'],
    });

    await collect(adapter, call);

    const [sent] = upstream.modelCalls;
    assert.equal(sent?.path, '/v1/messages');
    assert.equal(sent?.headers.authorization, 'Bearer secret-key');
    assert.equal(sent?.headers['anthropic-version'], '2026-10-21');
    assert.deepEqual(sent?.body, {
      model: 'scripted-model',
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'Again' },
      ],
      stream: true,
      max_tokens: 200,
      system: 'Be brief.\n\nNow in French.',
      temperature: 1,
      stop_sequences: ['END'],
    });
  });

  test('leaves out what was not asked for', async t => {
    const { upstream, adapter } = await startProvider(t, provider);

    await collect(adapter);

    assert.deepEqual(Object.keys(upstream.modelCalls[0]?.body), [
      'model',
      'messages',
      'stream',
      'max_tokens',
    ]);
  });

  test('goes to the same place when the base URL ends in /v1', async t => {
    const { upstream, adapter } = await startProvider(t, {
      ...provider,
      create: url => createAnthropicAdapter({ baseUrl: `${url}/v1/`, apiKey: 'k' }),
    });

    await collect(adapter);

    assert.equal(upstream.requests[0]?.path, '/v1/messages');
  });
});

describe('the Messages stream', () => {
  test('reports input beside the cache, which we add up', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([
      start({
        input_tokens: 10,
        cache_read_input_tokens: 200,
        cache_creation_input_tokens: 30,
        output_tokens: 1,
      }),
      delta({ type: 'text_delta', text: 'Hi' }),
      stop('end_turn', { output_tokens: 42 }),
      event('message_stop'),
      withoutEnd(),
    ]);

    const { finished } = await collect(adapter);

    assert.deepEqual(finished?.usage, {
      inputTokens: 240,
      cachedInputTokens: 200,
      cacheWriteTokens: 30,
      outputTokens: 42,
      estimated: false,
    });
    assert.equal(finished?.servedModel, 'served');
  });

  test('takes the last of its cumulative counts', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([
      start({ input_tokens: 10, output_tokens: 1 }),
      delta({ type: 'text_delta', text: 'Hi' }),
      event('message_delta', { delta: {}, usage: { output_tokens: 5 } }),
      stop('end_turn', { input_tokens: 12, cache_read_input_tokens: null, output_tokens: 9 }),
      event('message_stop'),
      withoutEnd(),
    ]);

    const { finished } = await collect(adapter);

    assert.equal(finished?.usage?.inputTokens, 12);
    assert.equal(finished?.usage?.outputTokens, 9);
  });

  for (const [reason, unified] of [
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool-calls'],
    ['refusal', 'content-filter'],
    ['pause_turn', 'other'],
  ] as const)
    test(`that stops for ${reason} finishes with ${unified}`, async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      upstream.enqueue([
        start({ input_tokens: 1 }),
        delta({ type: 'text_delta', text: 'x' }),
        stop(reason, { output_tokens: 1 }),
        event('message_stop'),
        withoutEnd(),
      ]);

      assert.deepEqual((await collect(adapter)).finished?.reason, { unified, raw: reason });
    });

  test('counts the prompt before the answer, so that a call that is cut off has an exact input', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const cached = { cache_read_input_tokens: 200, cache_creation_input_tokens: 30 };
    const inputOf = async (usage: object) => {
      upstream.enqueue([start(usage), text('Hel'), cut()]);
      const { events } = await collect(adapter);
      const head = events.find(event => event.type === 'started');
      assert.equal(head?.responseId, 'msg_1');
      return head?.inputUsage;
    };

    assert.deepEqual(await inputOf({ input_tokens: 10, output_tokens: 1, ...cached }), {
      inputTokens: 240,
      cachedInputTokens: 200,
      cacheWriteTokens: 30,
    });
    for (const usage of [{}, { input_tokens: 0 }, { input_tokens: -3 }, { input_tokens: '10' }])
      assert.equal(await inputOf(usage), undefined);
  });

  test('may refuse without a word', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([start({ input_tokens: 1 }), stop('refusal'), event('message_stop'), withoutEnd()]);

    const { text: answer, finished } = await collect(adapter);

    assert.deepEqual([answer, finished?.reason.unified], ['', 'content-filter']);
  });

  test('may begin a block with text and hold deltas of other kinds', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([
      start({ input_tokens: 1 }),
      event('content_block_start', { index: 0, content_block: { type: 'text', text: 'Hel' } }),
      delta({ type: 'text_delta', text: 'lo' }),
      delta({ type: 'signature_delta', signature: 'abc' }),
      event('news_of_tomorrow', { text: 'ignored' }),
      stop('end_turn', { output_tokens: 2 }),
      event('message_stop'),
      withoutEnd(),
    ]);

    const { text: answer, events } = await collect(adapter);

    assert.equal(answer, 'Hello');
    assert.equal(events.filter(each => each.type === 'progress').length, 1);
  });

  test('ends at its marker even when more comes in the same piece', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const pieces = [
      start({ input_tokens: 1 }),
      delta({ type: 'text_delta', text: 'all' }),
      stop('end_turn', { output_tokens: 1 }),
      event('message_stop'),
      delta({ type: 'text_delta', text: ' ghost' }),
    ];
    upstream.enqueue([raw(pieces.map(({ bytes }) => bytes).join('')), withoutEnd()]);

    const { text: answer, finished } = await collect(adapter);

    assert.deepEqual([answer, finished?.usage?.outputTokens], ['all', 1]);
  });

  test('is truncated when it stops without a reason', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([start({ input_tokens: 1 }), text('Hel'), event('message_stop'), withoutEnd()]);

    assert.equal(faultOf((await collect(adapter)).error), 'truncated');
  });
});

describe('refusals of Anthropic', () => {
  for (const [code, type, message, fault] of [
    [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum', 'context-length'],
    [
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 1 + 2 > 3',
      'context-length',
    ],
    [400, 'invalid_request_error', 'Output blocked by content filtering policy', 'content-policy'],
    [400, 'invalid_request_error', 'Your credit balance is too low to access the API', 'credentials'],
    [400, 'invalid_request_error', 'temperature: range: 0..1', 'bad-request'],
    [404, 'not_found_error', 'model: nobody', 'unknown-model'],
    [529, 'overloaded_error', 'Overloaded', 'server'],
  ] as const)
    test(`${code} "${message}" is the fault ${fault}`, async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      upstream.enqueue(status(code, {}, { type: 'error', error: { type, message } }));

      assert.equal(faultOf((await collect(adapter)).error), `${fault} ${code}`);
    });
});

describe('the model list of Anthropic', () => {
  test('tells context and output sizes', async t => {
    const { adapter } = await startProvider(t, provider);

    assert.deepEqual(await adapter.listModels(NEVER), [
      {
        model: 'scripted-model',
        contextWindow: 8_192,
        maxOutputTokens: 4_096,
        structuredOutput: undefined,
      },
    ]);
  });
});
