// How a journey gets at its deployments: a place and the breaker's permit together, or not at all. Who was merely full
// is remembered, and waited for when nobody with room is left.

import type { Deployment } from '../domain/model.ts';
import type { Place } from './capacity.ts';
import type { FailoverDeps, Journey } from './journey.ts';
import type { Permit } from './permit.ts';

/** One call may be made. */
export interface Entry extends Place {
  /** Settled by the attempt. */
  readonly permit: Permit;
}

export interface Passage {
  /** Undefined: not now. */
  admit(deployment: Deployment): Entry | undefined;
  /** Somebody was full when asked, and may have room when waited for. */
  someFull(): boolean;
  /** Undefined when nobody is left to wait for, the caller has left, or the total deadline passed (`expired`). */
  wait(): Promise<Entry | undefined>;
  /** The message of a request that waited until its end. */
  expired(): string | undefined;
  /** Milliseconds in line. */
  waitedMs(): number;
}

/** `permit`: the breaker's word, undefined when no call may be made for another reason than capacity. */
export function createPassage(
  journey: Journey,
  {
    capacity,
    health,
    catalog,
    clock,
    retryLimits,
  }: Pick<FailoverDeps, 'capacity' | 'health' | 'catalog' | 'clock' | 'retryLimits'>,
  permit: (deployment: Deployment) => Permit | undefined,
): Passage {
  const { signal, endsAtMs } = journey;
  const full = new Map<string, Deployment>();
  let sinceMs: number | undefined;
  let waitedMs = 0;
  let expired: string | undefined;

  function admit(deployment: Deployment): Entry | undefined {
    // First, lest a broken deployment is waited for.
    const permitted = permit(deployment);
    if (!permitted) return undefined;
    const place = capacity.tryAcquire(deployment);
    if (place) return { ...place, permit: permitted };
    permitted.ignore();
    full.set(deployment.id, deployment);
    return undefined;
  }

  async function standInLine(): Promise<Place | undefined> {
    const startMs = clock.monotonic();
    sinceMs ??= startMs;
    const deployments = [...full.values()];
    journey.onWaiting?.(true);
    const place = await capacity.wait({
      deployments,
      priority: journey.spec.priority,
      sinceMs,
      signal,
      endsAtMs,
      maxCooldownMs: retryLimits.maxRetryAfterMs,
    });
    journey.onWaiting?.(false);
    waitedMs += clock.monotonic() - startMs;
    if (place || signal.aborted) return place;
    const areCooling = deployments.every(({ id }) => health.cooldownLeftMs(id) > retryLimits.maxRetryAfterMs);
    if (!areCooling)
      expired = `It waited ${Math.round(waitedMs)} ms for room at ${deployments.map(({ id }) => id).join(', ')}, until its total deadline passed.`;
    return undefined;
  }

  return {
    admit,
    async wait() {
      while (full.size > 0) {
        const place = await standInLine();
        if (!place) return undefined;
        full.delete(place.deployment.id);
        // The world has changed meanwhile: it may be drained, broken or gone.
        const deployment = catalog.deployment(place.deployment.id);
        const permitted = deployment && permit(deployment);
        if (permitted) return { ...place, permit: permitted };
        place.release();
      }
      return undefined;
    },
    someFull: () => full.size > 0,
    expired: () => expired,
    waitedMs: () => waitedMs,
  };
}
