// Figures as they change: one value at once, then one whenever something has finished, but never more often than the
// interval. However many requests finish meanwhile, the database is asked once.

import { cancellable, createBell } from '../lib/abort.ts';
import { type Clock, systemClock } from '../lib/clock.ts';

interface MetricsUpdatesOptions<Figures> {
  /** Yields whenever something that counts has finished; its end is the end of the updates. */
  readonly finished: () => AsyncIterableIterator<unknown>;
  readonly read: () => Promise<Figures>;
  readonly intervalMs: number;
  readonly clock?: Clock;
}

export function metricsUpdates<Figures>({
  finished,
  read,
  intervalMs,
  clock = systemClock,
}: MetricsUpdatesOptions<Figures>): AsyncIterableIterator<Figures> {
  return cancellable(async function* (signal) {
    // Listened to before the first reading, so that what finishes during it is not missed.
    const source = finished();
    const change = createBell(signal);
    let open = true;
    const listening = (async () => {
      for await (const _request of source) change.ring();
    })().finally(() => {
      open = false;
      change.ring();
    });
    listening.catch(() => {});
    signal.addEventListener('abort', () => void source.return?.(), { once: true });
    while (open && !signal.aborted) {
      yield await read();
      const pause = createBell(signal);
      const cancelPause = clock.after(intervalMs, pause.ring);
      await change.wait();
      if (open) await pause.wait();
      cancelPause();
      pause.dispose();
    }
    if (!signal.aborted) await listening;
  });
}
