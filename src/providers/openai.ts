// The adapter for OpenAI and for every server that speaks its APIs, through the official SDK, which builds and sends
// the call; we read the raw response. Responses at OpenAI itself, Chat Completions anywhere else, unless told.

import OpenAI, { APIError } from 'openai';
import type { ProviderKind } from '../domain/model.ts';
import { type AnswerDecoder, answerEvents } from './answer.ts';
import type { ErrorContext } from './errors.ts';
import { createHttpClient, type HttpClient } from './http.ts';
import { type ListedModel, listedModels } from './model-list.ts';
import { chatBody, createChatDecoder } from './openai-chat.ts';
import { createResponsesDecoder, responsesBody } from './openai-responses.ts';
import type { DiscoveredModel, ProviderAdapter, ProviderCall } from './provider.ts';
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
  /** To share the sockets of a client that asks the same server for other things. */
  readonly http?: HttpClient | undefined;
}

/** No deadline of the SDK: it would end at the headers, and the attempt has better ones. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

export function createOpenAIAdapter(options: OpenAIOptions): ProviderAdapter {
  const { kind = 'openai', apiKey = '', http = createHttpClient(kind) } = options;
  const baseUrl = options.baseUrl || OPENAI_BASE_URL;
  const official = new URL(baseUrl).hostname.endsWith('api.openai.com');
  const api = options.api ?? (official ? 'responses' : 'chat');
  const context: ErrorContext = { provider: kind, apiKey };
  const client = createClient(baseUrl, apiKey, http);
  let includeUsage = true;

  function sendChat(call: ProviderCall, fetchOptions: Record<never, never>) {
    const headers = { 'X-Client-Request-Id': call.requestId };
    const send = () =>
      client.chat.completions
        .create(chatBody(call, { official, includeUsage }), { fetchOptions, headers })
        .asResponse();
    if (!includeUsage) return { asResponse: send };
    return {
      asResponse: () =>
        send().catch((error: unknown) => {
          if (!refusesUsage(error)) throw error;
          includeUsage = false;
          return send();
        }),
    };
  }

  return {
    kind,
    stream(call, signal) {
      const decoder: AnswerDecoder =
        api === 'chat' ? createChatDecoder(context) : stoppingAt(createResponsesDecoder(context), call.stop);
      return answerEvents({
        ...context,
        signal,
        decoder,
        send: fetchOptions =>
          api === 'chat'
            ? sendChat(call, fetchOptions)
            : client.responses.create(responsesBody(call), {
                fetchOptions,
                headers: { 'X-Client-Request-Id': call.requestId },
              }),
      });
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

function createClient(baseURL: string, apiKey: string, http: HttpClient): OpenAI {
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
    timeout: NO_TIMEOUT_MS,
    logLevel: 'off',
    fetch: http.fetch,
  });
}

/** An older compatible server that knows no `stream_options` says so in its refusal, before it did anything. */
function refusesUsage(error: unknown): boolean {
  return (
    error instanceof APIError &&
    (error.status === 400 || error.status === 422) &&
    /stream_options|include_usage/.test(`${error.param} ${error.message}`)
  );
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
