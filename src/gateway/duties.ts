// What the gateway owes the installation, beside serving its callers: to take part in the work that waits, to obey what
// was ordered on other instances, to let go of what it lost, and to leave in good order.

import type { Acceptance } from './acceptance.ts';
import type { ActiveRequests } from './active-requests.ts';
import { createForgetting } from './forgetting.ts';
import type { Gateway, GatewayDeps } from './gateway.ts';
import type { ProviderStatus } from './provider-status.ts';
import type { Queue } from './queue.ts';
import type { RequestNews } from './request-news.ts';

interface Parts {
  readonly active: ActiveRequests;
  readonly acceptance: Acceptance;
  readonly queue: Queue;
  readonly news: RequestNews;
  readonly status: ProviderStatus;
  readonly reviewContent: () => void;
}

type Duties = Pick<
  Gateway,
  'load' | 'start' | 'review' | 'changedElsewhere' | 'drain' | 'fence' | 'fenceRequest'
> & {
  /** It takes nothing new any more. */
  isDraining(): boolean;
};

export function createDuties(
  deps: GatewayDeps,
  { active, acceptance, queue, news, status, reviewContent }: Parts,
): Duties {
  const { admission, signals, events, log, store } = deps;
  const forgetTheGone = createForgetting(deps);
  let draining = false;

  async function followOrders(): Promise<void> {
    await status.followBreakerOrders();
    await status.restoreDrains();
  }

  // A signal is a hint to look now instead of at the next heartbeat.
  const stopListening = signals.onSignal(signal => {
    if (signal.type === 'work-queued') admission.wake();
    if (signal.type === 'request-changed') void news.changedElsewhere([signal.requestId]);
    if (signal.type === 'content-deleted') events.forget([signal.requestId]);
    if (signal.type === 'controls-changed')
      followOrders().catch(error => log.warn({ error }, 'what administrators did is looked at again later'));
    const entry = signal.type === 'cancel-wished' && active.get(signal.requestId);
    if (entry) void active.stop(entry, 'cancelled');
  });

  return {
    isDraining: () => draining,
    load: () => admission.load(),
    start: () => admission.start(queue.take),
    async review() {
      forgetTheGone();
      reviewContent();
      await queue.review();
      await followOrders();
      await store.budgets.refresh();
    },
    changedElsewhere(requestIds) {
      // They may wait now, and there may be room here.
      admission.wake();
      signals.send({ type: 'work-queued' });
      return news.changedElsewhere(requestIds);
    },
    async drain(graceMs) {
      draining = true;
      stopListening();
      await admission.stop();
      await active.drain(await acceptance.settle(graceMs));
      signals.send({ type: 'work-queued' });
    },
    fenceRequest(requestId) {
      const entry = active.get(requestId);
      if (entry) void active.stop(entry, 'fenced');
    },
    fence() {
      void admission.stop();
      active.fence();
    },
  };
}
