// The adapters for Ollama and LM Studio: answers through their OpenAI-compatible endpoints, models through their own
// lists, which tell context sizes and which models answer prompts at all.

import { z } from 'zod';
import { toProviderError } from './errors.ts';
import type { AddressPolicy } from './guarded-connect.ts';
import { createHttpClient, type HttpClient, transport } from './http.ts';
import { createOpenAIAdapter } from './openai.ts';
import type { DiscoveredModel, ProviderAdapter } from './provider.ts';
import { ProviderError } from './provider-error.ts';

export type LocalKind = 'ollama' | 'lmstudio';

export interface LocalOptions {
  readonly kind: LocalKind;
  /** As OLLAMA_HOST allows it: with or without scheme, port and a path `/v1`. Absent: the default port here. */
  readonly baseUrl?: string | undefined;
  /** Only a server that was told to ask for one needs it. */
  readonly apiKey?: string | undefined;
  /** Where it may connect to; absent: wherever the base URL says. */
  readonly addresses?: AddressPolicy | undefined;
}

export const DEFAULT_PORTS: Readonly<Record<LocalKind, number>> = { ollama: 11_434, lmstudio: 1_234 };

export function createLocalAdapter({ kind, baseUrl, apiKey, addresses }: LocalOptions): ProviderAdapter {
  const root = localBaseUrl(kind, baseUrl);
  const http = createHttpClient(kind, addresses);
  const openai = createOpenAIAdapter({ kind, baseUrl: `${root}/v1`, apiKey, api: 'chat', http });
  const native: NativeApi = {
    kind,
    get: (path, signal) => request(http, `${root}${path}`, { apiKey, signal, kind }),
    post: (path, signal, body) => request(http, `${root}${path}`, { apiKey, signal, kind, body }),
  };
  return {
    ...openai,
    async listModels(signal) {
      const listed = await (kind === 'ollama' ? ollamaModels : lmstudioModels)(native, signal);
      return listed ?? openai.listModels(signal);
    },
  };
}

/** The root of a local server, without path. An address that only a listener can have means this machine. */
export function localBaseUrl(kind: LocalKind, host: string | undefined): string {
  const given = host?.trim() || `127.0.0.1:${DEFAULT_PORTS[kind]}`;
  const url = new URL(
    given.includes('://') ? given : `http://${given.startsWith(':') ? '127.0.0.1' : ''}${given}`,
  );
  // With a scheme the scheme's port counts, as in Ollama's own client; without one, the server's.
  if (!given.includes('://') && !hasPort(given)) url.port = String(DEFAULT_PORTS[kind]);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '');
}

function hasPort(host: string): boolean {
  return /:\d+(\/|$)/.test(host);
}

interface NativeApi {
  readonly kind: LocalKind;
  /** Parsed JSON; undefined when the server has no such path. */
  get(path: string, signal: AbortSignal): Promise<unknown>;
  post(path: string, signal: AbortSignal, body: object): Promise<unknown>;
}

interface NativeCall {
  readonly kind: LocalKind;
  readonly signal: AbortSignal;
  readonly apiKey: string | undefined;
  readonly body?: object;
}

async function request(http: HttpClient, url: string, call: NativeCall): Promise<unknown> {
  const { kind, signal, apiKey, body } = call;
  try {
    const response = await http.fetch(url, {
      method: body ? 'POST' : 'GET',
      headers: {
        accept: 'application/json',
        ...(body && { 'content-type': 'application/json' }),
        ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
      ...transport({ signal }),
    });
    const answer = await response.text();
    if (response.status === 404 || response.status === 405) return undefined;
    if (!response.ok) throw Object.assign(new Error(answer), { status: response.status });
    return JSON.parse(answer);
  } catch (error) {
    signal.throwIfAborted();
    throw toProviderError(error, { provider: kind, apiKey: apiKey ?? '' });
  }
}

const count = z.number().int().positive().nullish().catch(undefined);
const ollamaTags = z.object({ models: z.array(z.object({ name: z.string() })) });
const ollamaRunning = z.object({
  models: z.array(z.object({ name: z.string(), context_length: count })).catch([]),
});
const ollamaDetails = z.object({
  capabilities: z.array(z.string()).nullish(),
  parameters: z.string().nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
});

/** Ollama loads a model with less context than it was made for, so what a loaded one has goes first. */
async function ollamaModels(native: NativeApi, signal: AbortSignal): Promise<DiscoveredModel[] | undefined> {
  const tags = parse(ollamaTags, await native.get('/api/tags', signal), native);
  if (!tags) return undefined;
  const running = parse(ollamaRunning, await native.get('/api/ps', signal), native)?.models ?? [];
  const found = await Promise.all(
    tags.models.map(async ({ name }) => {
      const shown = await native.post('/api/show', signal, { model: name });
      const details = parse(ollamaDetails, shown, native);
      if (details?.capabilities && !details.capabilities.includes('completion')) return undefined;
      const loaded = running.find(each => each.name === name)?.context_length;
      const contextWindow = loaded ?? configuredContext(details);
      return { model: name, contextWindow };
    }),
  );
  return found.filter(model => model !== undefined);
}

function configuredContext(details: z.infer<typeof ollamaDetails> | undefined): number | undefined {
  const [, configured] = details?.parameters?.match(/^num_ctx\s+(\d+)/m) ?? [];
  if (configured) return Number(configured);
  const [, trained] =
    Object.entries(details?.model_info ?? {}).find(([key]) => key.endsWith('.context_length')) ?? [];
  return typeof trained === 'number' ? trained : undefined;
}

const lmstudioNative = z.object({
  models: z.array(
    z.object({
      key: z.string(),
      type: z.string().nullish(),
      max_context_length: count,
      loaded_instances: z
        .array(z.object({ config: z.object({ context_length: count }).nullish() }))
        .nullish()
        .catch(undefined),
    }),
  ),
});
const lmstudioEarlier = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      type: z.string().nullish(),
      max_context_length: count,
      loaded_context_length: count,
    }),
  ),
});

/** LM Studio answers an unknown path with 200 and an error, so the shape decides which list there is. */
async function lmstudioModels(
  native: NativeApi,
  signal: AbortSignal,
): Promise<DiscoveredModel[] | undefined> {
  const current = lmstudioNative.safeParse(await native.get('/api/v1/models', signal));
  if (current.success)
    return current.data.models
      .filter(({ type }) => !type?.startsWith('embedding'))
      .map(({ key, max_context_length: max, loaded_instances: loaded }) => ({
        model: key,
        contextWindow: loaded?.[0]?.config?.context_length ?? max ?? undefined,
      }));
  const earlier = lmstudioEarlier.safeParse(await native.get('/api/v0/models', signal));
  if (!earlier.success) return undefined;
  return earlier.data.data
    .filter(({ type }) => !type?.startsWith('embedding'))
    .map(({ id, max_context_length: max, loaded_context_length: loaded }) => ({
      model: id,
      contextWindow: loaded ?? max ?? undefined,
    }));
}

function parse<T>(schema: z.ZodType<T>, answer: unknown, { kind }: NativeApi): T | undefined {
  if (answer === undefined) return undefined;
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new ProviderError('bad-response', `${kind} sent a model list of another format`);
}
