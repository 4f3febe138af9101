// One WebSocket within its bounds: messages per second, a reader that stops reading, a peer that is gone (by
// peer-watch.ts). Also what graphql-ws leaves open in the protocol: server-only messages, and an id that is used again
// while its first operation is still ending.

import type { Duplex } from 'node:stream';
import type { WebSocket as ProtocolSocket } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { HttpLimits } from './limits.ts';
import type { PeerWatch } from './peer-watch.ts';
import { createTokenBucket } from './rate-limit.ts';

/**
 * Close codes by what stock clients do with them: 1012, 1013 and 4403 are retried (4403 with fresh connection
 * parameters), 4400 and 4429 are final. 1000, 1011 and 4500 are never sent.
 */
export const CLOSE = {
  restart: 1012,
  tryAgain: 1013,
  badRequest: 4400,
  forbidden: 4403,
  tooMany: 4429,
} as const;

export interface Socket {
  readonly open: boolean;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(code: number, reason: string): void;
  /** Closes and waits for the peer to agree; cuts it when it does not. */
  end(code: number, reason: string): Promise<void>;
  /** The socket as graphql-ws wants it. */
  forProtocol(protocol: string): ProtocolSocket;
}

interface Message {
  readonly type?: unknown;
  readonly id?: unknown;
}

const SERVER_ONLY = ['connection_ack', 'next', 'error'];
const CLOSE_PATIENCE_MS = 1_000;

export interface SocketOptions {
  readonly socket: WebSocket;
  /** What it writes to. */
  readonly connection: Duplex;
  readonly limits: HttpLimits;
  /** Of all sockets of the server. */
  readonly peers: PeerWatch;
  readonly clock: Clock;
  readonly log: Log;
}

export function createSocket({ socket, connection, limits, peers, clock, log }: SocketOptions): Socket {
  const cork = createCork(connection);
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const rate = createTokenBucket(limits.socketMessagesPerSecond, limits.socketMessagesPerSecond, clock);
  const isOpen = () => socket.readyState === WebSocket.OPEN;
  const close = (code: number, reason: string) => {
    if (!isOpen()) return;
    socket.close(code, reason);
    // ws waits 30 s for a peer that does not answer the close.
    clock.after(CLOSE_PATIENCE_MS, () => socket.terminate());
  };
  const overRate = () => {
    if (rate.take() === 0) return false;
    close(CLOSE.tooMany, 'Too many messages');
    return true;
  };
  socket.on('ping', overRate);
  socket.on('error', error => log.debug({ error }, 'a socket broke the protocol'));
  peers.add(socket);
  socket.on('close', (code, reason) => closed.resolve({ code, reason: String(reason) }));

  return {
    get open() {
      return isOpen();
    },
    closed: closed.promise,
    close,
    async end(code, reason) {
      close(code, reason);
      await closed.promise;
    },
    forProtocol: protocol => ({
      protocol,
      async send(data) {
        // A write to a closing socket lasts until the close: at once it would let an endless source run on in
        // microtasks, and the event of the close would never come.
        if (!isOpen()) return void (await closed.promise);
        cork();
        // A failed write need not be reported: the socket's end is, by its own events. Whoever sends goes on after the
        // turn's write, and meanwhile what comes next is joined.
        await new Promise<void>(resolve => socket.send(data, () => resolve()));
      },
      close,
      onMessage(handle) {
        const fail = (error: unknown) => {
          log.error({ error }, 'handling a message failed');
          close(CLOSE.tryAgain, 'Try again later');
        };
        const deliver = createDelivery(message => handle(message as unknown as string).catch(fail));
        socket.on('message', data => {
          if (!isOpen() || overRate()) return;
          const message = readMessage(String(data));
          if (!message) return close(CLOSE.badRequest, 'Invalid message received');
          deliver(message);
        });
      },
    }),
  };
}

/** The function returned joins what is written in this turn of the event loop into one write at its end. */
function createCork(connection: Duplex): () => void {
  let corked = false;
  const uncork = () => {
    corked = false;
    connection.uncork();
  };
  return () => {
    if (corked) return;
    corked = true;
    connection.cork();
    setImmediate(uncork);
  };
}

/** A message of a client, or undefined when it can be none; graphql-ws checks the rest of its shape. */
function readMessage(text: string): Message | undefined {
  try {
    const message: Message = JSON.parse(text);
    if (typeof message !== 'object' || message === null) return undefined;
    return SERVER_ONLY.includes(String(message.type)) ? undefined : message;
  } catch {
    return undefined;
  }
}

/**
 * Hands messages over in order. A `subscribe` under an id that was just completed waits until the first operation
 * has ended, since graphql-ws would otherwise take the end of the first for the end of the second. An operation that
 * lasts keeps no more than one promise here. `handle` never rejects.
 */
function createDelivery(handle: (message: Message) => Promise<void>): (message: Message) => void {
  const running = new Map<string, Promise<void>>();
  let ending: Map<string, Promise<void>> | undefined;

  function hand(message: Message, id: string): void {
    if (message.type === 'subscribe') {
      const ended: Promise<void> = handle(message).then(() => {
        if (running.get(id) === ended) running.delete(id);
      });
      running.set(id, ended);
      return;
    }
    const operation = running.get(id);
    if (operation !== undefined) holdBack(id, operation);
    void handle(message);
  }

  function holdBack(id: string, until: Promise<void>): void {
    ending ??= new Map();
    ending.set(id, until);
    void until.then(() => {
      if (ending?.get(id) === until) ending.delete(id);
    });
  }

  return message => {
    const { type, id } = message;
    if (typeof id !== 'string' || (type !== 'subscribe' && type !== 'complete')) return void handle(message);
    const before = ending?.get(id);
    if (before)
      holdBack(
        id,
        before.then(() => hand(message, id)),
      );
    else hand(message, id);
  };
}
