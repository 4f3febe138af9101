// The way to a provider's server: a lean `fetch` for the SDKs over undici's dispatcher, without the WHATWG streams
// that cost more than the rest of a call. Sockets are kept alive per origin; redirects and compressed bodies are
// refused; only headers we know leave the process. No deadlines here: the signal ends a call at any point.

import { Agent, type Dispatcher } from 'undici';
import { type BodyFeed, createBody, type UpstreamBody } from './body.ts';
import { transportError } from './errors.ts';
import { ProviderError } from './provider-error.ts';

export interface HttpClient {
  /** For the `fetch` option of an SDK; the call's `fetchOptions` must come from `transport()`. */
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/** What a call needs of the connection. */
export interface Transport {
  readonly signal: AbortSignal;
  /** The connection stands and the request is about to be written to it. */
  readonly onConnected?: () => void;
}

/** `fetchOptions` of an SDK call: the SDKs hand them on to `fetch` untouched, beside a signal that we ignore. */
export function transport(options: Transport): Record<never, never> {
  return { [TRANSPORT]: options };
}

/** The body of a response of this client, to be read without the SDK. */
export function bodyOf(response: Response): UpstreamBody {
  return response.body as unknown as UpstreamBody;
}

const TRANSPORT = Symbol('transport');

/** A backstop for sockets whose caller has long gone; the connect deadline of an attempt is shorter. */
const CONNECT_TIMEOUT_MS = 30_000;
/** Below the idle limits usual in front of providers (60 s and more); a server's own hint goes first. */
const KEEP_ALIVE_MS = 30_000;
/** A model list of a thousand entries has about 1 MB. */
const MAX_JSON_BYTES = 16_000_000;
/** Error bodies beyond this are pages for people; what matters comes first. */
const MAX_ERROR_BYTES = 64_000;

/** The SDKs add headers about this machine, and any that an environment variable of theirs names. */
const SENT_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'anthropic-version',
  'authorization',
  'content-type',
  'user-agent',
  'x-client-request-id',
]);

export function createHttpClient(provider: string): HttpClient {
  const agent = new Agent({
    // One stream, one connection: ending a stream closes it, and a broken connection breaks one answer only.
    allowH2: false,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async function fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const url = new URL(input instanceof Request ? input.url : input);
    const options = (init as { [TRANSPORT]?: Transport })[TRANSPORT];
    if (!options) throw new TypeError('transport() is missing in the fetch options');
    options.signal.throwIfAborted();
    const { status, headers, body } = await exchange(agent, provider, requestOf(url, init), options);
    const refusal = refusalOf(provider, status, headers);
    if (refusal) {
      body.destroy();
      throw refusal;
    }
    return responseOf(provider, { url: url.href, status, headers, body });
  }

  return { fetch, close: () => agent.destroy() };
}

function requestOf(url: URL, init: RequestInit): Dispatcher.DispatchOptions {
  const headers: string[] = [];
  for (const [name, value] of new Headers(init.headers))
    if (SENT_HEADERS.has(name)) headers.push(name, value);
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
    headers,
    body: (init.body ?? null) as string | null,
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: UpstreamBody;
}

/** One request and the head of its response; what comes after is fed to the body. */
function exchange(
  agent: Agent,
  provider: string,
  request: Dispatcher.DispatchOptions,
  { signal, onConnected }: Transport,
): Promise<Answer> {
  const head = Promise.withResolvers<Answer>();
  let controller: Dispatcher.DispatchController | undefined;
  let feed: BodyFeed | undefined;

  function abort(): void {
    // First our reason, then the socket, whose end would otherwise be taken for the cause.
    fail(signal.reason);
    controller?.abort(asError(signal.reason));
  }
  function fail(error: unknown): void {
    signal.removeEventListener('abort', abort);
    head.reject(error);
    feed?.fail(error);
  }
  signal.addEventListener('abort', abort, { once: true });

  agent.dispatch(request, {
    onRequestStart(started) {
      controller = started;
      // Aborted while it waited for its connection: undici knows nothing of it yet.
      if (signal.aborted) started.abort(asError(signal.reason));
      else onConnected?.();
    },
    onResponseStart(started, status, headers) {
      if (status < 200) return;
      feed = createBody(started, () => signal.removeEventListener('abort', abort));
      head.resolve({ status, headers: toHeaders(headers), body: feed.body });
    },
    onResponseData: (_started, chunk) => feed?.push(chunk),
    onResponseEnd: () => feed?.end(),
    onResponseError: (_started, error) => fail(transportError(provider, error, feed !== undefined)),
  });
  return head.promise;
}

function toHeaders(received: NodeJS.Dict<string | string[]>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received))
    for (const single of Array.isArray(value) ? value : [value ?? '']) headers.append(name, single);
  return headers;
}

/** What is refused by its head alone. A redirect would carry the prompt and the key to another place. */
function refusalOf(provider: string, status: number, headers: Headers): ProviderError | undefined {
  if (status >= 300 && status < 400)
    return new ProviderError('bad-response', `${provider} answered with a redirect`, { status });
  const encoding = headers.get('content-encoding');
  // A refusal says enough by its status, even when its words cannot be read.
  if (status < 300 && encoding && encoding !== 'identity')
    return new ProviderError('bad-response', `${provider} sent a compressed answer, which was not asked for`);
  return undefined;
}

/** As much of a `Response` as the SDKs use. */
function responseOf(provider: string, { url, status, headers, body }: Answer & { url: string }): Response {
  const ok = status < 300;
  async function text(): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for (let chunk = await body.read(); chunk; chunk = await body.read()) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= (ok ? MAX_JSON_BYTES : MAX_ERROR_BYTES)) continue;
      body.destroy();
      if (ok) throw new ProviderError('bad-response', `${provider} sent an oversized answer`);
      break;
    }
    return Buffer.concat(chunks).toString();
  }
  const response = {
    ok,
    status,
    statusText: '',
    url,
    headers,
    body,
    text,
    json: async () => JSON.parse(await text()),
  };
  return response as unknown as Response;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
