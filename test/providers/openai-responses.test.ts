// The OpenAI Responses API: the contract, the body that is sent, and what its stream may hold besides text.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOpenAIAdapter } from '../../src/providers/openai.ts';
import { providerContract, startProvider } from '../contracts/provider.ts';
import { providerConnections } from '../contracts/provider-connections.ts';
import { providerFaults } from '../contracts/provider-faults.ts';
import { collect, faultOf, providerCall } from '../support/provider-calls.ts';
import { endless, finish, raw, text, withoutEnd } from '../support/upstream.ts';

const provider = {
  name: 'OpenAI Responses',
  create: (url: string) =>
    createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'secret-key', api: 'responses' }),
};

providerContract(provider);
providerConnections(provider);
providerFaults(provider);

const event = (type: string, fields: object) => raw(`data: ${JSON.stringify({ type, ...fields })}\n\n`);

describe('the Responses call', () => {
  test('carries every setting, and has nothing kept', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const call = providerCall({
      system: 'Be brief.',
      messages: [
        { role: 'USER', content: 'Hi' },
        { role: 'ASSISTANT', content: 'Hello' },
        { role: 'SYSTEM', content: 'Now in French.' },
        { role: 'USER', content: 'Again' },
      ],
      temperature: 0.5,
      stop: ['END'],
    });

    await collect(adapter, call);

    const [sent] = upstream.modelCalls;
    assert.equal(sent?.path, '/v1/responses');
    assert.equal(sent?.headers.authorization, 'Bearer secret-key');
    assert.deepEqual(sent?.body, {
      model: 'scripted-model',
      input: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
        { role: 'system', content: 'Now in French.' },
        { role: 'user', content: 'Again' },
      ],
      stream: true,
      store: false,
      max_output_tokens: 200,
      instructions: 'Be brief.',
      temperature: 0.5,
    });
  });

  test('leaves out what was not asked for', async t => {
    const { upstream, adapter } = await startProvider(t, provider);

    await collect(adapter);

    assert.deepEqual(Object.keys(upstream.modelCalls[0]?.body), [
      'model',
      'input',
      'stream',
      'store',
      'max_output_tokens',
    ]);
  });
});

describe('the Responses stream', () => {
  test('ends at a stop sequence, which the API does not know, and the provider is told to stop', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([text('one, tw'), text('o, EN'), text('D of it'), endless(text(' more'))]);

    const { text: answer, finished } = await collect(adapter, providerCall({ stop: ['END', 'zzz'] }));

    assert.equal(answer, 'one, two, ');
    assert.deepEqual(finished?.reason, { unified: 'stop', raw: 'stop_sequence' });
    assert.equal(finished?.usage, undefined);
    await upstream.requests[0]!.closed;
  });

  test('gives out held back text when no stop sequence came of it', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([text('THE E'), text('N')]);

    const { text: answer, finished } = await collect(adapter, providerCall({ stop: ['END'] }));

    assert.equal(answer, 'THE EN');
    assert.equal(finished?.usage?.outputTokens, 3);
  });

  test('may bring text only as a whole', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const part = { item_id: 'm', content_index: 0 };
    upstream.enqueue([event('response.output_text.done', { ...part, text: 'All at once.' }), finish()]);

    assert.equal((await collect(adapter)).text, 'All at once.');
  });

  test('counts a refusal as text that the policy ended', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([event('response.refusal.delta', { delta: 'I will not.' }), finish()]);

    const { text: answer, finished } = await collect(adapter);

    assert.deepEqual([answer, finished?.reason.unified], ['I will not.', 'content-filter']);
  });

  for (const [code, fault] of [
    ['server_error', 'server'],
    ['rate_limit_exceeded', 'rate-limit'],
    ['invalid_prompt', 'content-policy'],
    ['context_length_exceeded', 'context-length'],
    ['insufficient_quota', 'credentials'],
    ['image_file_too_large', 'server'],
  ] as const)
    test(`that failed with ${code} is the fault ${fault}`, async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      const response = { id: 'r', status: 'failed', error: { code, message: 'no' } };
      upstream.enqueue([text('Hel'), event('response.failed', { response }), withoutEnd()]);

      const { text: answer, error } = await collect(adapter);

      assert.deepEqual([answer, faultOf(error)], ['Hel', fault]);
    });
});
