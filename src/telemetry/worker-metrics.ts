// The metrics of several processes as one scrape. A sum must never fall because a process is slow or gone, since
// Prometheus takes a counter that falls for one that began anew and counts all of it again: what a process said last
// stands until it says something newer, and its counters stay when it ends.

import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import type { Exposition, Snapshot } from './metrics.ts';

export interface WorkerMetrics {
  /** What a worker counts now; replaces what it said before. */
  take(worker: number, snapshot: Snapshot): void;
  /** The worker is gone: its counters stay, its gauges end. */
  ended(worker: number): void;
  restarted(): void;
  exposition(): Promise<Exposition>;
}

/** Adding these up says nothing; the others say how they are added, or are sums. */
const AGGREGATORS: Readonly<Record<string, 'max' | 'min'>> = {
  mcplane_breaker_state: 'max',
  nodejs_eventloop_lag_seconds: 'max',
  nodejs_eventloop_lag_mean_seconds: 'max',
  nodejs_eventloop_lag_stddev_seconds: 'max',
  nodejs_eventloop_lag_p50_seconds: 'max',
  nodejs_eventloop_lag_p90_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
  process_max_fds: 'min',
  process_start_time_seconds: 'min',
};

type Metric = { readonly name: string; readonly type: unknown };

/** `serving` is asked at each scrape: the workers that take requests now. */
export function createWorkerMetrics(serving: () => number): WorkerMetrics {
  const own = new Registry();
  const restarts = new Counter({
    name: 'mcplane_worker_restarts_total',
    help: 'Workers that were started in place of one that ended.',
    registers: [own],
  });
  new Gauge({
    name: 'mcplane_workers',
    help: 'Workers that serve.',
    registers: [own],
    collect() {
      this.set(serving());
    },
  });
  const latest = new Map<number, Snapshot>();
  let remains: Promise<Snapshot> = Promise.resolve([]);

  return {
    take: (worker, snapshot) => void latest.set(worker, snapshot),
    ended(worker) {
      const lasting = latest.get(worker)?.filter(metric => (metric as Metric).type !== 'gauge');
      latest.delete(worker);
      if (lasting) remains = remains.then(before => addUp([before, lasting]).getMetricsAsJSON());
    },
    restarted: () => restarts.inc(),
    async exposition() {
      const sum = addUp([await own.getMetricsAsJSON(), ...latest.values(), await remains]);
      return { contentType: sum.contentType, body: await sum.metrics() };
    },
  };
}

function addUp(snapshots: readonly Snapshot[]): Registry {
  const marked = snapshots.map(snapshot =>
    (snapshot as readonly Metric[]).map(metric => {
      const aggregator = AGGREGATORS[metric.name];
      return aggregator ? { ...metric, aggregator } : metric;
    }),
  );
  return AggregatorRegistry.aggregate(marked);
}
