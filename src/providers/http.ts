// The way to a provider's server, over undici's dispatcher and without the WHATWG streams that cost more than the rest
// of a call. Sockets are kept alive per origin; redirects and compressed bodies are refused; only headers we know leave
// the process. No deadlines here: the signal ends a call at any point.

import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import { type AddressPolicy, guardedConnector } from './guarded-connect.ts';
import { ProviderError } from './provider-error.ts';
import { UpstreamCall, type UpstreamListener } from './upstream-call.ts';

export interface HttpClient {
  /** Sends a request; what comes back goes to the listener as it comes. */
  send(request: UpstreamRequest, listener: UpstreamListener, signal: AbortSignal): UpstreamCall;
  /** For the `fetch` option of an SDK: small answers, read whole. Its signal comes with `transport()`. */
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/** Where a request goes and what it says; names and values of the headers take turns. */
export interface UpstreamRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: readonly string[];
  readonly body: string | null;
}

/** `fetchOptions` of an SDK call: the SDKs hand them on to `fetch` untouched, beside a signal that we ignore. */
export function transport(options: { readonly signal: AbortSignal }): Record<never, never> {
  return { [TRANSPORT]: options.signal };
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

/** `addresses`: where it may connect to; absent: wherever it is told to. */
export function createHttpClient(provider: string, addresses?: AddressPolicy): HttpClient {
  const agent = new Agent({
    // One stream, one connection: ending a stream closes it, and a broken connection breaks one answer only.
    allowH2: false,
    pipelining: 1,
    connect: addresses
      ? guardedConnector(addresses, { allowH2: false, timeout: CONNECT_TIMEOUT_MS })
      : { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  function send(request: UpstreamRequest, listener: UpstreamListener, signal: AbortSignal): UpstreamCall {
    const call = new UpstreamCall(provider, listener, signal);
    // undici takes the headers for its own, but does not change them.
    if (!signal.aborted) agent.dispatch(request as Dispatcher.DispatchOptions, call);
    return call;
  }

  async function fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const signal = (init as { [TRANSPORT]?: AbortSignal })[TRANSPORT];
    if (!signal) throw new TypeError('transport() is missing in the fetch options');
    const answer = new WholeAnswer(provider);
    await send(requestOf(input, init), answer, signal).ended.catch(error => {
      if (!isEnough(error)) throw error;
    });
    return answer.response();
  }

  return { send, fetch, close: () => agent.destroy() };
}

/** What an SDK asks `fetch` to send, without the headers that are nobody's business. */
export function requestOf(input: string | URL | Request, init: RequestInit): UpstreamRequest {
  const url = new URL(input instanceof Request ? input.url : input);
  const headers: string[] = [];
  for (const [name, value] of new Headers(init.headers))
    if (SENT_HEADERS.has(name)) headers.push(name, value);
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: init.method?.toUpperCase() === 'POST' ? 'POST' : 'GET',
    headers,
    body: (init.body ?? null) as string | null,
  };
}

/** Throws for what is refused by its head alone. A redirect would carry the prompt and the key to another place. */
export function refuseHead(provider: string, status: number, headers: IncomingHttpHeaders): void {
  if (status >= 300 && status < 400)
    throw new ProviderError('bad-response', `${provider} answered with a redirect`, { status });
  const encoding = headers['content-encoding'];
  // A refusal says enough by its status, even when its words cannot be read.
  if (status < 300 && encoding && encoding !== 'identity')
    throw new ProviderError('bad-response', `${provider} sent a compressed answer, which was not asked for`);
}

function toHeaders(received: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received))
    for (const single of Array.isArray(value) ? value : [value ?? '']) headers.append(name, single);
  return headers;
}

/** Ends a call whose answer is longer than is wanted, and good for something all the same. */
const ENOUGH = new Error('The rest is not wanted');

/** Collects a body of bounded size. */
export class WholeAnswer implements UpstreamListener {
  readonly #provider: string;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: IncomingHttpHeaders = {};

  constructor(provider: string) {
    this.#provider = provider;
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    refuseHead(this.#provider, status, headers);
    this.#status = status;
    this.#headers = headers;
  }

  onChunk(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#status >= 300 && this.#bytes > MAX_ERROR_BYTES) throw ENOUGH;
    if (this.#bytes > MAX_JSON_BYTES)
      throw new ProviderError('bad-response', `${this.#provider} sent an oversized answer`);
  }

  get status(): number {
    return this.#status;
  }

  get headers(): Headers {
    return toHeaders(this.#headers);
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  /** As much of a `Response` as the SDKs use. */
  response(): Response {
    const { status, headers } = this;
    const text = async () => this.text();
    const json = async () => JSON.parse(this.text());
    return { ok: status < 300, status, statusText: '', headers, text, json } as unknown as Response;
  }
}

/** Was the call ended because enough of its answer had come? */
export function isEnough(error: unknown): boolean {
  return error === ENOUGH;
}
