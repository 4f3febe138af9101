// Clients that cost little: one answer, streamed, by each of the ways that are compared. All resolve at its end. They
// share the processors with what they measure, hence read what comes with as little ceremony as they can.

import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import WebSocket from 'ws';
import { takeLags } from '../measure/shared-clock.ts';
import type { OwnServer } from './ours.ts';

export interface Answer {
  /** From the call to the first token. */
  readonly firstTokenMs: number;
  /** Messages, or pieces of the body, that brought tokens. */
  readonly frames: number;
  readonly tokens: number;
  /** From the provider's send to our receipt, of each token that says when it was sent. */
  readonly lagsMs: readonly number[];
}

export interface Caller {
  /** Of ours, tells the id under which the prompt was accepted. */
  ask(prompt: string, accepted?: (id: string) => void): Promise<Answer>;
  close(): Promise<void>;
}

/** OpenAI's Chat Completions: the provider itself, the proxy, or the peer. */
export function completionsCaller(url: string, headers: Record<string, string> = {}): Caller {
  // Let go before the servers do, which end idle connections after five seconds, or never.
  const dispatcher = new Agent({ connections: 2_000, pipelining: 1, keepAliveTimeout: 2_000 });
  return {
    async ask(prompt) {
      const startMs = performance.now();
      const answer = request(`${url}/v1/chat/completions`, {
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
      const { body, statusCode } = await answer.catch(cause => {
        throw new Error(`${url} did not answer`, { cause });
      });
      if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${await body.text()}`);
      const seen = nothingSeen();
      let isDone = false;
      for await (const part of body as AsyncIterable<Buffer>) {
        const text = part.toString('latin1');
        const tokens = text.split('"token ').length - 1;
        if (tokens > 0) {
          if (seen.tokens === 0) seen.firstTokenMs = performance.now() - startMs;
          seen.frames += 1;
          seen.tokens += tokens;
          takeLags(text, seen.lagsMs);
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

const SUBMIT_AND_FOLLOW = `subscription ($input: SubmitRequestInput!) { submitRequest(input: $input) {
  __typename ... on RequestAccepted { requestId } ... on TokenDelta { text }
  ... on StreamFailed { error { code message } } } }`;

// biome-ignore lint/suspicious/noExplicitAny: messages are read by field, to spend no time on checking them.
type Message = any;

function nothingSeen() {
  return { firstTokenMs: 0, frames: 0, tokens: 0, lagsMs: [] as number[] };
}

/** Ours: submits and follows on the same socket, in one operation or, as most clients do today, in two. */
export async function socketCaller(server: OwnServer, sockets = 1, operations: 1 | 2 = 1): Promise<Caller> {
  return callerOn(server, sockets, operations === 1 ? submitAndFollow : submitThenFollow);
}

/** The server that only sends. */
export async function rawCaller({ url }: { url: string }, sockets: number): Promise<Caller> {
  return callerOn({ url, token: '' }, sockets, ({ operate, prompt, follow }) =>
    operate(FOLLOW, { prompt }, follow),
  );
}

type Operate = (query: string, variables: object, listener: (message: Message) => void) => void;

interface Asking {
  readonly operate: Operate;
  readonly prompt: string;
  readonly accepted: ((id: string) => void) | undefined;
  readonly follow: (message: Message) => void;
  readonly fail: (message: Message) => void;
}

async function callerOn(
  server: Pick<OwnServer, 'url' | 'token'>,
  sockets: number,
  begin: (asking: Asking) => void,
): Promise<Caller> {
  const opened = await Promise.all(Array.from({ length: sockets }, () => openSocket(server)));
  let asked = 0;
  return {
    ask(prompt, accepted) {
      asked += 1;
      return askOn(opened[asked % sockets]!.operate, { prompt, accepted }, begin);
    },
    async close() {
      for (const { close } of opened) close();
    },
  };
}

async function openSocket({ url, token }: Pick<OwnServer, 'url' | 'token'>) {
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
  const operate: Operate = (query, variables, listener) => {
    next += 1;
    const id = String(next);
    listeners.set(id, message => {
      if (message.type !== 'next') listeners.delete(id);
      listener(message);
    });
    socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }));
  };
  return { operate, close: () => socket.close() };
}

/** Ours: one workflow at a time, followed to its end. */
export async function workflowCaller(server: OwnServer) {
  const { operate, close } = await openSocket(server);
  return {
    run(workflow: object): Promise<void> {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const fail = (message: Message) => reject(new Error(`the gateway answered ${JSON.stringify(message)}`));
      operate(SUBMIT, { input: { workflow } }, message => {
        if (message.type === 'complete') return;
        const id = message.payload?.data?.submitRequest?.request?.id;
        if (!id) return fail(message);
        operate(FOLLOW, { id }, event => {
          const type = event.payload?.data?.tokenStream?.__typename;
          if (type === 'StreamCompleted') resolve();
          else if (event.type === 'error' || type === 'StreamFailed') fail(event);
        });
      });
      return promise;
    },
    close,
  };
}

function askOn(
  operate: Operate,
  wanted: Pick<Asking, 'prompt' | 'accepted'>,
  begin: (asking: Asking) => void,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const startMs = performance.now();
  const seen = nothingSeen();
  const fail = (message: Message) => reject(new Error(`the gateway answered ${JSON.stringify(message)}`));
  const follow = (message: Message) => {
    if (message.type === 'complete') return;
    const { tokenStream, submitRequest: event = tokenStream } = message.payload?.data ?? {};
    if (event?.__typename === 'RequestAccepted') wanted.accepted?.(event.requestId);
    if (!event || event.__typename === 'StreamFailed') fail(message);
    else if (event.__typename === 'StreamCompleted') resolve(seen);
    else if (event.__typename === 'TokenDelta') {
      if (seen.tokens === 0) seen.firstTokenMs = performance.now() - startMs;
      seen.frames += 1;
      seen.tokens += event.text.split('token ').length - 1;
      takeLags(event.text, seen.lagsMs);
    }
  };
  begin({ operate, ...wanted, follow, fail });
  return promise;
}

function submitAndFollow({ operate, prompt, follow }: Asking): void {
  operate(SUBMIT_AND_FOLLOW, { input: { prompt, idempotencyKey: randomUUID() } }, follow);
}

function submitThenFollow({ operate, prompt, accepted, follow, fail }: Asking): void {
  operate(SUBMIT, { input: { prompt } }, message => {
    if (message.type === 'complete') return;
    const id = message.payload?.data?.submitRequest?.request?.id;
    if (!id) return fail(message);
    accepted?.(id);
    operate(FOLLOW, { id }, follow);
  });
}
