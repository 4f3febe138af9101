// One WebSocket within its bounds: messages per second, few of them before it has signed in, a reader that stops
// reading, a peer that is gone (by peer-watch.ts). Also what graphql-ws leaves open in the protocol: server-only messages, and an id that is used again
// while its first operation is still ending.

import type { Duplex } from 'node:stream';
import type { WebSocket as ProtocolSocket } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { Delivery, type Message } from './delivery.ts';
import { BYTES_OF_AN_OPERATION, type Gate, weightOf } from './gate.ts';
import { exceedsJsonBounds } from './json-bounds.ts';
import type { HttpLimits } from './limits.ts';
import { nestsDeeper } from './operation-params.ts';
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
  /** It has signed in: from now on it may send at the full rate, counted for this principal. */
  admit(principal: string): void;
  close(code: number, reason: string): void;
  /** Closes and waits for the peer to agree; cuts it when it does not. */
  end(code: number, reason: string): Promise<void>;
}

const SERVER_ONLY = ['connection_ack', 'next', 'error'];
const CLOSE_PATIENCE_MS = 1_000;
/** What a message may carry before it counts as more than one. */
const BYTES_OF_A_MESSAGE = 4_096;
/** So much is written at once: the events that are there when a stream begins are one write and not one each. */
const BYTES_OF_A_TURN = 2_048;
const SENT = Promise.resolve();
/** Whoever has not signed in needs one message, and a few pings. */
const NEWCOMER_RATE = { perSecond: 10, burst: 20 };

interface SocketsDeps {
  readonly limits: HttpLimits;
  readonly gate: Pick<Gate, 'charge' | 'messages' | 'unread'>;
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
  const rates = {
    newcomer: createTokenBuckets(NEWCOMER_RATE, deps.clock),
    admitted: createTokenBuckets({ perSecond, burst: perSecond }, deps.clock),
  };
  const logError = (error: unknown) => deps.log.debug({ error }, 'a socket broke the protocol');
  return options => {
    const { socket } = options;
    socket.on('error', logError);
    deps.peers.add(socket);
    return new BoundedSocket(options, deps, rates);
  };
}

type Rates = Readonly<Record<'newcomer' | 'admitted', () => TokenBucket>>;

class BoundedSocket implements Socket {
  readonly protocol: string;
  readonly #socket: WebSocket;
  readonly #connection: Duplex;
  readonly #deps: SocketsDeps;
  readonly #rates: Rates;
  #rate: TokenBucket;
  #principal: string | undefined;
  #isCorked = false;
  /** Made when somebody waits for the close. */
  #closed: PromiseWithResolvers<void> | undefined;

  constructor({ socket, connection, onClose }: SocketOptions, deps: SocketsDeps, rates: Rates) {
    this.protocol = socket.protocol;
    this.#socket = socket;
    this.#connection = connection;
    this.#deps = deps;
    this.#rates = rates;
    this.#rate = rates.newcomer();
    socket.on('ping', () => this.#isOverRate(0));
    socket.on('close', (code, reason) => {
      onClose(code, String(reason));
      this.#closed?.resolve();
    });
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  admit(principal: string): void {
    this.#principal = principal;
    this.#rate = this.#rates.admitted();
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
    if (data.length > BYTES_OF_AN_OPERATION) return this.#sendLarge(data);
    this.#cork();
    // A failed write need not be reported: the socket's end is, by its own events.
    if (this.#socket.bufferedAmount < BYTES_OF_A_TURN) {
      this.#socket.send(data);
      return SENT;
    }
    // Whoever sends much goes on after the turn's write, and meanwhile what comes next is joined.
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
      if (!this.open) return;
      const text = String(data);
      if (this.#isOverRate(text.length)) return;
      // Whoever does not read shall not make us write more. peer-watch.ts goes on with it when it has read.
      if (this.#socket.bufferedAmount > this.#deps.limits.slowReaderBytes) this.#socket.pause();
      const message = readMessage(text, this.#deps.limits);
      if (message) delivery.deliver(message);
      else this.close(CLOSE.badRequest, 'Invalid message received');
    });
  }

  #isOverRate(length: number): boolean {
    const count = 1 + Math.floor(length / BYTES_OF_A_MESSAGE);
    const principal = this.#principal;
    const waitMs =
      this.#rate.take(count) || (principal !== undefined && this.#deps.gate.messages.take(principal, count));
    if (!waitMs) return false;
    this.close(CLOSE.tooMany, 'Too many messages');
    return true;
  }

  /** Answers that would fill the memory while nobody reads them. */
  #sendLarge(data: string): Promise<void> {
    const { gate } = this.#deps;
    const principal = this.#principal ?? '';
    gate.charge(principal, weightOf(data.length));
    const release = gate.unread.acquire(principal, data.length);
    if (!release) {
      this.close(CLOSE.tooMany, 'Too much unread');
      return this.#untilClosed();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.send(data, () => {
      release();
      resolve();
    });
    return promise;
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
function readMessage(text: string, limits: HttpLimits): Message | undefined {
  if (exceedsJsonBounds(text, limits.maxJsonValues)) return undefined;
  try {
    const message: Message = JSON.parse(text);
    if (typeof message !== 'object' || message === null) return undefined;
    // It is sent back, and writing what is nested so deep would fail.
    if (message.type === 'ping' && nestsDeeper(message.payload, limits.maxJsonDepth)) return undefined;
    return SERVER_ONLY.includes(String(message.type)) ? undefined : message;
  } catch {
    return undefined;
  }
}
