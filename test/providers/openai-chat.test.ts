// OpenAI Chat Completions, as other servers than OpenAI speak it: the contract, the body that is sent, and the defects
// of compatible servers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOpenAIAdapter } from '../../src/providers/openai.ts';
import { chatBody } from '../../src/providers/openai-chat.ts';
import { providerContract, startProvider } from '../contracts/provider.ts';
import { providerConnections } from '../contracts/provider-connections.ts';
import { providerFaults } from '../contracts/provider-faults.ts';
import { collect, faultOf, NEVER, providerCall } from '../support/provider-calls.ts';
import { finish, raw, stall, status, text, withoutEnd } from '../support/upstream.ts';

const provider = {
  name: 'OpenAI Chat Completions',
  create: (url: string) => createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'secret-key', api: 'chat' }),
};

providerContract(provider);
providerConnections(provider);
providerFaults(provider);

const chunk = (choices: unknown[], rest: object = {}) =>
  raw(`data: ${JSON.stringify({ id: 'c1', model: 'm1', choices, ...rest })}\n\n`);
const delta = (content: object, finish_reason: string | null = null) => ({
  index: 0,
  delta: content,
  finish_reason,
});

describe('the chat call', () => {
  test('carries every setting, in the words of compatible servers', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const call = providerCall({
      system: 'Be brief.',
      messages: [
        { role: 'USER', content: 'Hi' },
        { role: 'ASSISTANT', content: 'Hello' },
        { role: 'SYSTEM', content: 'Now in French.' },
        { role: 'USER', content: 'Again' },
      ],
      temperature: 0,
      stop: ['END'],
    });

    await collect(adapter, call);

    const [sent] = upstream.modelCalls;
    assert.equal(sent?.path, '/v1/chat/completions');
    assert.equal(sent?.headers.authorization, 'Bearer secret-key');
    assert.equal(sent?.headers['x-client-request-id'], 'request-1');
    assert.deepEqual(sent?.body, {
      model: 'scripted-model',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
        { role: 'system', content: 'Now in French.' },
        { role: 'user', content: 'Again' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 200,
      temperature: 0,
      stop: ['END'],
    });
  });

  test('leaves out what was not asked for', async t => {
    const { upstream, adapter } = await startProvider(t, provider);

    await collect(adapter);

    assert.deepEqual(Object.keys(upstream.modelCalls[0]?.body), [
      'model',
      'messages',
      'stream',
      'stream_options',
      'max_tokens',
    ]);
  });

  test('uses the newer name of the limit at OpenAI itself, and has nothing kept there', () => {
    const body = chatBody(providerCall(), { official: true, includeUsage: true });

    assert.equal(body.max_completion_tokens, 200);
    assert.equal(body.store, false);
    assert.equal('max_tokens' in body, false);
  });

  test('is sent again without the wish for usage where that is refused, once', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const refusal = status(400, {}, { error: { message: 'Unknown parameter: stream_options' } });
    upstream.enqueue(refusal, [text('one')], [text('two')]);

    const answers = [await collect(adapter), await collect(adapter)];

    assert.deepEqual(
      answers.map(answer => [answer.text, answer.finished?.usage]),
      [
        ['one', undefined],
        ['two', undefined],
      ],
    );
    assert.deepEqual(
      upstream.modelCalls.map(({ body }) => 'stream_options' in body),
      [true, false, false],
    );
    assert.equal(answers[0]?.events.filter(event => event.type === 'connected').length, 1);
  });

  test('tells a server nothing that the environment holds for OpenAI', async t => {
    process.env.OPENAI_ORG_ID = 'org-secret';
    process.env.OPENAI_CUSTOM_HEADERS = 'x-client-request-id: environment\nx-custom: secret';
    t.after(() => {
      delete process.env.OPENAI_ORG_ID;
      delete process.env.OPENAI_CUSTOM_HEADERS;
    });
    const { upstream, adapter } = await startProvider(t, provider);

    await collect(adapter);

    const sent = JSON.stringify(upstream.modelCalls[0]?.headers);
    assert.doesNotMatch(sent, /secret(?!-key)|environment/);
  });

  test('goes without authorization to a server that has none', async t => {
    const { upstream, adapter } = await startProvider(t, {
      ...provider,
      create: url => createOpenAIAdapter({ baseUrl: `${url}/v1`, api: 'chat' }),
    });

    assert.equal((await collect(adapter)).text, 'echo: Hello there');
    assert.equal('authorization' in upstream.modelCalls[0]!.headers, false);
  });
});

describe('the chat stream of a compatible server', () => {
  test('may carry its last text and its usage in the closing chunk', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const usage = { prompt_tokens: 4, completion_tokens: 2 };
    upstream.enqueue([
      chunk([delta({ content: 'Hel' })]),
      chunk([delta({ content: 'lo' }, 'stop')], { usage }),
      stall(),
    ]);

    const { text: answer, finished } = await collect(adapter);

    assert.equal(answer, 'Hello');
    assert.equal(finished?.usage?.outputTokens, 2);
    assert.equal(finished?.servedModel, 'm1');
  });

  test('is taken as it is when usage and marker do not follow the finish reason', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([chunk([delta({ content: 'Hello' })]), chunk([delta({}, 'stop')]), stall()]);

    const { text: answer, finished } = await collect(adapter);

    assert.deepEqual([answer, finished?.usage], ['Hello', undefined]);
  });

  test('is truncated when it says [DONE] but never why it ended', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([chunk([delta({ content: 'Hel' })]), raw('data: [DONE]\n\n'), withoutEnd()]);

    const { text: answer, error } = await collect(adapter);

    assert.deepEqual([answer, faultOf(error)], ['Hel', 'truncated']);
  });

  test('fails when its content is not text, rather than lose it', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([chunk([delta({ content: [{ type: 'image' }] })])]);

    assert.equal(faultOf((await collect(adapter)).error), 'bad-response');
  });

  test('may fail with the status of a server behind it', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([raw('data: {"error":{"code":429,"message":"upstream"}}\n\n')]);

    assert.equal(faultOf((await collect(adapter)).error), 'rate-limit');
  });

  test('counts a refusal as text that the policy ended', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([chunk([delta({ refusal: 'I will not.' })]), chunk([delta({}, 'stop')]), finish()]);

    const { text: answer, finished } = await collect(adapter);

    assert.deepEqual([answer, finished?.reason], ['I will not.', { unified: 'content-filter', raw: 'stop' }]);
  });

  test('has no text behind its finish reason, whatever comes before the marker', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const ghost = chunk([delta({ content: ' ghost' })]);
    upstream.enqueue([chunk([delta({ content: 'all' })]), chunk([delta({}, 'stop')]), ghost, finish()]);

    assert.equal((await collect(adapter)).text, 'all');
  });

  test('keeps the text that came in one piece with a malformed event', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const good = `data: ${JSON.stringify({ choices: [delta({ content: 'Hel' })] })}\n\n`;
    upstream.enqueue([raw(`${good}data: {"broken\n\n`), withoutEnd()]);

    const { text: answer, error } = await collect(adapter);

    assert.deepEqual([answer, faultOf(error)], ['Hel', 'bad-response']);
  });

  test('may have reason names of its own', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([chunk([delta({ content: 'a' }, 'eos')]), raw('data: [DONE]\n\n'), withoutEnd()]);

    assert.deepEqual((await collect(adapter)).finished?.reason, { unified: 'other', raw: 'eos' });
  });
});

describe('the model list', () => {
  test('names the models and what some servers tell of them', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const data = [{ id: 'a' }, { id: 'b', max_model_len: 4_096 }, { id: 'c', context_length: 'much' }];
    upstream.answerPath('/v1/models', status(200, {}, { object: 'list', data }));

    assert.deepEqual(await adapter.listModels(NEVER), [
      { model: 'a', contextWindow: undefined, maxOutputTokens: undefined },
      { model: 'b', contextWindow: 4_096, maxOutputTokens: undefined },
      { model: 'c', contextWindow: undefined, maxOutputTokens: undefined },
    ]);
  });

  test('is empty where there is none', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.answerPath('/v1/models', status(404));

    assert.deepEqual(await adapter.listModels(NEVER), []);
  });

  for (const [what, script, fault] of [
    ['a page', status(200, { 'content-type': 'text/html' }, '<html>'), 'bad-response'],
    ['other JSON', status(200, {}, { models: 'many' }), 'bad-response'],
    ['broken JSON', status(200, { 'content-type': 'application/json' }, '{"data":'), 'bad-response'],
    ['401', status(401, {}, { error: {} }), 'credentials 401'],
    ['503', status(503), 'server 503'],
  ] as const)
    test(`fails with ${fault} when ${what} comes instead`, async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      upstream.answerPath('/v1/models', script);

      const error = await adapter.listModels(NEVER).catch((thrown: unknown) => thrown);

      assert.equal(faultOf(error), fault);
    });

  test('is given up when the signal says so', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.answerPath('/v1/models', { before: 'never' });

    const leaving = new AbortController();

    const listed = assert.rejects(adapter.listModels(leaving.signal), { name: 'AbortError' });
    const request = await upstream.nextRequest();
    leaving.abort();

    await listed;
    await request.closed;
  });
});
