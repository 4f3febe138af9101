// How many retries the traffic bears, as a share of it (the retry budgets of Finagle and Envoy work the same way). A
// provider in trouble must not get several times its usual load from us, and a request must not be paid for again and
// again. Of this process only: each instance has its own share of the traffic, and so of the retries.

import type { Clock } from '../lib/clock.ts';
import { createRateWindow, RATE_WINDOW_MS } from './rate-window.ts';

/** What an attempt beyond a request's first one is. */
export const RETRY_KINDS = ['same-deployment', 'first-failover', 'further-failover', 'hedge'] as const;
export type RetryKind = (typeof RETRY_KINDS)[number];

export interface RetryBudget {
  /** A request makes its first attempt: its share is added to the budget. */
  firstAttempt(): void;
  /**
   * May this attempt be made? If so, it is taken from the budget. The first failover always may and takes nothing: the
   * outage of one provider must not fail requests that another one can answer.
   */
  admits(kind: RetryKind): boolean;
}

interface RetryBudgetOptions {
  readonly clock: Clock;
  /** Retries per hundred first attempts of the last ten seconds. */
  readonly percent: number;
  /** So many are admitted besides, whatever the traffic: a quiet server may retry too. */
  readonly minPerSecond: number;
  readonly onDecision?: ((kind: RetryKind, admitted: boolean) => void) | undefined;
}

export function createRetryBudget(options: RetryBudgetOptions): RetryBudget {
  const { clock, percent, minPerSecond, onDecision } = options;
  const share = createTrafficShare(
    clock,
    requests => (requests * percent) / 100 + minPerSecond * (RATE_WINDOW_MS / 1_000),
  );
  return {
    firstAttempt: share.deposit,
    admits(kind) {
      const admitted = kind === 'first-failover' || share.take();
      onDecision?.(kind, admitted);
      return admitted;
    },
  };
}

/** Something that only a share of the requests of the last ten seconds may have. */
export interface TrafficShare {
  /** A request more. */
  deposit(): void;
  /** Takes one; false: there is no room. */
  take(): boolean;
}

/** `roomFor` says how many of so many requests may have it. */
export function createTrafficShare(clock: Clock, roomFor: (requests: number) => number): TrafficShare {
  const startedAtMs = clock.monotonic();
  const elapsedMs = () => clock.monotonic() - startedAtMs;
  const deposits = createRateWindow();
  const taken = createRateWindow();
  return {
    deposit: () => deposits.add(elapsedMs(), 1),
    take() {
      if (taken.total(elapsedMs()) + 1 > roomFor(deposits.total(elapsedMs()))) return false;
      taken.add(elapsedMs(), 1);
      return true;
    },
  };
}
