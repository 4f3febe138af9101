// A WebSocket without any client library on top: what was sent and received, message by message.

import { WebSocket } from 'ws';
import type { TestServer } from './test-server.ts';

export interface Message {
  type: string;
  id?: string;
  payload?: unknown;
}

export interface RawSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Everything received so far. */
  readonly received: Message[];
  send(...messages: unknown[]): void;
  /** The next message not yet taken. */
  next(): Promise<Message>;
  /** Takes messages until one is of this type and id, and returns it. */
  until(type: string, id?: string): Promise<Message>;
  close(): Promise<void>;
}

interface OpenOptions {
  protocols?: string[];
  headers?: Record<string, string>;
}

/** A socket that is open, with nothing sent. */
export async function openSocket(server: TestServer, options: OpenOptions = {}): Promise<RawSocket> {
  const { protocols = ['graphql-transport-ws'], headers = {} } = options;
  const socket = new WebSocket(server.socketUrl, protocols, { headers });
  const received: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  let taken = 0;
  socket.on('message', data => {
    received.push(JSON.parse(String(data)));
    if (waiting.length > 0) waiting.shift()?.(received[taken++]!);
  });
  const closed = new Promise<{ code: number; reason: string }>(resolve => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  const raw: RawSocket = {
    socket,
    closed,
    received,
    send(...messages) {
      for (const message of messages)
        socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    },
    next() {
      if (taken < received.length) return Promise.resolve(received[taken++]!);
      const arrived = new Promise<Message>(resolve => waiting.push(resolve));
      const ended = closed.then(({ code }) => {
        throw new Error(`the socket closed with ${code} before the message came`);
      });
      return Promise.race([arrived, ended]);
    },
    async until(type, id) {
      for (;;) {
        const message = await raw.next();
        if (message.type === type && message.id === id) return message;
      }
    },
    async close() {
      socket.close(1000);
      await closed;
    },
  };
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return raw;
}

/** A socket whose `connection_init` was acknowledged; as USER unless told. */
export async function connect(server: TestServer, token = 'user'): Promise<RawSocket> {
  const raw = await openSocket(server);
  raw.send({ type: 'connection_init', ...(token ? { payload: { authorization: `Bearer ${token}` } } : {}) });
  await raw.until('connection_ack');
  return raw;
}

export function subscribe(id: string, query: string, variables?: Record<string, unknown>): object {
  return { type: 'subscribe', id, payload: { query, ...(variables ? { variables } : {}) } };
}

/** The HTTP status with which an upgrade is refused. */
export async function refusedUpgrade(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url, ['graphql-transport-ws'], { headers });
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('open', () => reject(new Error('the upgrade was accepted')));
    socket.on('error', () => {});
  });
}
