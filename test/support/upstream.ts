// A scripted provider on a real socket: it speaks OpenAI Chat Completions and Responses, Anthropic Messages, and the
// model lists of OpenAI, Anthropic, Ollama and LM Studio, and misbehaves exactly as a test tells it to.
//
//   const upstream = await startUpstream(t);                          // closes with the test
//   createOpenAIAdapter({ baseUrl: `${upstream.url}/v1`, … });        // Anthropic, Ollama, LM Studio: upstream.url
//   upstream.enqueue([text('Hel'), gate(go), text('lo')]);            // the next model call: ends properly by itself
//   upstream.enqueue([text('Hel'), cut()], status(429, { 'retry-after': '2' }), { before: 'reset' });
//   upstream.answerWith(() => [text('always this')]);                 // every call that has nothing enqueued
//   upstream.requests[0].body, upstream.requests[0].closed, upstream.modelCalls, upstream.billed, upstream.openConnections
//
// Without a script a call is answered with `echo: <last user message>`, one event a word, and usage counted in words.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer, type TlsOptions, Server as TlsServer } from 'node:tls';
import { playScript } from './upstream-player.ts';
import { type Script, type Step, scriptedTokens, text } from './upstream-script.ts';
import {
  type Api,
  anthropicModels,
  type ListedModel,
  lmstudioModels,
  ollamaShow,
  ollamaTags,
  openaiModels,
} from './wire-formats.ts';

export * from './upstream-script.ts';

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, or the text when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of several APIs by field.
  readonly body: any;
  /** The API of a model call; undefined for lists and the like. */
  readonly api: Api | undefined;
  /** Resolves when the connection that brought it is closed, whoever closed it; with `performance.now()`. */
  readonly closed: Promise<number>;
}

export interface UpstreamOptions {
  /** What the model lists offer. */
  readonly models?: readonly ListedModel[];
  /** Answers only what a server of this kind has; absent: everything. */
  readonly kind?: 'openai' | 'anthropic' | 'ollama' | 'lmstudio';
  readonly port?: number;
  /** Speaks HTTPS with this key and certificate. */
  readonly tls?: TlsOptions;
}

export type Scripted = Script | readonly Step[];

export interface Upstream {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly UpstreamRequest[];
  /** Requests that asked a model for an answer. */
  readonly modelCalls: readonly UpstreamRequest[];
  readonly openConnections: number;
  /** Calls of any path that are still being answered: one whose client has left is over. */
  readonly openCalls: number;
  /** Connections ever accepted. */
  readonly connections: number;
  /** Bytes that clients took, or that wait in the socket for them. */
  readonly bytesSent: number;
  /** What was answered to the end: the truth that a ledger can be compared with. */
  readonly billed: { readonly calls: number; readonly inputTokens: number; readonly outputTokens: number };
  /** Scripts for the next model calls, in order. */
  enqueue(...scripts: Scripted[]): void;
  /** The script of every model call for which nothing is enqueued; without an argument the echo again. */
  answerWith(script?: (request: UpstreamRequest) => Scripted): void;
  /** Answers any other path, for example a model list; undefined leaves it to the built-in answer. */
  answerPath(path: string, script: Script | undefined): void;
  /** The next request to arrive that no earlier call of this function has returned. */
  nextRequest(): Promise<UpstreamRequest>;
  /** Shows this certificate from the next connection on, and drops those that it has. */
  present(certificate: TlsOptions): void;
  dropConnections(): void;
  close(): Promise<void>;
}

const APIS: Readonly<Record<string, Api>> = {
  '/v1/chat/completions': 'chat',
  '/v1/responses': 'responses',
  '/v1/messages': 'messages',
};

export async function startUpstream(
  t: Pick<TestContext, 'after'>,
  options: UpstreamOptions = {},
): Promise<Upstream> {
  const requests: UpstreamRequest[] = [];
  const arrivals: { request: UpstreamRequest; taken: boolean }[] = [];
  const queue: Scripted[] = [];
  const paths = new Map<string, Script>();
  const sockets = new Set<Socket>();
  const billed = { calls: 0, inputTokens: 0, outputTokens: 0 };
  let connections = 0;
  let openCalls = 0;
  let bytesOfClosed = 0;
  let fallback: (request: UpstreamRequest) => Scripted = echo;
  let wake = Promise.withResolvers<void>();

  async function answer(socket: Socket, request: UpstreamRequest): Promise<void> {
    requests.push(request);
    arrivals.push({ request, taken: false });
    wake.resolve();
    wake = Promise.withResolvers();
    const scripted = paths.get(request.path) ?? (request.api && (queue.shift() ?? fallback(request)));
    const script: Script = isSteps(scripted) ? { steps: scripted } : (scripted ?? list(request, options));
    openCalls += 1;
    const completed = await playScript(socket, request, script, requests.length);
    openCalls -= 1;
    if (!completed) return;
    billed.calls += 1;
    billed.inputTokens += completed.inputTokens;
    billed.outputTokens += completed.outputTokens;
  }

  function accept(socket: Socket): void {
    connections += 1;
    sockets.add(socket);
    socket
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(socket);
        bytesOfClosed += socket.bytesWritten;
      });
    serve(socket, request => answer(socket, request));
  }
  const server = options.tls
    ? createTlsServer({ noDelay: true, ...options.tls }, accept)
    : createServer({ noDelay: true }, accept);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };

  function dropConnections(): void {
    for (const socket of sockets) socket.destroy();
  }
  async function close(): Promise<void> {
    dropConnections();
    if (server.listening) await new Promise(resolve => server.close(resolve));
  }
  t.after(close);

  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    get modelCalls() {
      return requests.filter(request => request.api);
    },
    get openConnections() {
      return sockets.size;
    },
    get openCalls() {
      return openCalls;
    },
    get connections() {
      return connections;
    },
    get bytesSent() {
      return [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, bytesOfClosed);
    },
    billed,
    enqueue: (...scripts) => void queue.push(...scripts),
    answerWith: (script = echo) => {
      fallback = script;
    },
    answerPath: (path, script) => void (script ? paths.set(path, script) : paths.delete(path)),
    async nextRequest() {
      for (;;) {
        const arrival = arrivals.find(({ taken }) => !taken);
        if (arrival) {
          arrival.taken = true;
          return arrival.request;
        }
        await wake.promise;
      }
    },
    present(certificate) {
      if (server instanceof TlsServer) server.setSecureContext(certificate);
      dropConnections();
    },
    dropConnections,
    close,
  };
}

/** Reads requests with a Content-Length from the socket, one after the other, as keep-alive clients send them. */
function serve(socket: Socket, answer: (request: UpstreamRequest) => Promise<void>): void {
  const closed = Promise.withResolvers<number>();
  socket.on('close', () => closed.resolve(performance.now()));
  let received = Buffer.alloc(0);
  let busy = Promise.resolve();
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const [requestLine = '', ...lines] = received.subarray(0, headEnd).toString('latin1').split('\r\n');
      const headers = Object.fromEntries(
        lines.map(line => [
          line.slice(0, line.indexOf(':')).toLowerCase(),
          line.slice(line.indexOf(':') + 1).trim(),
        ]),
      );
      const end = headEnd + 4 + Number(headers['content-length'] ?? 0);
      if (received.length < end) return;
      const body = received.subarray(headEnd + 4, end).toString();
      received = received.subarray(end);
      const [method = '', path = ''] = requestLine.split(' ');
      const api = method === 'POST' ? APIS[path] : undefined;
      const request = { method, path, headers, body: parse(body), api, closed: closed.promise };
      busy = busy.then(() => answer(request));
    }
  });
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function isSteps(scripted: Scripted | undefined): scripted is readonly Step[] {
  return Array.isArray(scripted);
}

function echo({ body }: UpstreamRequest): readonly Step[] {
  const turns = Array.isArray(body.input) ? body.input : body.messages;
  const prompt = turns.findLast((turn: { role: string }) => turn.role === 'user')?.content ?? '';
  return scriptedTokens(`echo: ${prompt}`).map(text);
}

function list({ path, headers, body }: UpstreamRequest, { models, kind }: UpstreamOptions): Script {
  const offered = models ?? [{ id: 'scripted-model', contextWindow: 8_192, maxOutputTokens: 4_096 }];
  const json = (value: object): Script => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  });
  const has = (...kinds: NonNullable<UpstreamOptions['kind']>[]) => !kind || kinds.includes(kind);
  const [plain] = path.split('?');
  if (plain === '/v1/models' && headers['anthropic-version'] && has('anthropic'))
    return json(anthropicModels(offered));
  if (plain === '/v1/models' && has('openai', 'ollama', 'lmstudio')) return json(openaiModels(offered));
  if (plain === '/api/tags' && has('ollama')) return json(ollamaTags(offered));
  if (plain === '/api/version' && has('ollama')) return json({ version: '0.40.12' });
  if (plain === '/api/ps' && has('ollama')) return json({ models: [] });
  if (plain === '/api/v1/models' && has('lmstudio')) return json(lmstudioModels(offered));
  const shown = offered.find(({ id }) => id === body?.model);
  if (plain === '/api/show' && has('ollama') && shown) return json(ollamaShow(shown));
  return { ...json({ error: { message: 'no such path', type: 'not_found_error' } }), status: 404 };
}
