// A small real server for the tests of the SDK: our schema, GraphQL over HTTP and graphql-ws, with answers made here.
// In front of it a TCP relay that cuts connections after as many bytes as a test says.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createRelay, type Server } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { buildSchema, graphql } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { StreamEvent } from '../../src/sdk/client.ts';

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  /** Inputs of submitRequest, in the order in which they came. */
  readonly submissions: { idempotencyKey: string }[];
  /** Answers to HTTP requests that are swallowed, the connection with them. */
  lostAnswers: number;
  /** Bytes that the next connections may receive before they are cut; further connections live. */
  cuts: number[];
  /** False: sockets are closed with 4403. */
  admitting: boolean;
  connections: number;
  readonly openStreams: number;
}

/** Serves these events as the stream of every request; `hold` keeps the stream open behind the last of them. */
export async function startScriptedServer(
  events: readonly StreamEvent[],
  options: { hold?: boolean } = {},
): Promise<ScriptedServer> {
  let openStreams = 0;
  async function* tokenStream({ after }: { after?: string }) {
    const start = after === undefined ? 0 : events.findIndex(({ cursor }) => cursor === after) + 1;
    for (const event of events.slice(start)) {
      await turn();
      yield { tokenStream: event };
    }
    if (options.hold) await new Promise(() => {});
  }
  const subscribe = (args: { after?: string }) => {
    openStreams += 1;
    return counted(tokenStream(args), () => {
      openStreams -= 1;
    });
  };
  const submitRequest = ({ input }: { input: { idempotencyKey: string } }) => {
    server.submissions.push(input);
    return { request: { id: 'req_1', status: 'QUEUED', createdAt: new Date(0).toISOString() } };
  };
  const http = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
    const result = await graphql({
      schema,
      source: query,
      variableValues: variables,
      rootValue: { submitRequest },
    });
    if (server.lostAnswers-- > 0) request.socket.destroy();
    // Node would use a connection that is kept alive for the next WebSocket, and cuts are counted by connection.
    else response.setHeader('connection', 'close').end(JSON.stringify(result));
  }
  const sockets = new WebSocketServer({ server: http, path: '/graphql' });
  useServer(
    {
      schema,
      roots: { subscription: { tokenStream: subscribe } },
      onConnect: () => server.admitting,
    },
    sockets,
  );
  await listen(http);
  const relay = createRelay(client => {
    server.connections += 1;
    relayTo((http.address() as AddressInfo).port, client, server.cuts.shift() ?? Infinity);
  });
  const port = await listen(relay);
  const server: ScriptedServer = {
    url: `http://127.0.0.1:${port}`,
    submissions: [],
    lostAnswers: 0,
    cuts: [],
    admitting: true,
    connections: 0,
    get openStreams() {
      return openStreams;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      http.close();
      relay.close();
    },
  };
  return server;
}

/** Tells when it ends or is left, also while it waits: a generator itself answers `return()` only when it does not. */
function counted<T>(source: AsyncGenerator<T>, onEnd: () => void): AsyncIterableIterator<T> {
  const left = Promise.withResolvers<IteratorResult<T>>();
  let ended = false;
  const end = () => {
    if (!ended) onEnd();
    ended = true;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const result = await Promise.race([source.next(), left.promise]);
      if (result.done) end();
      return result;
    },
    async return() {
      end();
      left.resolve({ done: true, value: undefined });
      return { done: true, value: undefined };
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function relayTo(port: number, client: import('node:net').Socket, cutAfterBytes: number): void {
  const upstream = connect(port, '127.0.0.1');
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  let passed = 0;
  client.pipe(upstream);
  upstream.on('data', chunk => {
    client.write(chunk.subarray(0, Math.max(0, cutAfterBytes - passed)));
    passed += chunk.length;
    if (passed >= cutAfterBytes) client.end(() => end());
  });
  for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
}
