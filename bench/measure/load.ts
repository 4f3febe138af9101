// Two kinds of load on a function: callers that ask again as soon as they are answered, and calls that come at a fixed
// rate whether or not the earlier ones were answered.

import { setTimeout as wait } from 'node:timers/promises';
import { createRandom, exponential } from '../routing/random.ts';
import { percentile } from './figures.ts';

export interface Measured extends Readonly<Record<string, number>> {
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

/** So many callers, until so many calls were made together. */
export async function repeat(call: () => Promise<unknown>, callers: number, times: number): Promise<void> {
  let left = times;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

interface Arrivals {
  readonly perSecond: number;
  readonly durationMs: number;
  readonly random: ReturnType<typeof createRandom>;
}

/** Starts calls at random moments, so many a second, and says when each was due: it may be started late. */
export async function arrive(
  start: (dueMs: number) => Promise<unknown>,
  { perSecond, durationMs, random }: Arrivals,
): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  let dueMs = performance.now();
  const endMs = dueMs + durationMs;
  while (dueMs < endMs) {
    for (; dueMs <= performance.now(); dueMs += exponential(random, 1_000 / perSecond)) {
      const call = start(dueMs);
      // Told at the end, when the servers can be stopped in good order.
      call.catch(() => {});
      underWay.push(call);
    }
    await wait(1);
  }
  await Promise.all(underWay);
}

/** Calls at random moments, so many a second. A call's time begins when it was due, also when it is sent late. */
export async function openLoop(
  call: () => Promise<unknown>,
  { perSecond, durationMs, seed }: { perSecond: number; durationMs: number; seed: number },
): Promise<Measured> {
  const latencies: number[] = [];
  const startMs = performance.now();
  const timed = (dueMs: number) => call().then(() => latencies.push(performance.now() - dueMs));
  await arrive(timed, { perSecond, durationMs, random: createRandom(seed) });
  return measured(latencies, performance.now() - startMs);
}

function measured(latencies: readonly number[], durationMs: number): Measured {
  return {
    perSecond: latencies.length / (durationMs / 1_000),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}
