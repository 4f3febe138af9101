// One of several workers, seen from inside: what it says to the primary (workers.ts) and hears from it.

import cluster from 'node:cluster';
import { systemClock } from './lib/clock.ts';
import type { Exposition, Metrics, Snapshot } from './telemetry/metrics.ts';

export type FromWorker =
  | { readonly type: 'serving' }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  /** Somebody scrapes here and wants the sum over all. */
  | { readonly type: 'scrape'; readonly scrape: number };
export type ToWorker =
  | { readonly type: 'snapshot' }
  | { readonly type: 'exposition'; readonly scrape: number; readonly exposition: Exposition };

/** Its number, counted up by the primary; undefined in a process that is no worker. The first one is 1. */
export const workerNumber: number | undefined = cluster.worker?.id;

/** The primary waits for other workers; who waits for the primary waits a little longer. */
const ANSWER_MS = 3_000;

/** Tells the primary that requests are taken now. */
export function announceServing(): void {
  send({ type: 'serving' });
}

/** The same metrics, whose exposition is the sum over all workers. It rejects when the primary does not answer in time. */
export function shareMetrics(metrics: Metrics): Metrics {
  const waiting = new Map<number, PromiseWithResolvers<Exposition>>();
  let scrapes = 0;
  process.on('message', (message: ToWorker) => {
    if (message.type === 'exposition') waiting.get(message.scrape)?.resolve(message.exposition);
    else if (message.type === 'snapshot')
      void metrics.snapshot().then(snapshot => send({ type: 'snapshot', snapshot }));
  });
  return {
    ...metrics,
    async exposition() {
      const scrape = ++scrapes;
      const answer = Promise.withResolvers<Exposition>();
      const late = () => answer.reject(new Error('the primary process does not answer'));
      const cancelTimer = systemClock.after(ANSWER_MS, late);
      waiting.set(scrape, answer);
      send({ type: 'scrape', scrape });
      return answer.promise.finally(() => {
        cancelTimer();
        waiting.delete(scrape);
      });
    },
  };
}

function send(message: FromWorker): void {
  // Without a primary the process is about to end, and a failed send is reported by that.
  process.send?.(message, undefined, undefined, () => {});
}
