// Ollama and LM Studio: the contract over their compatible endpoint, their addresses, and their own model lists.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLocalAdapter, type LocalKind, localBaseUrl } from '../../src/providers/local.ts';
import { providerContract, startProvider } from '../contracts/provider.ts';
import { providerConnections } from '../contracts/provider-connections.ts';
import { providerFaults } from '../contracts/provider-faults.ts';
import { collect, faultOf, NEVER } from '../support/provider-calls.ts';
import { startUpstream, status } from '../support/upstream.ts';

const local = (kind: LocalKind, apiKey?: string) => ({
  name: kind,
  create: (url: string) => createLocalAdapter({ kind, baseUrl: url, apiKey }),
});

for (const kind of ['ollama', 'lmstudio'] as const) {
  providerContract(local(kind, 'secret-key'));
  providerConnections(local(kind, 'secret-key'));
  providerFaults(local(kind, 'secret-key'));
}

describe('the address of a local server', () => {
  const addresses: [LocalKind, string | undefined, string][] = [
    ['ollama', undefined, 'http://127.0.0.1:11434'],
    ['ollama', '', 'http://127.0.0.1:11434'],
    ['lmstudio', undefined, 'http://127.0.0.1:1234'],
    ['ollama', 'gpu-box', 'http://gpu-box:11434'],
    ['ollama', 'gpu-box:9000', 'http://gpu-box:9000'],
    ['ollama', ':9000', 'http://127.0.0.1:9000'],
    ['ollama', '0.0.0.0', 'http://127.0.0.1:11434'],
    ['ollama', '0.0.0.0:9000', 'http://127.0.0.1:9000'],
    ['ollama', '[::1]:9000', 'http://[::1]:9000'],
    ['ollama', 'http://127.0.0.1:11434', 'http://127.0.0.1:11434'],
    ['ollama', 'http://127.0.0.1:11434/', 'http://127.0.0.1:11434'],
    ['ollama', 'http://127.0.0.1:11434/v1', 'http://127.0.0.1:11434'],
    ['ollama', '127.0.0.1:11434/v1/', 'http://127.0.0.1:11434'],
    ['ollama', 'https://models.example.com', 'https://models.example.com'],
    ['ollama', 'https://example.com/ollama/', 'https://example.com/ollama'],
    ['lmstudio', 'localhost', 'http://localhost:1234'],
  ];
  for (const [kind, host, expected] of addresses)
    test(`${kind} at ${JSON.stringify(host)} is ${expected}`, () => {
      assert.equal(localBaseUrl(kind, host), expected);
    });
});

describe('the call of a local server', () => {
  test('names the limit as every server knows it, and needs no key', async t => {
    const { upstream, adapter } = await startProvider(t, local('ollama'));

    await collect(adapter);

    const [sent] = upstream.modelCalls;
    assert.equal(sent?.path, '/v1/chat/completions');
    assert.equal(sent?.body.max_tokens, 200);
    assert.equal('authorization' in sent!.headers, false);
  });
});

describe('the models of Ollama', () => {
  const show = (details: object) => status(200, {}, details);

  test('come with the context they were made for', async t => {
    const { adapter } = await startProvider(t, local('ollama'));

    assert.deepEqual(await adapter.listModels(NEVER), [{ model: 'scripted-model', contextWindow: 8_192 }]);
  });

  test('come with the context their file sets', async t => {
    const { upstream, adapter } = await startProvider(t, local('ollama'));
    upstream.answerPath(
      '/api/show',
      show({ parameters: 'stop "x"\nnum_ctx   2048', model_info: { 'llama.context_length': 99 } }),
    );

    assert.deepEqual(await adapter.listModels(NEVER), [{ model: 'scripted-model', contextWindow: 2_048 }]);
  });

  test('come with the context they are loaded with', async t => {
    const { upstream, adapter } = await startProvider(t, local('ollama'));
    const models = [{ name: 'scripted-model', context_length: 4_096 }];
    upstream.answerPath('/api/ps', status(200, {}, { models }));

    assert.deepEqual(await adapter.listModels(NEVER), [{ model: 'scripted-model', contextWindow: 4_096 }]);
  });

  test('are left out when they only embed', async t => {
    const { upstream, adapter } = await startProvider(t, local('ollama'));
    upstream.answerPath('/api/show', show({ capabilities: ['embedding'] }));

    assert.deepEqual(await adapter.listModels(NEVER), []);
  });

  test('come from /v1/models where the own list is missing', async t => {
    const { upstream, adapter } = await startProvider(t, local('ollama'));
    upstream.answerPath('/api/tags', status(404));

    assert.deepEqual(
      (await adapter.listModels(NEVER)).map(({ model }) => model),
      ['scripted-model'],
    );
  });
});

describe('the models of LM Studio', () => {
  test('are its language models, with the context of a loaded one', async t => {
    const { upstream, adapter } = await startProvider(t, local('lmstudio'));
    const models = [
      { type: 'llm', key: 'big', max_context_length: 32_768, loaded_instances: [] },
      {
        type: 'llm',
        key: 'loaded',
        max_context_length: 32_768,
        loaded_instances: [{ id: 'loaded', config: { context_length: 4_096 } }],
      },
      { type: 'embedding', key: 'nomic', max_context_length: 2_048 },
    ];
    upstream.answerPath('/api/v1/models', status(200, {}, { models }));

    assert.deepEqual(await adapter.listModels(NEVER), [
      { model: 'big', contextWindow: 32_768 },
      { model: 'loaded', contextWindow: 4_096 },
    ]);
  });

  test('come from the earlier list of an older version, which answers unknown paths with 200', async t => {
    const { upstream, adapter } = await startProvider(t, local('lmstudio'));
    upstream.answerPath('/api/v1/models', status(200, {}, { error: 'Unexpected endpoint or method.' }));
    const data = [
      { id: 'old', type: 'vlm', max_context_length: 8_192 },
      { id: 'nomic', type: 'embeddings' },
    ];
    upstream.answerPath('/api/v0/models', status(200, {}, { object: 'list', data }));

    assert.deepEqual(await adapter.listModels(NEVER), [{ model: 'old', contextWindow: 8_192 }]);
  });

  test('come from /v1/models where there is nothing else', async t => {
    const upstream = await startUpstream(t, { kind: 'openai' });
    const adapter = local('lmstudio').create(upstream.url);
    t.after(() => adapter.close());

    assert.deepEqual(
      (await adapter.listModels(NEVER)).map(({ model }) => model),
      ['scripted-model'],
    );
  });
});

describe('a local server that is not there', () => {
  for (const kind of ['ollama', 'lmstudio'] as const)
    test(`${kind}: asking for models is a connection fault, at once`, async t => {
      const upstream = await startUpstream(t);
      await upstream.close();
      const adapter = local(kind).create(upstream.url);
      t.after(() => adapter.close());

      const error = await adapter.listModels(NEVER).catch((thrown: unknown) => thrown);

      assert.equal(faultOf(error), 'connection');
    });

  test('a server of another kind is a bad response', async t => {
    const { upstream, adapter } = await startProvider(t, local('ollama'));
    upstream.answerPath('/api/tags', status(200, { 'content-type': 'text/html' }, '<html>'));

    const error = await adapter.listModels(NEVER).catch((thrown: unknown) => thrown);

    assert.equal(faultOf(error), 'bad-response');
  });
});
