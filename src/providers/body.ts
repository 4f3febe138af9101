// The body of a response between the socket, which pushes, and the adapter, which pulls. The socket pauses while much
// is unread. Whoever has read enough lets the rest run out for a moment, so that the connection can serve again.

import type { Dispatcher } from 'undici';

export interface UpstreamBody {
  /** The next bytes, undefined at the end. Rejects with what broke the body, or with the reason of the abort. */
  read(): Promise<Buffer | undefined>;
  /**
   * No more is wanted: a rest that ends within the grace is thrown away, else the connection is closed. Resolves when
   * the provider has nothing more to do for this call.
   */
  release(): Promise<void>;
  /** Closes the connection at once, unless the body has ended. */
  destroy(): void;
}

export interface BodyFeed {
  readonly body: UpstreamBody;
  push(chunk: Buffer): void;
  end(): void;
  fail(error: unknown): void;
}

/** Unread bytes at which the socket pauses until they are read. */
const PAUSE_AT_BYTES = 256_000;
/** After the end marker of a stream its last chunk is due at once; a server that dawdles loses its connection. */
const RELEASE_GRACE_MS = 250;
const RELEASE_MAX_BYTES = 64_000;

export function createBody(controller: Dispatcher.DispatchController, onSettled: () => void): BodyFeed {
  const chunks: Buffer[] = [];
  let unreadBytes = 0;
  let state: 'open' | 'released' | 'ended' | 'failed' = 'open';
  let failure: unknown;
  let waiting: PromiseWithResolvers<Buffer | undefined> | undefined;
  let grace: NodeJS.Timeout | undefined;
  const over = Promise.withResolvers<void>();

  function settle(to: 'ended' | 'failed', error?: unknown): void {
    if (state === 'ended' || state === 'failed') return;
    state = to;
    failure = error;
    clearTimeout(grace);
    over.resolve();
    onSettled();
    if (to === 'ended') waiting?.resolve(undefined);
    else waiting?.reject(error);
    waiting = undefined;
  }

  function destroy(): void {
    if (state === 'ended' || state === 'failed') return;
    const left = new Error('The reader has left');
    settle('failed', left);
    chunks.length = 0;
    controller.abort(left);
  }

  function push(chunk: Buffer): void {
    unreadBytes += chunk.length;
    if (state === 'released') {
      if (unreadBytes > RELEASE_MAX_BYTES) destroy();
    } else if (waiting) {
      unreadBytes = 0;
      waiting.resolve(chunk);
      waiting = undefined;
    } else {
      chunks.push(chunk);
      if (unreadBytes > PAUSE_AT_BYTES && !controller.paused) controller.pause();
    }
  }

  async function read(): Promise<Buffer | undefined> {
    if (chunks.length > 0) {
      // All that has come: each reading costs more than joining does.
      const unread = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      chunks.length = 0;
      unreadBytes = 0;
      if (controller.paused) controller.resume();
      return unread;
    }
    if (state === 'failed') throw failure;
    if (state !== 'open') return undefined;
    waiting = Promise.withResolvers();
    return waiting.promise;
  }

  function release(): Promise<void> {
    if (state !== 'open') return over.promise;
    state = 'released';
    onSettled();
    chunks.length = 0;
    unreadBytes = 0;
    grace = setTimeout(destroy, RELEASE_GRACE_MS);
    grace.unref();
    if (controller.paused) controller.resume();
    return over.promise;
  }

  return {
    body: { read, release, destroy },
    push,
    end: () => settle('ended'),
    fail: error => settle('failed', error),
  };
}
