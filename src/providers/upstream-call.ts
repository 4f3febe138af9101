// One request to a provider's server and what comes back, handed on as it comes. It ends with the response, with an
// abort, with a broken connection, or when its listener refuses to go on.

import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { transportError } from './errors.ts';

/** Called at once, in this order. What `onHead` or `onChunk` throws ends the call. */
export interface UpstreamListener {
  /** The connection stands and the request is about to be written to it. */
  onConnected?(): void;
  onHead(status: number, headers: IncomingHttpHeaders): void;
  onChunk(chunk: Buffer): void;
}

/** After the end marker of a stream its last chunk is due at once; a server that dawdles loses its connection. */
const RELEASE_GRACE_MS = 250;
const RELEASE_MAX_BYTES = 64_000;

/** Who is told of a call that has ended: what still holds the call shall not hold all that listened to it. */
const NOBODY: UpstreamListener = { onHead() {}, onChunk() {} };

export class UpstreamCall implements Dispatcher.DispatchHandler {
  /**
   * Resolves when the provider has nothing more to do for this call. Rejects with what broke the connection, what the
   * listener threw, or the reason of the abort.
   */
  readonly ended: Promise<void>;
  readonly #end = Promise.withResolvers<void>();
  readonly #provider: string;
  #listener: UpstreamListener;
  readonly #signal: AbortSignal;
  #controller: Dispatcher.DispatchController | undefined;
  #state: 'open' | 'released' | 'ended' = 'open';
  #isAnswered = false;
  #surplusBytes = 0;
  #grace: NodeJS.Timeout | undefined;

  constructor(provider: string, listener: UpstreamListener, signal: AbortSignal) {
    this.#provider = provider;
    this.#listener = listener;
    this.#signal = signal;
    this.ended = this.#end.promise;
    if (signal.aborted) this.fail(signal.reason);
    else signal.addEventListener('abort', this, { once: true });
  }

  /**
   * No more is wanted: a rest that ends within the grace is thrown away, so that the connection can serve again, else
   * the connection is closed. Nothing can fail any more.
   */
  release(): void {
    if (this.#state !== 'open') return;
    this.#state = 'released';
    this.#signal.removeEventListener('abort', this);
    this.#grace = setTimeout(() => this.#close(), RELEASE_GRACE_MS);
    this.#grace.unref();
  }

  /** Closes the connection; `ended` rejects with the error. */
  fail(error: unknown): void {
    if (this.#state === 'ended') return;
    // First our reason, then the socket, whose end would otherwise be taken for the cause.
    this.#settle();
    this.#end.reject(error);
    this.#controller?.abort(asError(error));
  }

  /** Of the abort signal. */
  handleEvent(): void {
    this.fail(this.#signal.reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Ended while it waited for its connection: undici knew nothing of it.
    if (this.#state === 'ended') controller.abort(asError(this.#signal.reason));
    else this.#listener.onConnected?.();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#isAnswered = true;
    try {
      this.#listener.onHead(status, headers);
    } catch (error) {
      this.fail(error);
    }
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === 'open') {
      try {
        this.#listener.onChunk(chunk);
      } catch (error) {
        this.fail(error);
      }
    } else if (this.#state === 'released') {
      this.#surplusBytes += chunk.length;
      if (this.#surplusBytes > RELEASE_MAX_BYTES) this.#close();
    }
  }

  onResponseEnd(): void {
    this.#settle();
    this.#end.resolve();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#state === 'released') this.onResponseEnd();
    else this.fail(transportError(this.#provider, error, this.#isAnswered));
  }

  #close(): void {
    this.onResponseEnd();
    this.#controller?.abort(new Error('The reader has left'));
  }

  #settle(): void {
    this.#state = 'ended';
    clearTimeout(this.#grace);
    this.#signal.removeEventListener('abort', this);
    this.#listener = NOBODY;
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
