// GraphQL over WebSocket (subprotocol graphql-transport-ws): who may open a socket, and what each of its operations
// does. graphql-ws speaks the protocol, the pipeline runs the operations; the bounds of a socket are in socket.ts.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
} from 'graphql';
import { type Context as ConnectionContext, makeServer, type SubscribePayload } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Members } from '../control/members.ts';
import type { Actor } from '../domain/access.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { presentResult } from './answer.ts';
import type { Authenticator } from './authentication.ts';
import { DRAIN_RETRY_MS, type Gate, principalOf } from './gate.ts';
import type { HttpLimits } from './limits.ts';
import { readParams } from './operation-params.ts';
import type { OriginPolicy } from './origin.ts';
import { createPeerWatch } from './peer-watch.ts';
import type { Operation, Pipeline } from './pipeline.ts';
import { createLedger } from './rate-limit.ts';
import { presentErrors, refusal } from './refusals.ts';
import { CLOSE, createSockets, type Socket } from './socket.ts';

export interface SocketServerDeps {
  readonly pipeline: Pipeline;
  readonly authenticateSocket: Authenticator['authenticateSocket'];
  readonly members: Pick<Members, 'onCredentialEnd'>;
  readonly gate: Gate;
  readonly limits: HttpLimits;
  readonly origins: OriginPolicy;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SocketServer {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes all sockets so that stock clients come back elsewhere (1012), and cuts those that do not close. */
  close(): Promise<void>;
  readonly socketCount: number;
  readonly subscriptionCount: number;
}

/** What the operations of one socket share. */
interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Of the upgrade; let go when it has signed in, since the request keeps more than the socket itself does. */
  headers: IncomingHttpHeaders | undefined;
  readonly initialised: () => void;
  actor: Actor | null;
  release: (() => void) | undefined;
  stopWatching: (() => void) | undefined;
  subscriptions: number;
  operations: number;
}

const PROTOCOL = 'graphql-transport-ws';
/** Frames of one message. */
const MAX_FRAGMENTS = 1_024;

export function createSocketServer(deps: SocketServerDeps): SocketServer {
  const { limits, gate, origins, addressOf } = deps;
  const connections = new Set<Connection>();
  const peers = createPeerWatch(limits, deps.clock);
  const newcomers = createLedger(limits.maxNewSocketsPerAddress);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.maxSocketMessageBytes,
    perMessageDeflate: false,
    // Small pieces of a message cost more memory than what is in them.
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: 4 * MAX_FRAGMENTS,
    handleProtocols: offered => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  const protocol = createProtocol(deps);

  const createSocket = createSockets({ ...deps, peers });

  function attach(webSocket: WebSocket, request: IncomingMessage, initialised: () => void): void {
    const connection: Connection = {
      socket: createSocket({ socket: webSocket, connection: request.socket, onClose }),
      address: addressOf(request),
      headers: request.headers,
      initialised,
      actor: null,
      release: undefined,
      stopWatching: undefined,
      subscriptions: 0,
      operations: 0,
    };
    connections.add(connection);
    const closed = protocol.opened(connection.socket, connection);
    function onClose(code: number, reason: string): void {
      connections.delete(connection);
      connection.initialised();
      connection.release?.();
      connection.stopWatching?.();
      void closed(code, reason);
    }
  }

  return {
    upgrade(request, socket, head) {
      socket.on('error', ignore);
      if (request.url?.split('?')[0] !== '/graphql') return reject(socket, '404 Not Found');
      if (origins.isForeign(request)) return reject(socket, '403 Forbidden');
      if (gate.draining || connections.size >= limits.maxSockets)
        return reject(socket, '503 Service Unavailable');
      const initialised = newcomers.acquire(addressOf(request));
      if (!initialised) return reject(socket, '503 Service Unavailable');
      socket.once('close', initialised);
      sockets.handleUpgrade(request, socket, head, webSocket => attach(webSocket, request, initialised));
    },
    async close() {
      await Promise.all([...connections].map(({ socket }) => socket.end(CLOSE.restart, 'Service restart')));
    },
    get socketCount() {
      return connections.size;
    },
    get subscriptionCount() {
      return [...connections].reduce((sum, connection) => sum + connection.subscriptions, 0);
    },
  };
}

/** The close that follows says enough. */
function ignore(): void {}

function reject(socket: Duplex, status: string): void {
  const retry = status.startsWith('503') ? `Retry-After: ${DRAIN_RETRY_MS / 1_000}\r\n` : '';
  socket.end(`HTTP/1.1 ${status}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

type Context = ConnectionContext<Record<string, unknown>, Connection>;

function createProtocol(deps: SocketServerDeps) {
  const { limits } = deps;
  const bounds = { maxErrors: limits.query.maxErrors, maxBytes: limits.maxErrorBytes };
  return makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: limits.connectionInitTimeoutMs,
    onConnect: context => connect(context, deps),
    onSubscribe: (context, _id, payload) => subscribe(context, payload, deps),
    execute: runPrepared,
    subscribe: runPrepared,
    onNext: (...[, , , , result]) =>
      presentResult(result as ExecutionResult, limits) as FormattedExecutionResult,
    onError: (_context, _id, _payload, errors) => presentErrors(errors, bounds),
  });
}

/** Who comes. Without a valid credential nothing is served (4403): what is public is served over HTTP. */
async function connect(context: Context, deps: SocketServerDeps) {
  const { extra: connection, connectionParams } = context;
  connection.initialised();
  const credential = await deps.authenticateSocket(connectionParams, connection.headers ?? {});
  // A socket may stay for days, and needs its secret no longer.
  connection.headers = undefined;
  Object.assign(context, { connectionParams: undefined });
  if (credential.kind !== 'actor') return false;
  connection.actor = credential.actor;
  const release = deps.gate.connections.acquire(principalOf(connection.actor, connection.address));
  if (!release) {
    connection.socket.close(CLOSE.tooMany, 'Too many sockets');
    return true;
  }
  connection.release = release;
  connection.socket.admit(principalOf(connection.actor, connection.address));
  if (!connection.socket.open) release();
  else endWithCredential(connection, connection.actor, deps);
  return true;
}

/** Time for the streams to say UNAUTHENTICATED before the socket closes. */
const LAST_WORDS_MS = 50;

function endWithCredential(connection: Connection, actor: Actor, deps: SocketServerDeps): void {
  const end = () => {
    connection.actor = null;
    deps.clock.after(LAST_WORDS_MS, () => connection.socket.close(CLOSE.forbidden, 'Forbidden'));
  };
  // A socket may stay for days, and what its caller is limited to may change meanwhile.
  connection.stopWatching = deps.members.onCredentialEnd(actor, end, fresh => {
    connection.actor = fresh;
  });
}

interface PreparedArgs extends ExecutionArgs {
  rootValue: { operation: Operation; end: () => void } | undefined;
}

async function subscribe({ extra: connection }: Context, payload: SubscribePayload, deps: SocketServerDeps) {
  // Whatever is thrown here would close the socket and take its other operations with it.
  try {
    const { actor, address } = connection;
    const closed = deps.gate.refuse(actor, address, 1);
    if (closed) return [closed];
    const params = readParams(payload, deps.limits.maxJsonDepth);
    if (params instanceof GraphQLError) return [params];
    const operation = deps.pipeline.prepare(params, { actor, address, transport: 'websocket' });
    deps.gate.charge(principalOf(actor, address), operation.weight);
    if ('errors' in operation) return operation.errors;
    if (operation.rootFields.filter(name => name === 'login').length > 1) {
      return [refusal('BAD_USER_INPUT', 'At most one login is accepted in a request.')];
    }
    const end = admit(connection, operation, deps);
    if (end instanceof GraphQLError) return [end];
    const args: PreparedArgs = {
      schema: deps.pipeline.schema,
      document: operation.document,
      operationName: payload.operationName ?? null,
      contextValue: undefined,
      rootValue: { operation, end },
    };
    // graphql-ws keeps the message for as long as the operation lasts.
    Object.assign(payload, { query: '' });
    return args;
  } catch (error) {
    deps.log.error({ error }, 'an operation failed before it started');
    return [refusal('INTERNAL', 'Internal error')];
  }
}

/** Counts the operation at once, so that many in one tick cannot pass together; the function returned ends it. */
function admit(connection: Connection, { kind }: Operation, { limits, gate }: SocketServerDeps) {
  const counter = kind === 'subscription' ? 'subscriptions' : 'operations';
  const max = kind === 'subscription' ? limits.maxSubscriptionsPerSocket : limits.maxOperationsPerSocket;
  if (connection[counter] >= max) {
    const message = `A socket has at most ${max} ${counter} at once.`;
    return refusal('RATE_LIMITED', message, { retryAfterMs: 1_000 });
  }
  const { actor, address } = connection;
  const release = kind === 'subscription' ? gate.subscribe(principalOf(actor, address)) : undefined;
  if (release instanceof GraphQLError) return release;
  connection[counter] += 1;
  const leave = gate.enter();
  return () => {
    connection[counter] -= 1;
    release?.();
    leave();
  };
}

function runPrepared(prepared: unknown) {
  const args = prepared as PreparedArgs;
  const { operation, end } = args.rootValue!;
  // These too are kept for as long as the operation lasts, and what made it is not needed any more.
  args.rootValue = undefined;
  return operation.run(end);
}
