// Signals by one channel of Redis. What is sent within a moment goes as one message; one message at a time is under
// way, so a Redis that does not answer cannot pile them up: what does not fit is dropped and counted.

import { newId } from '../domain/ids.ts';
import type { Clock } from '../lib/clock.ts';
import { createPump } from './pump.ts';
import type { RedisConnection } from './redis-connection.ts';
import { type Signal, type Signals, signalKey, toSignal } from './signals.ts';

export interface RedisSignalsOptions {
  /** Changes of requests are sent this often at most; everything else at once. */
  readonly intervalMs: number;
  /** Changes of requests that wait at most, and other signals that wait at most; more are dropped. */
  readonly maxPending: number;
}

export const REDIS_SIGNALS_DEFAULTS: RedisSignalsOptions = { intervalMs: 50, maxPending: 1_000 };

/** What may have been missed while the connection was away, as far as it concerns everybody. */
const AFTER_A_GAP: readonly Signal[] = [
  { type: 'work-queued' },
  { type: 'controls-changed' },
  { type: 'credentials-changed' },
];

/** The connection stays open: whoever opened it closes it, after these. */
export function createRedisSignals(
  redis: RedisConnection,
  clock: Clock,
  options: Partial<RedisSignalsOptions> = {},
): Signals {
  const { intervalMs, maxPending } = { ...REDIS_SIGNALS_DEFAULTS, ...options };
  const me = newId();
  // Channels are shared by all databases of a server, installations are not.
  const name = `mcplane:signals:${redis.database}`;
  const listeners = new Set<(signal: Signal) => void>();
  // Apart, so that a burst of changes crowds nothing else out.
  const changes = new Map<string, Signal>();
  const others = new Map<string, Signal>();

  function deliver(signal: Signal): void {
    for (const listener of [...listeners])
      try {
        listener(signal);
      } catch (error) {
        redis.log.warn({ error, signal: signal.type }, 'a listener of signals failed');
      }
  }

  const channel = redis.channels.join(name, {
    message(text) {
      const message = parse(text);
      if (!message || message.from === me) return;
      for (const value of message.signals) {
        const signal = toSignal(value);
        if (signal) deliver(signal);
      }
    },
    resumed() {
      for (const signal of AFTER_A_GAP) deliver(signal);
    },
  });

  const pump = createPump<string>({
    clock,
    intervalMs,
    async write(take) {
      while (take() !== undefined);
      const signals = [...others.values(), ...changes.values()];
      others.clear();
      changes.clear();
      const [reply] = await redis.run('signal', [['publish', name, JSON.stringify({ from: me, signals })]]);
      if (reply instanceof Error) redis.meter.signalsDropped(signals.length);
      // A hint that is late is of no use: nothing is sent again, and nothing waits for Redis to come back.
      return { failed: false, again: [] };
    },
  });

  return {
    send(signal) {
      const waiting = signal.type === 'request-changed' ? changes : others;
      const key = signalKey(signal);
      if (waiting.size >= maxPending && !waiting.has(key)) redis.meter.signalsDropped(1);
      else waiting.set(key, signal);
      pump.mark(name, signal.type !== 'request-changed');
    },
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      channel.leave();
      listeners.clear();
      await pump.flushed();
      pump.close();
    },
  };
}

function parse(text: string): { readonly from: unknown; readonly signals: readonly unknown[] } | undefined {
  try {
    const { from, signals } = Object(JSON.parse(text));
    return Array.isArray(signals) ? { from, signals } : undefined;
  } catch {
    return undefined;
  }
}
