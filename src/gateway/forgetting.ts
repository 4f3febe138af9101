// What this process remembers of deployments that are offered no more: kept for a while, for a local server that is
// started again is the same one, and then let go, or a provider whose list keeps changing would fill the memory.

import type { Catalog } from '../control/catalog.ts';
import type { Clock } from '../lib/clock.ts';
import type { Breakers } from './breakers.ts';
import type { Health } from './health.ts';

/** As long as times count that nobody has measured anew. */
const FORGET_AFTER_MS = 300_000;

interface ForgettingDeps {
  readonly catalog: Catalog;
  readonly breakers: Breakers;
  readonly health: Health;
  readonly clock: Clock;
}

/**
 * The function returned is to be called now and then: it forgets what has been gone for long enough. What it may not
 * forget yet (held open by hand, calls under way) it tries again with each call.
 */
export function createForgetting({ catalog, breakers, health, clock }: ForgettingDeps): () => void {
  /** Monotonic instant at which each was first seen to be gone. */
  const goneSinceMs = new Map<string, number>();

  function forgetTheGone(): void {
    const nowMs = clock.monotonic();
    const known = new Set([...breakers.known(), ...health.known()]);
    for (const id of goneSinceMs.keys()) if (!known.has(id)) goneSinceMs.delete(id);
    for (const id of known) {
      const sinceMs = goneSinceMs.get(id) ?? nowMs;
      if (catalog.deployment(id)) goneSinceMs.delete(id);
      else if (nowMs - sinceMs < FORGET_AFTER_MS) goneSinceMs.set(id, sinceMs);
      // Health counts the calls under way from before the breaker's word until after the connection is closed.
      else if (health.forget(id)) breakers.forget(id);
    }
  }

  catalog.onChange(forgetTheGone);
  return forgetTheGone;
}
