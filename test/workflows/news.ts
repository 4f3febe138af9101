// Word of what people have done, for owners that listen.

import type { Owner } from './owner.ts';

export function createNews() {
  const ears = new Set<() => void>();
  return {
    tell(): void {
      for (const ear of [...ears]) ear();
    },
    async next(owner: Owner, atMostMs: number, signal: AbortSignal): Promise<void> {
      if (signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const ear = () => owner.doing(resolve);
      ears.add(ear);
      const cancel = owner.clock.after(atMostMs, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      cancel();
      ears.delete(ear);
    },
  };
}
