// What we send is what the official SDKs send: to the same place, with the same headers, the same body.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { createAnthropicAdapter } from '../../src/providers/anthropic.ts';
import { messagesBody } from '../../src/providers/anthropic-messages.ts';
import { createHttpClient, transport } from '../../src/providers/http.ts';
import { createOpenAIAdapter } from '../../src/providers/openai.ts';
import { chatBody } from '../../src/providers/openai-chat.ts';
import { responsesBody } from '../../src/providers/openai-responses.ts';
import type { ProviderAdapter } from '../../src/providers/provider.ts';
import { learnRoute } from '../../src/providers/route.ts';
import { collect, NEVER, providerCall } from '../support/provider-calls.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const call = providerCall({
  system: 'Be kind.',
  temperature: 0.5,
  messages: [{ role: 'USER', content: 'Grüße 😀' }],
  output: { schema: { type: 'object', properties: { größe: { type: 'number' } } }, enforced: true },
});
const sending = {
  fetchOptions: transport({ signal: NEVER }),
  headers: { 'X-Client-Request-Id': call.requestId },
};

function clientOptions(t: TestContext) {
  const http = createHttpClient('provider');
  t.after(() => http.close());
  return { apiKey: 'secret-key', maxRetries: 0, logLevel: 'off', fetch: http.fetch } as const;
}

function openai(t: TestContext, { url }: Upstream): OpenAI {
  return new OpenAI({ ...clientOptions(t), baseURL: `${url}/v1`, organization: null, project: null });
}

const apis: [
  string,
  (t: TestContext, upstream: Upstream) => PromiseLike<unknown>,
  (url: string) => ProviderAdapter,
][] = [
  [
    'Chat Completions',
    (t, upstream) =>
      openai(t, upstream)
        .chat.completions.create(chatBody(call, { official: false, includeUsage: true }), sending)
        .asResponse(),
    url => createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'secret-key', api: 'chat' }),
  ],
  [
    'Responses',
    (t, upstream) => openai(t, upstream).responses.create(responsesBody(call), sending).asResponse(),
    url => createOpenAIAdapter({ baseUrl: `${url}/v1`, apiKey: 'secret-key', api: 'responses' }),
  ],
  [
    'Messages',
    (t, upstream) =>
      new Anthropic({ ...clientOptions(t), baseURL: upstream.url }).messages
        .create(messagesBody(call), sending)
        .asResponse(),
    url => createAnthropicAdapter({ baseUrl: url, apiKey: 'secret-key' }),
  ],
];

for (const [api, bySdk, adapterFor] of apis)
  test(`a call of ${api} is sent as the SDK would send it`, async t => {
    const upstream = await startUpstream(t);
    const adapter = adapterFor(upstream.url);
    t.after(() => adapter.close());

    await bySdk(t, upstream);
    await collect(adapter, call);

    const [theirs, ours] = upstream.requests.map(({ path, headers, body }) => ({ path, headers, body }));
    assert.deepEqual(ours, theirs);
  });

test('what an SDK cannot build is said by its own error', async () => {
  const broken = learnRoute(async () => {
    throw new TypeError('Invalid URL');
  });

  await assert.rejects(broken, new TypeError('Invalid URL'));
});
