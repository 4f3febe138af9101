// One WebSocket within its bounds: messages per second, a reader that stops reading, a peer that is gone. Also what
// graphql-ws leaves open in the protocol: server-only messages, and an id that is used again while its first
// operation is still ending.

import type { Duplex } from 'node:stream';
import type { WebSocket as ProtocolSocket } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { HttpLimits } from './limits.ts';
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
  readonly clock: Clock;
  readonly log: Log;
}

export function createSocket({ socket, connection, limits, clock, log }: SocketOptions): Socket {
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
  const stopWatching = watchPeer(socket, limits, clock);
  socket.once('close', (code, reason) => {
    stopWatching();
    closed.resolve({ code, reason: String(reason) });
  });

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
        const deliver = createDelivery(message => handle(message as unknown as string));
        socket.on('message', data => {
          if (!isOpen() || overRate()) return;
          const message = readMessage(String(data));
          if (!message) return close(CLOSE.badRequest, 'Invalid message received');
          deliver(message).catch(error => {
            log.error({ error }, 'handling a message failed');
            close(CLOSE.tryAgain, 'Try again later');
          });
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
 * has ended, since graphql-ws would otherwise take the end of the first for the end of the second.
 */
function createDelivery(handle: (message: Message) => Promise<void>): (message: Message) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const ending = new Map<string, Promise<void>>();

  async function hand(message: Message, id: string): Promise<void> {
    const handled = handle(message);
    if (message.type === 'subscribe') {
      running.set(id, handled);
      await handled.finally(() => {
        if (running.get(id) === handled) running.delete(id);
      });
      return;
    }
    const operation = running.get(id);
    if (operation !== undefined) {
      const ended = operation.catch(() => {});
      holdBack(id, ended);
    }
    await handled;
  }

  function holdBack(id: string, until: Promise<void>): void {
    ending.set(id, until);
    void until.finally(() => {
      if (ending.get(id) === until) ending.delete(id);
    });
  }

  return async message => {
    const { type, id } = message;
    if (typeof id !== 'string' || (type !== 'subscribe' && type !== 'complete')) return handle(message);
    const before = ending.get(id);
    if (!before) return hand(message, id);
    const handed = Promise.withResolvers<void>();
    holdBack(
      id,
      before.then(() => {
        hand(message, id).then(handed.resolve, handed.reject);
      }),
    );
    return handed.promise;
  };
}

/** Pings a peer and drops it when it is gone or has long stopped reading; the function returned ends the watch. */
function watchPeer(socket: WebSocket, limits: HttpLimits, clock: Clock): () => void {
  let alive = true;
  let stop = () => {};
  let slowSinceMs: number | undefined;
  socket.on('pong', () => {
    alive = true;
  });
  const beat = () => {
    if (!alive) return socket.terminate();
    alive = false;
    if (socket.readyState === WebSocket.OPEN) socket.ping();
    stop = clock.after(limits.keepAliveMs, beat);
  };
  stop = clock.after(limits.keepAliveMs, beat);
  const everyMs = Math.min(1_000, limits.slowReaderMs);
  const reading = setInterval(() => {
    const slow = socket.bufferedAmount > limits.slowReaderBytes;
    // Whoever does not read may not make us write more either.
    if (slow && !socket.isPaused) socket.pause();
    if (!slow && socket.isPaused) socket.resume();
    slowSinceMs = slow ? (slowSinceMs ?? clock.monotonic()) : undefined;
    if (slowSinceMs !== undefined && clock.monotonic() - slowSinceMs >= limits.slowReaderMs)
      socket.terminate();
  }, everyMs);
  reading.unref();
  return () => {
    stop();
    clearInterval(reading);
  };
}
