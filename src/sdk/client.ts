// The entry of the SDK: every operation as a typed method, and streams that survive lost connections.

import { isMcplaneError } from './errors.ts';
import type { SubmitRequestInput, SubmitRequestMutation } from './generated/graphql.ts';
import { getSdk, type Sdk } from './generated/sdk.ts';
import { createModelStream, type ModelStream, type StreamOptions } from './stream.ts';
import {
  type CallOptions,
  type Credential,
  createTransport,
  type TransportOptions,
  type TypedDocument,
} from './transport.ts';

export { isMcplaneError, McplaneError } from './errors.ts';
export type { Final, ModelStream, StreamEvent, StreamOptions } from './stream.ts';
export type { Credential } from './transport.ts';

export interface ClientOptions extends Pick<TransportOptions, 'url' | 'fetch' | 'webSocketImpl'> {
  /** A session token, or a function that returns one. */
  readonly token?: Credential | undefined;
  readonly apiKey?: Credential | undefined;
}

export interface SubmitOptions extends StreamOptions {
  /** Called once the request is durable, with its place in the queue if it has to wait. */
  readonly onAccepted?: ((request: SubmittedRequest) => void) | undefined;
}

export type SubmittedRequest = SubmitRequestMutation['submitRequest']['request'];

export interface Client extends Sdk {
  /** Submits the request at the first use of the stream, and follows it. */
  stream(input: SubmitRequestInput, options?: SubmitOptions): ModelStream;
  /** Follows a request that was submitted before, from its start or from `options.after`. */
  follow(requestId: string, options?: StreamOptions): ModelStream;
  /** An operation of one's own. */
  query<Result, Variables>(
    document: TypedDocument<Result, Variables> | string,
    variables?: Variables,
    options?: CallOptions,
  ): Promise<Result>;
  /** Closes the socket. */
  dispose(): Promise<void>;
}

/** Tries of a submission whose answer was lost; its idempotency key makes them one request. */
const SUBMIT_TRIES = 3;
const SUBMIT_PAUSE_MS = 250;

export function createClient(options: ClientOptions): Client {
  const { token, apiKey, ...rest } = options;
  const transport = createTransport({ ...rest, credential: token ?? apiKey });
  const sdk = getSdk(transport);

  async function submit(input: SubmitRequestInput, { signal, onAccepted }: SubmitOptions): Promise<string> {
    const idempotencyKey = input.idempotencyKey ?? crypto.randomUUID();
    for (let tries = 1; ; tries++) {
      try {
        const result = await sdk.submitRequest({ input: { ...input, idempotencyKey } }, { signal });
        const { request } = result.submitRequest;
        onAccepted?.(request);
        return request.id;
      } catch (error) {
        if (!isMcplaneError(error) || !error.retryable || tries >= SUBMIT_TRIES) throw error;
        await new Promise(resolve => setTimeout(resolve, error.retryAfterMs ?? SUBMIT_PAUSE_MS * tries));
      }
    }
  }
  function streamOf(begin: () => Promise<string>, streamOptions: StreamOptions | undefined): ModelStream {
    return createModelStream(
      {
        begin,
        async *open(requestId, after, signal) {
          for await (const { tokenStream } of sdk.tokenStream(
            { requestId, after: after ?? null },
            { signal },
          ))
            yield tokenStream;
        },
        outputOf: async id => (await sdk.request({ id })).request?.output ?? '',
        cancel: requestId => sdk.cancelRequest({ input: { requestId } }),
      },
      streamOptions,
    );
  }

  return {
    ...sdk,
    stream: (input, streamOptions = {}) => streamOf(() => submit(input, streamOptions), streamOptions),
    follow: (requestId, streamOptions) => streamOf(async () => requestId, streamOptions),
    query: (document, variables, callOptions) => transport.request(document as never, variables, callOptions),
    dispose: () => transport.dispose(),
  };
}
