// Who hears of a request's change: the feeds of this process, whoever waits for one request, and the other instances.

import type { ModelRequest } from '../domain/request.ts';
import type { Signals } from '../events/signals.ts';
import type { Clock } from '../lib/clock.ts';
import { createTopic } from '../lib/topic.ts';
import type { Store } from '../store/store.ts';

export interface RequestNews {
  /** Changed by this process: tells everybody. */
  announce(request: ModelRequest): void;
  /** Changed by somebody else: reads how they stand now, and tells those who listen here. */
  changedElsewhere(requestIds: readonly string[]): Promise<void>;
  /** Perhaps changed by somebody else: wakes whoever waits for it here. */
  hint(requestId: string): void;
  /** Requests that change from now on, as far as they are wanted, until the iteration is left. */
  subscribe(isWanted: (request: ModelRequest) => boolean): AsyncIterableIterator<ModelRequest>;
  /** Resolves at the request's next change, after `atMostMs`, or when the signal aborts. */
  next(requestId: string, atMostMs: number, signal?: AbortSignal): Promise<void>;
}

interface RequestNewsDeps {
  readonly store: Store;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
}

export function createRequestNews({ store, signals, clock, log }: RequestNewsDeps): RequestNews {
  const changes = createTopic<ModelRequest>();
  const waiting = new Map<string, Set<() => void>>();

  function hint(requestId: string): void {
    for (const wake of waiting.get(requestId) ?? []) wake();
  }

  function tell(request: ModelRequest): void {
    changes.publish(request.id, request);
    hint(request.id);
  }

  async function changedElsewhere(requestIds: readonly string[]): Promise<void> {
    const heard = requestIds.filter(id => changes.subscriberCount > 0 || waiting.has(id));
    if (heard.length === 0) return;
    const requests = await store.requests.byIds(heard).catch(error => {
      log.warn({ error }, 'the feed was not told of requests that others changed');
      return [];
    });
    for (const request of requests) if (request) tell(request);
  }

  return {
    announce(request) {
      tell(request);
      signals.send({ type: 'request-changed', requestId: request.id });
    },
    changedElsewhere,
    hint,
    subscribe: changes.subscribe,
    async next(requestId, atMostMs, signal) {
      if (signal?.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      const waiters = waiting.get(requestId) ?? new Set();
      waiting.set(requestId, waiters.add(wake));
      const stopWaiting = clock.after(atMostMs, wake);
      signal?.addEventListener('abort', wake, { once: true });
      await promise;
      stopWaiting();
      signal?.removeEventListener('abort', wake);
      waiters.delete(wake);
      if (waiters.size === 0 && waiting.get(requestId) === waiters) waiting.delete(requestId);
    },
  };
}
