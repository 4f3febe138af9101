// A cancel takes effect wherever the request is: in the hands of this process, in the queue, or on another instance.

import { isTerminal, type ModelRequest } from '../domain/request.ts';
import type { Signals } from '../events/signals.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { ActiveRequests } from './active-requests.ts';
import type { Queue } from './queue.ts';
import type { RequestNews } from './request-news.ts';

/** How long the answer waits for another instance to obey: two heartbeats and some, when there is no Redis. */
const MAX_WAIT_MS = 5_000;
const POLL_MS = 200;

export interface CancellationDeps {
  readonly store: Store;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly active: ActiveRequests;
  readonly queue: Queue;
  readonly news: RequestNews;
}

/** Resolves when the request has ended, or when the instance that runs it has not obeyed in time. */
export async function cancelRequest(
  request: ModelRequest,
  { store, signals, clock, active, queue, news }: CancellationDeps,
): Promise<void> {
  const { id } = request;
  if (isTerminal(request.status)) return;
  const endsAtMs = clock.monotonic() + MAX_WAIT_MS;
  let wished = false;
  // It may move while it is looked for: from the queue to an instance, or back.
  while (clock.monotonic() < endsAtMs) {
    const entry = active.get(id);
    if (entry) {
      const stopped = await active.stop(entry, 'cancelled');
      if (isTerminal(stopped.status)) return;
    }
    if (await queue.cancel(id)) {
      const [cancelled] = await store.requests.byIds([id]);
      if (cancelled) news.announce(cancelled);
      return;
    }
    if (!wished) {
      wished = await store.requests.wishCancel(id);
      if (!wished) return;
      signals.send({ type: 'cancel-wished', requestId: id });
    }
    await news.next(id, POLL_MS);
    const [stored] = await store.requests.byIds([id]);
    if (!stored || isTerminal(stored.status)) return;
  }
}
