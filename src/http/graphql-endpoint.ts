// GraphQL over HTTP: what is refused before a body is read, one operation or a batch, as JSON or as an event stream.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Actor } from '../domain/access.ts';
import { type Answer, send, toAnswer } from './answer.ts';
import { declaredBytes, decodeUtf8, endAndClose, readBody } from './body.ts';
import { type EventStream, sendEvents, single } from './event-stream.ts';
import { BYTES_OF_AN_OPERATION, type Gate, principalOf, weightOf } from './gate.ts';
import { exceedsJsonBounds } from './json-bounds.ts';
import type { HttpLimits } from './limits.ts';
import { type Accepted, isJsonBody, JSON_TYPE, readAccept } from './media-types.ts';
import { refuseForm, refuseLogins, withStatus } from './operation-form.ts';
import { type ParamsOrError, parseJson, readParams, readUrlParams } from './operation-params.ts';
import { type OriginPolicy, passesCsrf } from './origin.ts';
import type { CallInfo, Operation, Pipeline, Refused, Transport } from './pipeline.ts';
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
  /** For whom it counts. */
  readonly principal: string;
}

export function createGraphQLEndpoint(deps: EndpointDeps): GraphQLEndpoint {
  const streams = new Set<EventStream>();
  return {
    async handle(request, response) {
      const accepted = readAccept(request.headers.accept);
      const early = refuseEarly(request, deps, accepted);
      if (early) return refuse(response, early, accepted, deps.limits);
      // Before the body: only who may use the server, and not too often, may make it read and parse one.
      const actor = await deps
        .authenticate(request.headers.authorization)
        .catch(error => deps.pipeline.failure(error));
      if (actor instanceof GraphQLError) return refuse(response, actor, accepted, deps.limits);
      const call = { actor, address: deps.addressOf(request) };
      const principal = principalOf(actor, call.address);
      const exchange = { request, response, accepted, call, principal };
      const closed = deps.gate.refuse(actor, call.address, 1);
      if (closed) return refuse(response, closed, accepted, deps.limits);
      const params = await readRequest(exchange, deps);
      if (params === undefined) return;
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

/** Undefined: it was refused, or the client has left. */
async function readRequest(exchange: Exchange, deps: EndpointDeps): Promise<RequestParams | undefined> {
  const { request, response, accepted, call, principal } = exchange;
  const { limits, gate } = deps;
  if (request.method === 'GET') {
    const search = request.url?.indexOf('?') ?? -1;
    return readUrlParams(search < 0 ? '' : request.url!.slice(search), limits.maxJsonDepth);
  }
  const maxBytes = call.actor ? limits.maxBodyBytes : limits.maxAnonymousBodyBytes;
  const bytes = await readBody(request, Math.min(maxBytes, limits.maxBodyBytes));
  if (bytes === 'gone') return undefined;
  if (bytes === 'too-large') {
    refuseBody(exchange, limits);
    return undefined;
  }
  if (gate.draining) {
    refuse(response, gate.refuse(null, '', 0)!, accepted, limits);
    return undefined;
  }
  gate.charge(principal, weightOf(bytes.length));
  return parseBody(bytes, limits);
}

function parseBody(bytes: Buffer, limits: HttpLimits): RequestParams {
  const text = decodeUtf8(bytes);
  if (text === undefined) return requestError('The body is not UTF-8.');
  if (exceedsJsonBounds(text, limits.maxJsonValues))
    return requestError(`The body has more than ${limits.maxJsonValues} values.`);
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
  exchange: Exchange,
  params: ParamsOrError,
  deps: EndpointDeps,
  streams: Set<EventStream>,
): Promise<void> {
  const { response, accepted } = exchange;
  const prepared = prepare(params, accepted.result ? 'http' : 'sse', exchange, deps);
  const denied =
    'errors' in prepared
      ? undefined
      : (refuseForm(exchange.request, prepared, accepted) ?? refuseLogins([prepared]));
  if (denied) return refuse(response, denied, accepted, deps.limits);
  const result = 'errors' in prepared ? { errors: prepared.errors } : await prepared.run();
  if (!(Symbol.asyncIterator in result)) {
    const answer = toAnswer(result, accepted.result ?? JSON_TYPE, deps.limits);
    if (!mayHold(exchange, answer, deps)) return;
    if (accepted.result || answer.status !== 200) send(response, answer);
    else await stream(single(result), response, deps, streams);
    return;
  }
  const held = deps.gate.openStream(exchange.principal);
  if (!(held instanceof GraphQLError)) return stream(result, response, deps, streams).finally(held);
  await result.return?.();
  refuse(response, held, accepted, deps.limits);
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
  exchange: Exchange,
  entries: readonly ParamsOrError[],
  deps: EndpointDeps,
): Promise<void> {
  const { request, response, accepted, call } = exchange;
  if (!accepted.result)
    return refuse(response, withStatus(406, 'A batch is answered as JSON.'), accepted, deps.limits);
  const closed = deps.gate.refuse(call.actor, call.address, entries.length - 1);
  if (closed) return refuse(response, closed, accepted, deps.limits);
  const prepared = entries.map(entry => prepare(entry, 'http', exchange, deps));
  const logins = refuseLogins(prepared);
  if (logins) return refuse(response, logins, accepted, deps.limits);
  const answers = await Promise.all(
    prepared.map(async operation => {
      if ('errors' in operation) return toAnswer({ errors: operation.errors }, JSON_TYPE, deps.limits);
      const denied = refuseForm(request, operation, { ...accepted, eventStream: false });
      const result = denied ? { errors: [denied] } : await operation.run();
      return toAnswer(result as ExecutionResult, JSON_TYPE, deps.limits);
    }),
  );
  const answer: Answer = {
    status: 200,
    headers: { 'content-type': `${accepted.result}; charset=utf-8` },
    body: `[${answers.map(({ body }) => body).join(',')}]`,
  };
  if (mayHold(exchange, answer, deps)) send(response, answer);
}

function prepare(
  params: ParamsOrError,
  transport: Transport,
  { call, principal }: Exchange,
  { pipeline, gate }: EndpointDeps,
): Operation | Refused {
  if (params instanceof GraphQLError) return { errors: [params], weight: 0 };
  const prepared = pipeline.prepare(params, { ...call, transport });
  gate.charge(principal, prepared.weight);
  return prepared;
}

/** A large answer counts as several operations, and is refused to whoever has left too much of others unread. */
function mayHold({ response, accepted, principal }: Exchange, { body }: Answer, deps: EndpointDeps): boolean {
  if (body.length <= BYTES_OF_AN_OPERATION) return true;
  deps.gate.charge(principal, weightOf(body.length));
  const release = deps.gate.unread.acquire(principal, body.length);
  if (release) response.once('close', release);
  else {
    const message = 'Too much of earlier answers is unread. Read them first.';
    refuse(response, refusal('RATE_LIMITED', message, { retryAfterMs: 1_000 }), accepted, deps.limits);
  }
  return release !== undefined;
}

function refuse(response: ServerResponse, error: GraphQLError, accepted: Accepted, limits: HttpLimits): void {
  const answer = toAnswer({ errors: [error] }, accepted.result ?? JSON_TYPE, limits);
  send(response, answer);
  // A body that nobody will read must not block the connection for the next request.
  response.req.resume();
}

function refuseBody({ request, response, accepted, call }: Exchange, limits: HttpLimits): void {
  const { maxBodyBytes, maxAnonymousBodyBytes } = limits;
  const error =
    call.actor || declaredBytes(request) > maxBodyBytes
      ? withStatus(413, `The body is over ${maxBodyBytes} bytes.`)
      : refusal(
          'UNAUTHENTICATED',
          `A body of more than ${maxAnonymousBodyBytes} bytes needs a valid token or API key.`,
        );
  const answer = toAnswer({ errors: [error] }, accepted.result ?? JSON_TYPE, limits);
  response.writeHead(answer.status, {
    ...answer.headers,
    connection: 'close',
    'content-length': Buffer.byteLength(answer.body),
  });
  endAndClose(request, response, answer.body);
}
