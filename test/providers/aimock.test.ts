// A second opinion: an upstream that we did not write, so that our adapters and our scripted upstream cannot share a
// misunderstanding of the formats.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { createAnthropicAdapter } from '../../src/providers/anthropic.ts';
import { createLocalAdapter } from '../../src/providers/local.ts';
import { createOpenAIAdapter } from '../../src/providers/openai.ts';
import type { ProviderAdapter } from '../../src/providers/provider.ts';
import { collect, faultOf, NEVER, providerCall } from '../support/provider-calls.ts';

async function startMock(t: TestContext): Promise<LLMock> {
  const mock = new LLMock({ port: 0, logLevel: 'silent', chunkSize: 4 });
  mock.onMessage('hello', { content: 'Hello from somebody else, 世界.' });
  mock.onMessage(
    'break off',
    { content: 'This answer is never finished.' },
    { truncateAfterChunks: 7, latency: 5 },
  );
  mock.onMessage('too many', { error: { message: 'Slow down', type: 'rate_limit_error' }, status: 429 });
  mock.onMessage('broken', { error: { message: 'Internal', type: 'server_error' }, status: 500 });
  await mock.start();
  t.after(() => mock.stop());
  return mock;
}

const ask = (content: string) => providerCall({ messages: [{ role: 'USER', content }] });

const apis: [string, (url: string) => ProviderAdapter][] = [
  ['chat', url => createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'key', api: 'chat' })],
  ['responses', url => createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'key', api: 'responses' })],
  ['messages', url => createAnthropicAdapter({ baseUrl: url, apiKey: 'key' })],
  ['ollama', url => createLocalAdapter({ kind: 'ollama', baseUrl: url })],
];

describe('an independent upstream', () => {
  for (const [name, create] of apis)
    test(`is understood over ${name}`, async t => {
      const mock = await startMock(t);
      const adapter = create(mock.url);
      t.after(() => adapter.close());

      const whole = await collect(adapter, ask('hello'));
      const broken = await collect(adapter, ask('break off'));
      const limited = await collect(adapter, ask('too many'));
      const failed = await collect(adapter, ask('broken'));

      assert.equal(whole.error, undefined);
      assert.equal(whole.text, 'Hello from somebody else, 世界.');
      assert.equal(whole.finished?.reason.unified, 'stop');
      assert.ok(whole.events.some(event => event.type === 'token'));
      assert.equal(faultOf(broken.error), 'truncated');
      assert.ok('This answer is never finished.'.startsWith(broken.text) && broken.text !== '');
      assert.equal(faultOf(limited.error), 'rate-limit 429');
      assert.equal(faultOf(failed.error), 'server 500');
    });

  test('lists its models', async t => {
    const mock = await startMock(t);
    const adapter = createOpenAIAdapter({ baseUrl: `${mock.url}/v1`, apiKey: 'key' });
    t.after(() => adapter.close());

    assert.ok((await adapter.listModels(NEVER)).length > 0);
  });
});
