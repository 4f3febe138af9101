// Two kinds of load on a function: callers that ask again as soon as they are answered, and calls that come at a fixed
// rate whether or not the earlier ones were answered.

import { setTimeout as wait } from 'node:timers/promises';
import { createRandom, exponential } from '../routing/random.ts';

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** So many callers, each with one call under way at a time. */
export async function closedLoop(
  call: () => Promise<unknown>,
  callers: number,
  durationMs: number,
): Promise<Measured> {
  const latencies: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  const caller = async () => {
    for (let sentMs = performance.now(); sentMs < endMs; ) {
      await call();
      const nowMs = performance.now();
      latencies.push(nowMs - sentMs);
      sentMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return measured(latencies, performance.now() - startMs);
}

/** Calls at random moments, so many a second. A call's time begins when it was due, also when it is sent late. */
export async function openLoop(
  call: () => Promise<unknown>,
  { perSecond, durationMs, seed }: { perSecond: number; durationMs: number; seed: number },
): Promise<Measured> {
  const random = createRandom(seed);
  const latencies: number[] = [];
  const underWay: Promise<unknown>[] = [];
  const startMs = performance.now();
  let dueMs = startMs;
  while (dueMs < startMs + durationMs) {
    for (; dueMs <= performance.now(); dueMs += exponential(random, 1_000 / perSecond)) {
      const sinceMs = dueMs;
      underWay.push(call().then(() => latencies.push(performance.now() - sinceMs)));
    }
    await wait(1);
  }
  await Promise.all(underWay);
  return measured(latencies, performance.now() - startMs);
}

function measured(latencies: number[], durationMs: number): Measured {
  const inOrder = latencies.sort((a, b) => a - b);
  const at = (share: number) => inOrder[Math.min(inOrder.length - 1, Math.floor(share * inOrder.length))]!;
  return { perSecond: inOrder.length / (durationMs / 1_000), p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** The middle one of each figure. */
export function medianOf(rounds: readonly Measured[]): Measured {
  const middle = (of: (round: Measured) => number) =>
    rounds.map(of).sort((a, b) => a - b)[rounds.length >> 1]!;
  return {
    perSecond: middle(round => round.perSecond),
    p50Ms: middle(round => round.p50Ms),
    p99Ms: middle(round => round.p99Ms),
  };
}
