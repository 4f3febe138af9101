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
import { createTokenBuckets, type TokenBucket } from './rate-limit.ts';

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

/** A socket as the server uses it, and as graphql-ws does. */
export interface Socket extends ProtocolSocket {
  readonly open: boolean;
  close(code: number, reason: string): void;
  /** Closes and waits for the peer to agree; cuts it when it does not. */
  end(code: number, reason: string): Promise<void>;
}

interface Message {
  readonly type?: unknown;
  readonly id?: unknown;
}

const SERVER_ONLY = ['connection_ack', 'next', 'error'];
const CLOSE_PATIENCE_MS = 1_000;

interface SocketsDeps {
  readonly limits: HttpLimits;
  /** Of all sockets of the server. */
  readonly peers: PeerWatch;
  readonly clock: Clock;
  readonly log: Log;
}

interface SocketOptions {
  readonly socket: WebSocket;
  /** What it writes to. */
  readonly connection: Duplex;
  readonly onClose: (code: number, reason: string) => void;
}

/** Many sockets of one server, of which an idle one keeps little. */
export function createSockets(deps: SocketsDeps): (options: SocketOptions) => Socket {
  const perSecond = deps.limits.socketMessagesPerSecond;
  const createRate = createTokenBuckets({ perSecond, burst: perSecond }, deps.clock);
  const logError = (error: unknown) => deps.log.debug({ error }, 'a socket broke the protocol');
  return options => {
    const { socket } = options;
    socket.on('error', logError);
    deps.peers.add(socket);
    return new BoundedSocket(options, deps, createRate());
  };
}

class BoundedSocket implements Socket {
  readonly protocol: string;
  readonly #socket: WebSocket;
  readonly #connection: Duplex;
  readonly #deps: SocketsDeps;
  readonly #rate: TokenBucket;
  #isCorked = false;
  /** Made when somebody waits for the close. */
  #closed: PromiseWithResolvers<void> | undefined;

  constructor({ socket, connection, onClose }: SocketOptions, deps: SocketsDeps, rate: TokenBucket) {
    this.protocol = socket.protocol;
    this.#socket = socket;
    this.#connection = connection;
    this.#deps = deps;
    this.#rate = rate;
    socket.on('ping', () => this.#isOverRate());
    socket.on('close', (code, reason) => {
      onClose(code, String(reason));
      this.#closed?.resolve();
    });
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  close(code: number, reason: string): void {
    if (!this.open) return;
    this.#socket.close(code, reason);
    // ws waits 30 s for a peer that does not answer the close.
    this.#deps.clock.after(CLOSE_PATIENCE_MS, () => this.#socket.terminate());
  }

  async end(code: number, reason: string): Promise<void> {
    this.close(code, reason);
    await this.#untilClosed();
  }

  send(data: string): Promise<void> {
    // A write to a closing socket lasts until the close: at once it would let an endless source run on in
    // microtasks, and the event of the close would never come.
    if (!this.open) return this.#untilClosed();
    this.#cork();
    // A failed write need not be reported: the socket's end is, by its own events. Whoever sends goes on after the
    // turn's write, and meanwhile what comes next is joined.
    return new Promise<void>(resolve => this.#socket.send(data, resolve as () => void));
  }

  onMessage(handle: (data: string) => Promise<void>): void {
    const delivery = new Delivery(
      message => handle(message as unknown as string),
      error => {
        this.#deps.log.error({ error }, 'handling a message failed');
        this.close(CLOSE.tryAgain, 'Try again later');
      },
    );
    this.#socket.on('message', data => {
      if (!this.open || this.#isOverRate()) return;
      const message = readMessage(String(data));
      if (message) delivery.deliver(message);
      else this.close(CLOSE.badRequest, 'Invalid message received');
    });
  }

  #isOverRate(): boolean {
    if (this.#rate.take() === 0) return false;
    this.close(CLOSE.tooMany, 'Too many messages');
    return true;
  }

  #untilClosed(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return Promise.resolve();
    this.#closed ??= Promise.withResolvers();
    return this.#closed.promise;
  }

  /** Joins what is written in this turn of the event loop into one write at its end. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#connection.cork();
    setImmediate(BoundedSocket.#uncork, this);
  }

  static #uncork(socket: BoundedSocket): void {
    socket.#isCorked = false;
    socket.#connection.uncork();
  }
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
 * lasts keeps no more than one promise here.
 */
class Delivery {
  readonly #handle: (message: Message) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #running = new Map<string, Promise<void>>();
  #ending: Map<string, Promise<void>> | undefined;

  constructor(handle: (message: Message) => Promise<void>, onError: (error: unknown) => void) {
    this.#handle = handle;
    this.#onError = onError;
  }

  deliver(message: Message): void {
    const { type, id } = message;
    if (typeof id !== 'string' || (type !== 'subscribe' && type !== 'complete')) {
      this.#handle(message).catch(this.#onError);
      return;
    }
    const before = this.#ending?.get(id);
    if (before === undefined) this.#hand(message, id);
    else
      this.#holdBack(
        id,
        before.then(() => this.#hand(message, id)),
      );
  }

  #hand(message: Message, id: string): void {
    if (message.type === 'subscribe') {
      const ended: Promise<void> = this.#handle(message)
        .catch(this.#onError)
        .then(() => {
          if (this.#running.get(id) === ended) this.#running.delete(id);
        });
      this.#running.set(id, ended);
      return;
    }
    const operation = this.#running.get(id);
    if (operation !== undefined) this.#holdBack(id, operation);
    this.#handle(message).catch(this.#onError);
  }

  #holdBack(id: string, until: Promise<void>): void {
    this.#ending ??= new Map();
    this.#ending.set(id, until);
    void until.then(() => {
      if (this.#ending?.get(id) === until) this.#ending.delete(id);
    });
  }
}
