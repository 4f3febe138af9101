// The adapter for Anthropic's Messages API through the official SDK, which builds and sends the call; we read the raw
// response, whose meaning is in anthropic-messages.ts.

import Anthropic from '@anthropic-ai/sdk';
import { answerEvents } from './answer.ts';
import { createMessagesDecoder, messagesBody } from './anthropic-messages.ts';
import type { ErrorContext } from './errors.ts';
import { createHttpClient } from './http.ts';
import { listedModels } from './model-list.ts';
import type { ProviderAdapter } from './provider.ts';
import { isCount } from './usage.ts';

export const ANTHROPIC_BASE_URL = 'https://api.anthropic.com';

export interface AnthropicOptions {
  /** Without `/v1`, as ANTHROPIC_BASE_URL is understood everywhere; one at the end is taken away. */
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
}

/** No deadline of the SDK: it would end at the headers, and the attempt has better ones. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;
/** The largest page of the model list. */
const MAX_MODELS = 1_000;

export function createAnthropicAdapter({ baseUrl, apiKey = '' }: AnthropicOptions): ProviderAdapter {
  const context: ErrorContext = { provider: 'anthropic', apiKey };
  const http = createHttpClient('anthropic');
  const client = new Anthropic({
    baseURL: (baseUrl || ANTHROPIC_BASE_URL).replace(/\/+$/, '').replace(/\/v1$/, ''),
    // Given even when empty: without a key the SDK looks for others, at last on disk.
    apiKey: apiKey || 'none',
    webhookKey: null,
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    logLevel: 'off',
    fetch: http.fetch,
  });

  return {
    kind: 'anthropic',
    stream(call, signal) {
      return answerEvents({
        ...context,
        signal,
        decoder: createMessagesDecoder(context),
        send: fetchOptions =>
          client.messages.create(messagesBody(call), {
            fetchOptions,
            headers: { 'X-Client-Request-Id': call.requestId },
          }),
      });
    },
    async listModels(signal) {
      const listed = await listedModels(
        fetchOptions => client.models.list({ limit: MAX_MODELS }, { fetchOptions }),
        signal,
        context,
      );
      return listed.map(model => ({
        model: model.id,
        contextWindow: [model.max_input_tokens].find(isCount),
        maxOutputTokens: [model.max_tokens].find(isCount),
      }));
    },
    close: () => http.close(),
  };
}
