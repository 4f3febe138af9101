// Carries operations to the server: queries and mutations over HTTP, subscriptions over one shared WebSocket.
// Needs the platform's fetch and WebSocket and nothing of the server's code.

import { createClient as createSocketClient, type Client as SocketClient } from 'graphql-ws';
import { fromGraphQLErrors, fromSocketEnd, isMcplaneError, McplaneError } from './errors.ts';

/** A document and, for the compiler only, the types of its result and variables. */
export interface TypedDocument<Result, Variables> {
  toString(): string;
  readonly __apiType?: (variables: Variables) => Result;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  request<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables?: Variables,
    options?: CallOptions,
  ): Promise<Result>;
  /** Subscribes at the first `next()`; leaving the iteration unsubscribes. */
  subscribe<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables?: Variables,
    options?: CallOptions,
  ): AsyncIterableIterator<Result>;
  dispose(): Promise<void>;
}

export type Credential = string | (() => string | undefined | Promise<string | undefined>);

export interface TransportOptions {
  /** `http://host:port`, or the whole address of the endpoint. */
  readonly url: string;
  /** A session token or an API key, or a function that is asked for it at every call and connection. */
  readonly credential?: Credential | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** A WebSocket class, where the platform has none. */
  readonly webSocketImpl?: unknown;
}

/** How often the server is asked whether it is still there, and how long it may take to say so. */
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;

export function createTransport(options: TransportOptions): Transport {
  const endpoint = endpointOf(options.url);
  const send = options.fetch ?? fetch;
  const credential = async () =>
    typeof options.credential === 'function' ? options.credential() : options.credential;
  let socket: SocketClient | undefined;

  return {
    async request(document, variables, { signal } = {}) {
      const secret = await credential();
      const body = JSON.stringify({ query: document.toString(), variables });
      const headers = {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...(secret ? { authorization: `Bearer ${secret}` } : {}),
      };
      const response = await send(endpoint, { method: 'POST', headers, body, signal: signal ?? null }).catch(
        error => {
          throw fromFetchFailure(error, signal, endpoint);
        },
      );
      return readAnswer(response, signal, endpoint);
    },
    subscribe(document, variables, { signal } = {}) {
      return receive(
        () => (socket ??= openSocket(endpoint, credential, options.webSocketImpl)),
        // The client serialises this object anew whenever it subscribes.
        { query: document.toString(), variables: variables as Record<string, unknown> },
        signal,
      );
    },
    async dispose() {
      await socket?.dispose();
      socket = undefined;
    },
  };
}

function endpointOf(url: string): string {
  const endpoint = new URL(url);
  if (endpoint.pathname === '/') endpoint.pathname = '/graphql';
  return endpoint.href;
}

function fromFetchFailure(error: unknown, signal: AbortSignal | undefined, endpoint: string): McplaneError {
  if (signal?.aborted) return aborted(signal);
  const reason = (error as { cause?: { code?: unknown } }).cause?.code;
  return new McplaneError(
    `No answer from ${new URL(endpoint).origin}${typeof reason === 'string' ? ` (${reason})` : ''}`,
    {
      code: 'NETWORK',
      retryable: true,
      cause: error,
    },
  );
}

export function aborted(signal: AbortSignal): McplaneError {
  return new McplaneError('The call was aborted by its caller', { code: 'ABORTED', cause: signal.reason });
}

async function readAnswer<Result>(
  response: Response,
  signal: AbortSignal | undefined,
  endpoint: string,
): Promise<Result> {
  const text = await response.text().catch(error => {
    throw fromFetchFailure(error, signal, endpoint);
  });
  let answer: { data?: Result; errors?: { message: string }[] };
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new McplaneError(`The answer is not GraphQL (HTTP ${response.status})`, {
      code: 'BAD_RESPONSE',
      retryable: response.status >= 500,
      cause,
    });
  }
  if (answer.errors?.length) throw fromGraphQLErrors(answer.errors);
  if (answer.data == null)
    throw new McplaneError(`The answer has no data (HTTP ${response.status})`, { code: 'BAD_RESPONSE' });
  return answer.data;
}

function openSocket(
  endpoint: string,
  credential: () => Promise<string | undefined>,
  webSocketImpl: unknown,
): SocketClient {
  let pongTimeout: ReturnType<typeof setTimeout> | undefined;
  const client = createSocketClient({
    url: endpoint.replace(/^http/, 'ws'),
    // The timer of a longer one outlives dispose() and would keep a finished program from ending.
    lazyCloseTimeout: 0,
    keepAlive: PING_EVERY_MS,
    // Whoever subscribes decides whether and from where to go on.
    retryAttempts: 0,
    connectionParams: async () => {
      const secret = await credential();
      return secret ? { authorization: `Bearer ${secret}` } : {};
    },
    on: {
      ping: received => {
        if (!received) pongTimeout = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: received => {
        if (received) clearTimeout(pongTimeout);
      },
      closed: () => clearTimeout(pongTimeout),
    },
    ...(webSocketImpl === undefined ? {} : { webSocketImpl }),
  });
  return client;
}

/** Values that may wait for a consumer before the subscription is given up. */
const MAX_WAITING = 1_000;

/** One subscription as an iterator. */
function receive<Result>(
  socket: () => SocketClient,
  payload: { query: string; variables: Record<string, unknown> },
  signal: AbortSignal | undefined,
): AsyncIterableIterator<Result> {
  const waiting: Result[] = [];
  let end: { readonly error?: McplaneError } | undefined;
  let wake = () => {};
  let unsubscribe: (() => void) | undefined;

  function finish(how: { readonly error?: McplaneError }): void {
    if (end) return;
    end = how;
    signal?.removeEventListener('abort', onAbort);
    unsubscribe?.();
    wake();
  }
  function onAbort(): void {
    waiting.length = 0;
    finish({ error: aborted(signal!) });
  }
  function start(): () => void {
    signal?.addEventListener('abort', onAbort, { once: true });
    return socket().subscribe<Result>(payload, {
      next: ({ data, errors }) => {
        if (end) return;
        if (errors) return finish({ error: fromGraphQLErrors(errors) });
        waiting.push(data!);
        if (waiting.length >= MAX_WAITING)
          finish({
            error: new McplaneError('The consumer is too slow', { code: 'SLOW_CONSUMER', retryable: true }),
          });
        wake();
      },
      error: reason => finish({ error: toError(reason) }),
      complete: () => finish({}),
    });
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (signal?.aborted && !end) onAbort();
      if (!end) unsubscribe ??= start();
      while (waiting.length === 0 && !end) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
      if (waiting.length > 0) return { done: false, value: waiting.shift()! };
      const error = end?.error;
      // Thrown once; from then on the iteration is over.
      end = {};
      if (error) throw error;
      return { done: true, value: undefined };
    },
    async return() {
      waiting.length = 0;
      finish({});
      return { done: true, value: undefined };
    },
  };
}

function toError(reason: unknown): McplaneError {
  if (isMcplaneError(reason)) return reason;
  return Array.isArray(reason) ? fromGraphQLErrors(reason) : fromSocketEnd(reason);
}
