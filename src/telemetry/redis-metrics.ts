// What the sharing of streams through Redis does; registered only where there is a Redis.

import { Counter, Gauge, type Registry } from 'prom-client';

export interface RedisMetrics {
  /** Whether Redis can be reached and does what it is asked. */
  up(isUp: boolean): void;
  failed(operation: string): void;
  mirrored(entries: number): void;
  resynced(): void;
  fenced(): void;
  signalsDropped(count: number): void;
}

export function createRedisMetrics(registry: Registry): RedisMetrics {
  const registers = [registry];
  const up = new Gauge({
    name: 'mcplane_redis_up',
    help: '1 while Redis answers; 0 means that streams are followed only on the instance that runs them.',
    registers,
  });
  const errors = new Counter({
    name: 'mcplane_redis_errors_total',
    help: 'Failures of Redis, by operation (connection, mirror, read, subscribe, signal, limits).',
    labelNames: ['operation'],
    registers,
  });
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const mirrored = counter(
    'mcplane_stream_mirrored_entries_total',
    'Entries written to the shared event log.',
  );
  const resyncs = counter(
    'mcplane_stream_resyncs_total',
    'Streams written to Redis anew as a whole, after it had lost or missed a part.',
  );
  const fenced = counter(
    'mcplane_stream_fenced_total',
    'Requests whose events Redis refused, because another instance had taken them over.',
  );
  const dropped = counter('mcplane_signals_dropped_total', 'Hints to other instances that were not sent.');
  return {
    up: isUp => up.set(isUp ? 1 : 0),
    failed: operation => errors.inc({ operation }),
    mirrored: entries => mirrored.inc(entries),
    resynced: () => resyncs.inc(),
    fenced: () => fenced.inc(),
    signalsDropped: count => dropped.inc(count),
  };
}
