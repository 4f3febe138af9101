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
export async function cancelRequest(request: ModelRequest, deps: CancellationDeps): Promise<void> {
  const { store, signals, clock, active, queue, news } = deps;
  const { id } = request;
  if (isTerminal(request.status)) return;
  const isWorkflow = request.taskType === 'WORKFLOW';
  const endsAtMs = clock.monotonic() + MAX_WAIT_MS;
  // What ends in several steps is to end also when whoever has it in hand dies between two of them.
  let isWished = isWorkflow && (await store.requests.wishCancel(id));
  if (isWorkflow && !isWished) return;
  let isTold = false;
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
      if (isWorkflow) await cancelStepsOf(id, deps);
      return;
    }
    if (!isTold) {
      isWished ||= await store.requests.wishCancel(id);
      if (!isWished) return;
      signals.send({ type: 'cancel-wished', requestId: id });
      isTold = true;
    }
    await news.next(id, POLL_MS);
    const [stored] = await store.requests.byIds([id]);
    if (!stored || isTerminal(stored.status)) return;
  }
}

/** Nobody had the workflow in hand: those of its steps that wait have ended with it, and those that run hear of it here. */
async function cancelStepsOf(workflowId: string, deps: CancellationDeps): Promise<void> {
  const { requests, workflows } = deps.store;
  const steps = await requests.byIds(await workflows.unfinishedRequests(workflowId));
  await Promise.all(steps.map(step => step && cancelRequest(step, deps)));
}
