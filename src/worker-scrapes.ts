// Asks all workers for their metrics and answers the one that is being scraped with the sum. A worker that does not
// answer in time is counted with what it said last, and is not asked again until it has answered.

import type { Worker } from 'node:cluster';
import { atMost, systemClock } from './lib/clock.ts';
import type { Log } from './telemetry/log.ts';
import { createWorkerMetrics } from './telemetry/worker-metrics.ts';
import type { FromWorker, ToWorker } from './worker.ts';

export interface Scrapes {
  handle(worker: Worker, message: Exclude<FromWorker, { type: 'serving' }>): void;
  ended(worker: Worker): void;
  /** A worker is started in place of another. */
  restarted(): void;
}

interface ScrapesDeps {
  readonly workers: () => readonly Worker[];
  /** How many of them take requests. */
  readonly serving: () => number;
  readonly log: Log;
}

/** A healthy worker answers within milliseconds. */
const COLLECT_MS = 1_000;

export function createScrapes({ workers, serving, log }: ScrapesDeps): Scrapes {
  const metrics = createWorkerMetrics(serving);
  const asked = new Map<number, PromiseWithResolvers<void>>();
  let collecting: Promise<void> | undefined;

  function ask(worker: Worker): Promise<void> {
    const pending = asked.get(worker.id);
    if (pending) return pending.promise;
    if (!send(worker, { type: 'snapshot' })) return Promise.resolve();
    const answer = Promise.withResolvers<void>();
    asked.set(worker.id, answer);
    return answer.promise;
  }

  /** Scrapes at the same time share one round. */
  function collect(): Promise<void> {
    collecting ??= atMost(systemClock, COLLECT_MS, Promise.all(workers().map(ask))).finally(() => {
      collecting = undefined;
    });
    return collecting;
  }

  function answered(worker: number): void {
    asked.get(worker)?.resolve();
    asked.delete(worker);
  }

  async function answer(worker: Worker, scrape: number): Promise<void> {
    await collect();
    send(worker, { type: 'exposition', scrape, exposition: await metrics.exposition() });
  }

  return {
    handle(worker, message) {
      if (message.type === 'scrape')
        answer(worker, message.scrape).catch(error => log.error({ error }, 'a scrape failed'));
      else {
        metrics.take(worker.id, message.snapshot);
        answered(worker.id);
      }
    },
    ended(worker) {
      metrics.ended(worker.id);
      answered(worker.id);
    },
    restarted: metrics.restarted,
  };
}

/** Whether it could be sent: a worker that has just died cannot be told anything. */
function send(worker: Worker, message: ToWorker): boolean {
  if (!worker.isConnected()) return false;
  worker.send(message, () => {});
  return true;
}
