// The places at the deployments: how many calls each has under way, and who waits in line for one to end. A place that
// becomes free goes straight to the first in line, so nobody slips in between. Of this process only.

import type { Deployment } from '../domain/model.ts';
import { compareWaiting, type Waiting } from '../domain/waiting-line.ts';
import type { Clock } from '../lib/clock.ts';
import type { Health } from './health.ts';

/** The right to one call. */
export interface Place {
  readonly deployment: Deployment;
  /** Gives it back; calling it again does nothing. */
  readonly release: () => void;
}

export interface WaitOptions extends Waiting {
  /** Takes the first place that becomes free at any of these. */
  readonly deployments: readonly Deployment[];
  readonly signal: AbortSignal;
  /** Monotonic instant at which it gives up. */
  readonly endsAtMs: number;
}

export interface CapacityLoad {
  /** Calls whose connection to the provider is in use. */
  readonly inFlight: number;
  /** Requests in line; one that waits for several deployments counts at each. */
  readonly waiting: number;
}

export interface Capacity {
  /** Undefined when all places are taken. */
  tryAcquire(deployment: Deployment): Place | undefined;
  /** Stands in line. Resolves with a place, or with undefined when the signal aborts or the time is over. */
  wait(options: WaitOptions): Promise<Place | undefined>;
  load(deploymentId: string): CapacityLoad;
}

interface Waiter extends WaitOptions {
  readonly take: (place: Place | undefined) => void;
}

/** Calls are counted in `health`, where routing reads them. */
export function createCapacity({ health, clock }: { health: Health; clock: Clock }): Capacity {
  /** In the order in which they are served; only deployments that somebody waits for. */
  const lines = new Map<string, Waiter[]>();

  const lineOf = (deploymentId: string): readonly Waiter[] => lines.get(deploymentId) ?? [];

  function hasRoom({ id, maxConcurrency }: Deployment): boolean {
    return maxConcurrency === undefined || health.inFlight(id) < maxConcurrency;
  }

  function occupy(deployment: Deployment): Place {
    const end = health.begin(deployment.id);
    return {
      deployment,
      release() {
        end();
        handOver(deployment.id);
      },
    };
  }

  function handOver(deploymentId: string): void {
    for (let first = lineOf(deploymentId)[0]; first; first = lineOf(deploymentId)[0]) {
      const deployment = first.deployments.find(({ id }) => id === deploymentId)!;
      if (!hasRoom(deployment)) return;
      first.take(occupy(deployment));
    }
  }

  function join(waiter: Waiter): void {
    for (const { id } of waiter.deployments) {
      const line = lines.get(id) ?? [];
      // From behind, where newcomers mostly belong; equals stay in order of arrival.
      let index = line.length;
      while (index > 0 && compareWaiting(waiter, line[index - 1]!) < 0) index -= 1;
      line.splice(index, 0, waiter);
      lines.set(id, line);
    }
  }

  function leave(waiter: Waiter): void {
    for (const { id } of waiter.deployments) {
      const line = lines.get(id) ?? [];
      line.splice(line.indexOf(waiter), 1);
      if (line.length === 0) lines.delete(id);
    }
  }

  function tryAcquire(deployment: Deployment): Place | undefined {
    return hasRoom(deployment) && lineOf(deployment.id).length === 0 ? occupy(deployment) : undefined;
  }

  return {
    tryAcquire,
    async wait(options) {
      const { deployments, signal, endsAtMs } = options;
      if (signal.aborted) return undefined;
      for (const deployment of deployments) {
        const place = tryAcquire(deployment);
        if (place) return place;
      }
      const { promise, resolve } = Promise.withResolvers<Place | undefined>();
      const giveUp = () => waiter.take(undefined);
      const waiter: Waiter = {
        ...options,
        take(place) {
          stopTimer();
          signal.removeEventListener('abort', giveUp);
          leave(waiter);
          resolve(place);
        },
      };
      join(waiter);
      signal.addEventListener('abort', giveUp, { once: true });
      const stopTimer = clock.after(Math.max(0, endsAtMs - clock.monotonic()), giveUp);
      return promise;
    },
    load: deploymentId => ({
      inFlight: health.inFlight(deploymentId),
      waiting: lineOf(deploymentId).length,
    }),
  };
}
