// The adapter of one provider: made when it is first needed, closed once. Where it may be replaced under way its calls
// are counted, so that it can be closed when the last of them has ended.

import type { ProviderAdapter } from '../providers/provider.ts';

export interface HeldAdapter {
  get(): ProviderAdapter;
  /** Resolves as soon as no call is under way; calls that are not counted are not waited for. */
  idle(): Promise<void>;
  /** Ends the calls that are under way. */
  close(): Promise<void>;
}

/** `counting` costs each call a little, and is for those that may be replaced or removed while the server runs. */
export function holdAdapter(create: () => ProviderAdapter, counting: boolean): HeldAdapter {
  let held: ProviderAdapter | undefined;
  let closed: Promise<void> | undefined;
  let calls = 0;
  let onIdle: (() => void) | undefined;

  function counted(adapter: ProviderAdapter): ProviderAdapter {
    return {
      ...adapter,
      async stream(call, signal, onEvent) {
        calls += 1;
        try {
          await adapter.stream(call, signal, onEvent);
        } finally {
          calls -= 1;
          if (calls === 0) onIdle?.();
        }
      },
    };
  }

  return {
    get() {
      if (!held) {
        const adapter = create();
        held = counting ? counted(adapter) : adapter;
      }
      return held;
    },
    async idle() {
      if (calls > 0) await new Promise<void>(resolve => (onIdle = resolve));
    },
    async close() {
      closed ??= held?.close();
      await closed;
    },
  };
}
