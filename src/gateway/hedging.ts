// A second deployment asked beside the first one when that keeps the caller waiting: whoever begins to answer first goes
// on, and the other is cancelled. It is paid for twice, so only a share of the requests may have it, and it is off unless
// the operator asks for it. Which deployment the second one is, is decided in failover.ts.

import type { Clock } from '../lib/clock.ts';
import type { FailoverDeps, Journey } from './journey.ts';
import { FAULT_RULES } from './outcome.ts';
import { createTrafficShare, type TrafficShare } from './retry-budget.ts';
import { type Called, callTarget, type Race, type Target } from './target.ts';

export interface Hedging {
  /** A first deployment that shows no sign of an answer for so long gets company. */
  readonly afterMs: number;
  /** The requests that may have it. */
  readonly share: TrafficShare;
}

/** Undefined: no request is hedged. */
export function createHedging(
  clock: Clock,
  { afterMs, maxPercent }: { readonly afterMs: number; readonly maxPercent: number },
): Hedging | undefined {
  if (afterMs === 0 || maxPercent === 0) return undefined;
  // A quiet server has never a hundred requests in the window: one of them may be hedged all the same.
  const share = createTrafficShare(clock, requests => Math.max(1, (requests * maxPercent) / 100));
  return { afterMs, share };
}

/**
 * Makes one attempt, or two beside each other; resolves when all are over, in the order of their numbers. When one of
 * them fails, the other goes on. `takeSecond` is called at most once, when the second is to start; it may have none.
 * While both are under way the database knows of the first one only: a death then leaves the other out of the ledger.
 */
export async function callHedged(
  first: Target,
  takeSecond: () => Target | undefined,
  { journey, deps, hedging }: { journey: Journey; deps: FailoverDeps; hedging: Hedging },
): Promise<Called[]> {
  const racers: AbortController[] = [];
  const underWay = new Set<Target>();
  let isAnswering = false;

  async function start(target: Target): Promise<Called> {
    const racer = new AbortController();
    racers.push(racer);
    const race: Race = {
      lost: racer.signal,
      onAnswering() {
        if (isAnswering) return;
        isAnswering = true;
        // At once, so that the loser cannot say a word any more.
        for (const other of racers) if (other !== racer) other.abort('lost');
      },
    };
    underWay.add(target);
    const called = await callTarget(journey, { ...target, race }, deps);
    underWay.delete(target);
    const [other] = underWay;
    const goesOn = called.outcome.outcome !== 'succeeded' && !journey.signal.aborted;
    if (other && goesOn) journey.book([called.attempt], other.deployment.id);
    return called;
  }

  let second: Promise<Called> | undefined;
  const stopTimer = deps.clock.after(patienceMs(first, hedging, deps), () => {
    if (isAnswering || journey.signal.aborted) return;
    try {
      const target = takeSecond();
      if (target) second = start(target);
    } catch (error) {
      deps.log.warn({ error, requestId: journey.requestId }, 'a second deployment could not be asked');
    }
  });
  const called = await start(first);
  stopTimer();
  if (!second) return [called];
  // What the first one refuses for good is not to be tried elsewhere, also not where it is under way.
  if (called.defect || isFinal(called)) racers[1]?.abort('lost');
  return [called, await second];
}

/** The failure from which the request goes on; undefined: there was none, only a cancellation. */
export function failureOf(calls: readonly Called[]): Called | undefined {
  const failures = calls.filter(({ outcome }) => outcome.outcome === 'failed');
  const mayBeRetried = ({ outcome }: Called) => outcome.outcome === 'failed' && outcome.retrySameTarget;
  return failures.find(isFinal) ?? failures.find(mayBeRetried) ?? failures.at(-1);
}

/**
 * A deployment that is known to be slow is not hurried. Races that it lost say nothing here: one that hangs would be
 * given more time with each of them.
 */
function patienceMs({ deployment }: Target, { afterMs }: Hedging, { health }: FailoverDeps): number {
  return Math.max(afterMs, health.answersAfterMs(deployment.id) ?? 0);
}

function isFinal({ outcome }: Called): boolean {
  return outcome.outcome === 'failed' && outcome.fault !== undefined && FAULT_RULES[outcome.fault].final;
}
