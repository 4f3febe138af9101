// Results as server-sent events, in the form of the graphql-sse protocol ("distinct connections"): `next` for each
// result, `complete` at the end. A stream that is cut by the server ends without `complete`, so that clients resume.

import type { ServerResponse } from 'node:http';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { presentResult } from './answer.ts';
import type { HttpLimits } from './limits.ts';
import { EVENT_STREAM } from './media-types.ts';

export interface EventStream {
  /** Resolves when the stream is over, whoever ended it. */
  readonly ended: Promise<void>;
  /** Ends it without `complete`. */
  cut(): void;
}

export function sendEvents(
  response: ServerResponse,
  results: AsyncIterableIterator<ExecutionResult>,
  limits: HttpLimits,
): EventStream {
  response.writeHead(200, {
    'content-type': `${EVENT_STREAM}; charset=utf-8`,
    'cache-control': 'no-cache, no-transform',
    // Proxies that buffer would hold the tokens back.
    'x-accel-buffering': 'no',
  });
  response.socket?.setNoDelay(true);
  response.write(':\n\n');
  const keepAlive = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n');
  }, limits.keepAliveMs);
  const leave = () => void results.return?.().catch(() => {});
  response.once('close', leave);

  async function pump(): Promise<void> {
    try {
      for await (const result of results) {
        if (response.destroyed) return;
        if (!response.write(nextEvent(result, limits))) await drained(response, limits.slowReaderMs);
      }
    } catch (error) {
      // The pipeline throws nothing but masked errors. The protocol has no event for a failure, so it is a result.
      if (!response.writableEnded) response.write(nextEvent({ errors: [error as GraphQLError] }, limits));
    } finally {
      if (!response.writableEnded) response.end('event: complete\ndata: \n\n');
      clearInterval(keepAlive);
      response.off('close', leave);
    }
  }

  return {
    ended: pump(),
    cut() {
      if (!response.writableEnded) response.end();
      leave();
    },
  };
}

function nextEvent(result: ExecutionResult, limits: HttpLimits): string {
  return `event: next\ndata: ${JSON.stringify(presentResult(result, limits))}\n\n`;
}

/** One result as a stream of its own, for clients that read nothing but event streams. */
export async function* single(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}

/** Waits until the client has read; a client that reads nothing for so long is dropped. */
async function drained(response: ServerResponse, patienceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => response.destroy(), patienceMs);
  response.once('drain', resolve);
  response.once('close', resolve);
  await promise;
  clearTimeout(timer);
  response.off('drain', resolve);
  response.off('close', resolve);
}
