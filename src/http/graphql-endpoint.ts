// GraphQL over HTTP: what is refused before a body is read, one operation or a batch, as JSON or as an event stream.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Actor } from '../domain/access.ts';
import { send, toAnswer } from './answer.ts';
import { decodeUtf8, endAndClose, readBody } from './body.ts';
import { type EventStream, sendEvents, single } from './event-stream.ts';
import { type Gate, principalOf } from './gate.ts';
import type { HttpLimits } from './limits.ts';
import { type Accepted, EVENT_STREAM, isJsonBody, JSON_TYPE, readAccept } from './media-types.ts';
import { type ParamsOrError, parseJson, readParams, readUrlParams } from './operation-params.ts';
import { type OriginPolicy, passesCsrf } from './origin.ts';
import type { CallInfo, Operation, Pipeline, Refused } from './pipeline.ts';
import { refusal, requestError } from './refusals.ts';

export interface EndpointDeps {
  readonly pipeline: Pipeline;
  readonly authenticate: (authorization: string | undefined) => Promise<Actor | null>;
  readonly gate: Gate;
  readonly limits: HttpLimits;
  readonly origins: OriginPolicy;
  readonly addressOf: (request: IncomingMessage) => string;
}

export interface GraphQLEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends all event streams without `complete`. */
  cutStreams(): void;
  readonly streamCount: number;
}

/** What every step needs of one request. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly accepted: Accepted;
  readonly call: Omit<CallInfo, 'transport'>;
}

export function createGraphQLEndpoint(deps: EndpointDeps): GraphQLEndpoint {
  const streams = new Set<EventStream>();
  return {
    async handle(request, response) {
      const accepted = readAccept(request.headers.accept);
      const early = refuseEarly(request, deps, accepted);
      if (early) return refuse(response, early, accepted, deps.limits);
      const params = await readRequest(request, deps.limits);
      if (params === 'gone') return;
      if (params === 'too-large') return refuseBody({ request, response, accepted }, deps.limits);
      const actor = await deps
        .authenticate(request.headers.authorization)
        .catch(error => deps.pipeline.failure(error));
      if (actor instanceof GraphQLError) return refuse(response, actor, accepted, deps.limits);
      const exchange = { request, response, accepted, call: { actor, address: deps.addressOf(request) } };
      const closed = deps.gate.refuse(
        actor,
        exchange.call.address,
        Array.isArray(params) ? Math.max(1, params.length) : 1,
      );
      if (closed) return refuse(response, closed, accepted, deps.limits);
      const leave = deps.gate.enter();
      try {
        if (Array.isArray(params)) await runBatch(exchange, params, deps);
        else await runOne(exchange, params, deps, streams);
      } finally {
        leave();
      }
    },
    cutStreams() {
      for (const stream of streams) stream.cut();
    },
    get streamCount() {
      return streams.size;
    },
  };
}

function refuseEarly(
  request: IncomingMessage,
  { origins, gate }: EndpointDeps,
  accepted: Accepted,
): GraphQLError | undefined {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'POST') {
    return withStatus(405, `GraphQL is served by GET and POST.`, { allow: 'GET, POST, OPTIONS' });
  }
  if (!passesCsrf(request, origins)) {
    return refusal('FORBIDDEN', 'A page of another site needs a token, or to be listed as an origin.');
  }
  if (!accepted.result && !accepted.eventStream) {
    return withStatus(
      406,
      'Answers are application/graphql-response+json, application/json or text/event-stream.',
    );
  }
  if (method === 'POST') {
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity')
      return withStatus(415, 'Bodies must not be compressed.');
    if (!isJsonBody(headers['content-type']))
      return withStatus(415, 'The body must be application/json in UTF-8.');
  }
  // A stopping server reads no more bodies.
  return gate.draining ? gate.refuse(null, '', 0) : undefined;
}

type RequestParams = ParamsOrError | ParamsOrError[];

async function readRequest(
  request: IncomingMessage,
  limits: HttpLimits,
): Promise<RequestParams | 'too-large' | 'gone'> {
  if (request.method === 'GET') {
    const search = request.url?.indexOf('?') ?? -1;
    return readUrlParams(search < 0 ? '' : request.url!.slice(search), limits.maxJsonDepth);
  }
  const bytes = await readBody(request, limits.maxBodyBytes);
  if (!Buffer.isBuffer(bytes)) return bytes;
  const text = decodeUtf8(bytes);
  if (text === undefined) return requestError('The body is not UTF-8.');
  const json = parseJson(text);
  if (!('value' in json)) return json;
  if (!Array.isArray(json.value)) return readParams(json.value, limits.maxJsonDepth);
  if (json.value.length === 0) return requestError('A batch must not be empty.');
  if (json.value.length > limits.maxBatch) {
    return requestError(`A batch has at most ${limits.maxBatch} operations.`);
  }
  return json.value.map(entry => readParams(entry, limits.maxJsonDepth));
}

async function runOne(
  { request, response, accepted, call }: Exchange,
  params: ParamsOrError,
  deps: EndpointDeps,
  streams: Set<EventStream>,
): Promise<void> {
  const prepared = prepare(params, { ...call, transport: accepted.result ? 'http' : 'sse' }, deps);
  const denied =
    'errors' in prepared ? undefined : (refuseForm(request, prepared, accepted) ?? refuseLogins([prepared]));
  if (denied) return refuse(response, denied, accepted, deps.limits);
  const result = 'errors' in prepared ? prepared : await prepared.run();
  if (!(Symbol.asyncIterator in result)) {
    const answer = toAnswer(result, accepted.result ?? JSON_TYPE, deps.limits);
    if (accepted.result || answer.status !== 200) send(response, answer);
    else await stream(single(result), response, deps, streams);
    return;
  }
  const release = deps.gate.connections.acquire(principalOf(call.actor, call.address));
  if (!release) {
    await result.return?.();
    const tooMany = refusal('RATE_LIMITED', 'Too many open streams.', { retryAfterMs: 1_000 });
    return refuse(response, tooMany, accepted, deps.limits);
  }
  await stream(result, response, deps, streams).finally(release);
}

async function stream(
  results: AsyncIterableIterator<ExecutionResult>,
  response: ServerResponse,
  { limits }: EndpointDeps,
  streams: Set<EventStream>,
): Promise<void> {
  const events = sendEvents(response, results, limits);
  streams.add(events);
  await events.ended.finally(() => streams.delete(events));
}

async function runBatch(
  { request, response, accepted, call }: Exchange,
  entries: readonly ParamsOrError[],
  deps: EndpointDeps,
): Promise<void> {
  if (!accepted.result)
    return refuse(response, withStatus(406, 'A batch is answered as JSON.'), accepted, deps.limits);
  const prepared = entries.map(entry => prepare(entry, { ...call, transport: 'http' }, deps));
  const logins = refuseLogins(prepared);
  if (logins) return refuse(response, logins, accepted, deps.limits);
  const answers = await Promise.all(
    prepared.map(async operation => {
      if ('errors' in operation) return toAnswer(operation, JSON_TYPE, deps.limits);
      const denied = refuseForm(request, operation, { ...accepted, eventStream: false });
      const result = denied ? { errors: [denied] } : await operation.run();
      return toAnswer(result as ExecutionResult, JSON_TYPE, deps.limits);
    }),
  );
  send(response, {
    status: 200,
    headers: { 'content-type': `${accepted.result}; charset=utf-8` },
    body: `[${answers.map(answer => answer.body).join(',')}]`,
  });
}

function prepare(params: ParamsOrError, call: CallInfo, { pipeline }: EndpointDeps): Operation | Refused {
  return params instanceof GraphQLError ? { errors: [params] } : pipeline.prepare(params, call);
}

/** The operation does not fit the method, or its answer the Accept header. */
function refuseForm(
  request: IncomingMessage,
  { kind }: Operation,
  accepted: Accepted,
): GraphQLError | undefined {
  if (kind === 'mutation' && request.method === 'GET') {
    return withStatus(405, 'Mutations are served by POST only.', { allow: 'POST' });
  }
  if (kind === 'subscription' && !accepted.eventStream) {
    return withStatus(406, `Subscriptions are answered as ${EVENT_STREAM}, alone and not in a batch.`);
  }
  return undefined;
}

/** One request is one try: neither aliases nor a batch may try many passwords at once. */
function refuseLogins(prepared: readonly (Operation | Refused)[]): GraphQLError | undefined {
  let logins = 0;
  for (const operation of prepared)
    if ('rootFields' in operation) for (const name of operation.rootFields) if (name === 'login') logins += 1;
  return logins > 1 ? requestError('At most one login is accepted in a request.') : undefined;
}

function withStatus(status: number, message: string, headers: Record<string, string> = {}): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'BAD_USER_INPUT', retryable: false, http: { status, headers } },
  });
}

function refuse(response: ServerResponse, error: GraphQLError, accepted: Accepted, limits: HttpLimits): void {
  const answer = toAnswer({ errors: [error] }, accepted.result ?? JSON_TYPE, limits);
  send(response, answer);
  // A body that nobody will read must not block the connection for the next request.
  response.req.resume();
}

function refuseBody(
  { request, response, accepted }: Pick<Exchange, 'request' | 'response' | 'accepted'>,
  limits: HttpLimits,
): void {
  const error = withStatus(413, `The body is over ${limits.maxBodyBytes} bytes.`);
  const answer = toAnswer({ errors: [error] }, accepted.result ?? JSON_TYPE, limits);
  response.writeHead(answer.status, {
    ...answer.headers,
    connection: 'close',
    'content-length': Buffer.byteLength(answer.body),
  });
  endAndClose(request, response, answer.body);
}
