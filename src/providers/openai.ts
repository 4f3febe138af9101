// The adapter for OpenAI and for every server that speaks its APIs. The official SDK says where a call goes and with
// which headers, and reads the model list; the stream is read by us. Responses at OpenAI itself, Chat Completions
// anywhere else, unless told.

import OpenAI from 'openai';
import type { ProviderKind } from '../domain/model.ts';
import { MAX_TIMEOUT_MS } from '../lib/clock.ts';
import { answerEvents } from './answer.ts';
import type { ErrorContext } from './errors.ts';
import type { AddressPolicy } from './guarded-connect.ts';
import { createHttpClient, type HttpClient } from './http.ts';
import { type ListedModel, listedModels } from './model-list.ts';
import { chatBody, createChatDecoder } from './openai-chat.ts';
import { createResponsesDecoder, responsesBody } from './openai-responses.ts';
import { inWords, refusesSchema } from './output-schema.ts';
import type { DiscoveredModel, ProviderAdapter, ProviderCall, ProviderListener } from './provider.ts';
import { refuses } from './provider-error.ts';
import { callOn, learnRoute, type Route } from './route.ts';
import { stoppingAt } from './stop-sequences.ts';
import { isCount } from './usage.ts';

export const OPENAI_BASE_URL = 'https://api.openai.com/v1';

export interface OpenAIOptions {
  /** Up to and including `/v1`, as OPENAI_BASE_URL is understood everywhere. Absent: OpenAI itself. */
  readonly baseUrl?: string | undefined;
  /** Absent: the server asks for none. */
  readonly apiKey?: string | undefined;
  readonly api?: 'responses' | 'chat' | undefined;
  readonly kind?: ProviderKind | undefined;
  /** Where it may connect to; absent: wherever the base URL says. */
  readonly addresses?: AddressPolicy | undefined;
  /** To share the sockets of a client that asks the same server for other things. */
  readonly http?: HttpClient | undefined;
}

export function createOpenAIAdapter(options: OpenAIOptions): ProviderAdapter {
  const { kind = 'openai', apiKey = '', addresses } = options;
  const http = options.http ?? createHttpClient(kind, addresses);
  const baseUrl = options.baseUrl || OPENAI_BASE_URL;
  const official = new URL(baseUrl).hostname.endsWith('api.openai.com');
  const api = options.api ?? (official ? 'responses' : 'chat');
  const context: ErrorContext = { provider: kind, apiKey };
  const client = createClient(baseUrl, apiKey, http.fetch);
  let route: Promise<Route> | undefined;
  let includeUsage = true;

  async function send(call: ProviderCall, signal: AbortSignal, onEvent: ProviderListener): Promise<void> {
    route ??= learnRoute(fetch => anyCall(createClient(baseUrl, apiKey, fetch), api));
    const isChat = api === 'chat';
    const body = isChat ? chatBody(call, { official, includeUsage }) : responsesBody(call);
    const decoder = isChat
      ? createChatDecoder(context)
      : stoppingAt(createResponsesDecoder(context), call.stop);
    const request = callOn(await route, call.requestId, body);
    return answerEvents({ ...context, http, request, signal, decoder, onEvent });
  }

  return {
    kind,
    async stream(call, signal, onEvent) {
      let [asked, listener] = [call, onEvent];
      for (;;) {
        const isAskedForUsage = api === 'chat' && includeUsage;
        try {
          return await send(asked, signal, listener);
        } catch (error) {
          if (isAskedForUsage && refusesUsage(error)) includeUsage = false;
          else if (refusesSchema(error, asked)) asked = inWords(asked);
          else throw error;
        }
        listener = event => event.type !== 'connected' && onEvent(event);
      }
    },
    async listModels(signal) {
      const listed = await listedModels(
        fetchOptions => client.models.list({ fetchOptions }),
        signal,
        context,
      );
      return listed.filter(({ id }) => !(official && OTHER_PURPOSE.test(id))).map(toModel);
    },
    close: () => http.close(),
  };
}

function createClient(baseURL: string, apiKey: string, fetch: typeof globalThis.fetch): OpenAI {
  return new OpenAI({
    baseURL,
    // The SDK insists on a key; a server without authentication gets none all the same.
    apiKey: apiKey || 'none',
    ...(!apiKey && { defaultHeaders: { Authorization: null } }),
    // Null, or the SDK takes them from the environment and tells them to every server.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    // No deadline of the SDK: it would end at the headers, and the attempt has better ones.
    timeout: MAX_TIMEOUT_MS,
    logLevel: 'off',
    fetch,
  });
}

function anyCall(client: OpenAI, api: 'responses' | 'chat'): PromiseLike<unknown> {
  return api === 'chat'
    ? client.chat.completions.create({ model: '', messages: [], stream: true })
    : client.responses.create({ model: '', input: '', stream: true });
}

/** An older compatible server that knows no `stream_options` says so in its refusal, before it did anything. */
function refusesUsage(error: unknown): boolean {
  return refuses(error, /stream_options|include_usage/);
}

/** What OpenAI's own list holds besides models that answer prompts. */
const OTHER_PURPOSE =
  /embedding|whisper|tts|transcribe|dall-e|image|moderation|realtime|audio|sora|babbage|davinci|computer-use/;

function toModel(listed: ListedModel): DiscoveredModel {
  return {
    model: listed.id,
    // Not OpenAI's, but vLLM's, OpenRouter's and Groq's names for it.
    contextWindow: [listed.max_model_len, listed.context_length, listed.context_window].find(isCount),
    maxOutputTokens: [listed.max_completion_tokens].find(isCount),
  };
}
