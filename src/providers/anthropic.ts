// The adapter for Anthropic's Messages API. The official SDK says where a call goes and with which headers, and reads
// the model list; the stream is read by us, and its meaning is in anthropic-messages.ts.

import Anthropic from '@anthropic-ai/sdk';
import { MAX_TIMEOUT_MS } from '../lib/clock.ts';
import { answerEvents } from './answer.ts';
import { createMessagesDecoder, messagesBody } from './anthropic-messages.ts';
import { toJson } from './decoding.ts';
import type { ErrorContext } from './errors.ts';
import type { AddressPolicy } from './guarded-connect.ts';
import { createHttpClient } from './http.ts';
import { type ListedModel, listedModels } from './model-list.ts';
import { inWords, refusesSchema } from './output-schema.ts';
import type { ProviderAdapter, ProviderCall, ProviderListener } from './provider.ts';
import { callOn, learnRoute, type Route } from './route.ts';
import { isCount } from './usage.ts';

export const ANTHROPIC_BASE_URL = 'https://api.anthropic.com';

export interface AnthropicOptions {
  /** Without `/v1`, as ANTHROPIC_BASE_URL is understood everywhere; one at the end is taken away. */
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
  /** Where it may connect to; absent: wherever the base URL says. */
  readonly addresses?: AddressPolicy | undefined;
}

/** The largest page of the model list. */
const MAX_MODELS = 1_000;

export function createAnthropicAdapter(options: AnthropicOptions): ProviderAdapter {
  const { baseUrl, apiKey = '' } = options;
  const context: ErrorContext = { provider: 'anthropic', apiKey };
  const http = createHttpClient('anthropic', options.addresses);
  const client = createClient(baseUrl, apiKey, http.fetch);
  let route: Promise<Route> | undefined;

  async function send(call: ProviderCall, signal: AbortSignal, onEvent: ProviderListener): Promise<void> {
    route ??= learnRoute(fetch =>
      createClient(baseUrl, apiKey, fetch).messages.create({
        model: '',
        max_tokens: 1,
        messages: [],
        stream: true,
      }),
    );
    const request = callOn(await route, call.requestId, messagesBody(call));
    const decoder = createMessagesDecoder(context);
    await answerEvents({ ...context, http, request, signal, decoder, onEvent });
  }

  return {
    kind: 'anthropic',
    async stream(call, signal, onEvent) {
      try {
        await send(call, signal, onEvent);
      } catch (error) {
        if (!refusesSchema(error, call)) throw error;
        await send(inWords(call), signal, event => event.type !== 'connected' && onEvent(event));
      }
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
        structuredOutput: supportOf(model, 'structured_outputs'),
      }));
    },
    close: () => http.close(),
  };
}

function createClient(
  baseUrl: string | undefined,
  apiKey: string,
  fetch: typeof globalThis.fetch,
): Anthropic {
  return new Anthropic({
    baseURL: (baseUrl || ANTHROPIC_BASE_URL).replace(/\/+$/, '').replace(/\/v1$/, ''),
    // Given even when empty: without a key the SDK looks for others, at last on disk.
    apiKey: apiKey || 'none',
    webhookKey: null,
    maxRetries: 0,
    // No deadline of the SDK: it would end at the headers, and the attempt has better ones.
    timeout: MAX_TIMEOUT_MS,
    logLevel: 'off',
    fetch,
  });
}

/** What a model list says of a capability; undefined when it says nothing. */
function supportOf({ capabilities }: ListedModel, name: string): boolean | undefined {
  const { supported } = toJson(toJson(capabilities)[name]);
  return typeof supported === 'boolean' ? supported : undefined;
}
