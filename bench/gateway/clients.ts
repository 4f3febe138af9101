// Clients that cost little: one answer, streamed, by each of the ways that are compared. All resolve at its end.

import { Agent, request } from 'undici';
import WebSocket from 'ws';
import type { OwnServer } from './ours.ts';

export interface Answer {
  /** From the call to the first token. */
  readonly firstTokenMs: number;
  /** Messages, or pieces of the body, that brought tokens. */
  readonly frames: number;
  readonly tokens: number;
}

export interface Caller {
  ask(prompt: string): Promise<Answer>;
  close(): Promise<void>;
}

/** OpenAI's Chat Completions: the provider itself, the proxy, or the peer. */
export function completionsCaller(url: string, headers: Record<string, string> = {}): Caller {
  // Let go before the servers do, which end idle connections after five seconds.
  const dispatcher = new Agent({ connections: 2_000, pipelining: 1, keepAliveTimeout: 2_000 });
  return {
    async ask(prompt) {
      const startMs = performance.now();
      const { body, statusCode } = await request(`${url}/v1/chat/completions`, {
        method: 'POST',
        dispatcher,
        headers: { 'content-type': 'application/json', authorization: 'Bearer bench', ...headers },
        body: JSON.stringify({
          model: 'bench-model',
          stream: true,
          stream_options: { include_usage: true },
          messages: [{ role: 'user', content: prompt }],
        }),
      });
      if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${await body.text()}`);
      const seen = { firstTokenMs: 0, frames: 0, tokens: 0 };
      let isDone = false;
      for await (const part of body as AsyncIterable<Buffer>) {
        const text = part.toString('latin1');
        const tokens = text.split('"token ').length - 1;
        if (tokens > 0) {
          if (seen.tokens === 0) seen.firstTokenMs = performance.now() - startMs;
          seen.frames += 1;
          seen.tokens += tokens;
        }
        isDone ||= text.includes('[DONE]');
      }
      if (!isDone) throw new Error(`${url} ended an answer without its end marker`);
      return seen;
    },
    close: () => dispatcher.close(),
  };
}

const SUBMIT = 'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }';
const FOLLOW = `subscription ($id: ID!) { tokenStream(requestId: $id) {
  __typename ... on TokenDelta { text } ... on StreamFailed { error { code message } } } }`;

// biome-ignore lint/suspicious/noExplicitAny: messages are read by field, to spend no time on checking them.
type Message = any;

/** Ours: submits and follows on the same socket, as graphql-ws clients do. */
export async function socketCaller(server: OwnServer, sockets = 1): Promise<Caller> {
  const opened = await Promise.all(Array.from({ length: sockets }, () => openSocket(server)));
  let asked = 0;
  return {
    ask(prompt) {
      asked += 1;
      return opened[asked % sockets]!.ask(prompt);
    },
    async close() {
      for (const { close } of opened) close();
    },
  };
}

async function openSocket({ url, token }: OwnServer) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const listeners = new Map<string, (message: Message) => void>();
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  socket.on('open', () =>
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
  );
  socket.on('error', reject);
  socket.on('message', (data: Buffer) => {
    const message: Message = JSON.parse(data.toString());
    if (message.type === 'connection_ack') resolve();
    else if (message.type === 'ping') socket.send('{"type":"pong"}');
    else listeners.get(message.id)?.(message);
  });
  await ready;
  let next = 0;
  const operate = (query: string, variables: object, listener: (message: Message) => void): void => {
    next += 1;
    const id = String(next);
    listeners.set(id, message => {
      if (message.type !== 'next') listeners.delete(id);
      listener(message);
    });
    socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }));
  };
  return { ask: (prompt: string) => askOn(operate, prompt), close: () => socket.close() };
}

function askOn(
  operate: (query: string, variables: object, listener: (message: Message) => void) => void,
  prompt: string,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const startMs = performance.now();
  const seen = { firstTokenMs: 0, frames: 0, tokens: 0 };
  const fail = (message: Message) => reject(new Error(`the gateway answered ${JSON.stringify(message)}`));
  const follow = (message: Message) => {
    if (message.type === 'complete') return;
    const event = message.payload?.data?.tokenStream;
    if (!event || event.__typename === 'StreamFailed') fail(message);
    else if (event.__typename === 'StreamCompleted') resolve(seen);
    else if (event.__typename === 'TokenDelta') {
      if (seen.tokens === 0) seen.firstTokenMs = performance.now() - startMs;
      seen.frames += 1;
      seen.tokens += event.text.split('token ').length - 1;
    }
  };
  operate(SUBMIT, { input: { prompt } }, message => {
    if (message.type === 'complete') return;
    const id = message.payload?.data?.submitRequest?.request?.id;
    if (id) operate(FOLLOW, { id }, follow);
    else fail(message);
  });
  return promise;
}
