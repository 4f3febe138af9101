// Races between hand-written streams.

import type { Hedging } from '../../src/gateway/hedging.ts';
import type { ProviderEvent } from '../../src/providers/provider.ts';
import { finished, silence, started, streamOf, token } from './attempt-setup.ts';

export const AFTER_MS = 500;

/** Everybody may be hedged. */
export const freely = (afterMs = AFTER_MS): { hedging: Hedging } => ({
  hedging: { afterMs, share: { deposit() {}, take: () => true } },
});
export const answering = (text: string) => streamOf(started, token(text), finished());
export const silent = streamOf(started, silence());
/** Waits until it is told to go on. */
export function gated(...steps: (ProviderEvent | Error)[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { stream: streamOf(started, promise, ...steps), open: resolve };
}
