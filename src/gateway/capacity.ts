// The places at the deployments: how many calls each has under way, and who waits in line for one to end. A place that
// becomes free goes straight to the first in line, so nobody slips in between; at a deployment that asked for a pause it
// stays free until that is over. Of this process only.

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
  /** It gives up as well when all of them have to be left alone for longer than that. */
  readonly maxCooldownMs: number;
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
  /** Stands in line. Resolves with a place, or with undefined when the signal aborts or it gives up. */
  wait(options: WaitOptions): Promise<Place | undefined>;
  load(deploymentId: string): CapacityLoad;
}

interface Waiter extends WaitOptions {
  readonly take: (place: Place | undefined) => void;
}

/** Calls are counted in `health`, where routing reads them. */
export function createCapacity({ health, clock }: { health: Health; clock: Clock }): Capacity {
  /** Stops what looks into a line again when the deployment's cooldown is over. */
  const thaws = new Map<string, () => void>();
  const { lineOf, join, leave } = createLines(emptied => {
    thaws.get(emptied)?.();
    thaws.delete(emptied);
  });

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
      // Otherwise everybody in line would be refused in turn for what the first one was told.
      if (health.cooldownLeftMs(deploymentId) > 0) {
        rest(deploymentId);
        return;
      }
      first.take(occupy(deployment));
    }
  }

  /** Its line waits for the end of the cooldown, but for those who cannot wait so long. */
  function rest(deploymentId: string): void {
    for (const { deployments, maxCooldownMs, take } of [...lineOf(deploymentId)])
      if (deployments.every(({ id }) => health.cooldownLeftMs(id) > maxCooldownMs)) take(undefined);
    if (lineOf(deploymentId).length === 0) return;
    thaws.get(deploymentId)?.();
    const leftMs = health.cooldownLeftMs(deploymentId);
    thaws.set(
      deploymentId,
      clock.after(leftMs, () => handOver(deploymentId)),
    );
  }

  function tryAcquire(deployment: Deployment): Place | undefined {
    return hasRoom(deployment) && lineOf(deployment.id).length === 0 ? occupy(deployment) : undefined;
  }

  return {
    tryAcquire,
    async wait(options) {
      const { deployments, signal, endsAtMs } = options;
      if (signal.aborted) return undefined;
      const cooling = deployments.filter(({ id }) => health.cooldownLeftMs(id) > 0);
      for (const deployment of deployments) {
        const place = cooling.includes(deployment) ? undefined : tryAcquire(deployment);
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
      for (const { id } of cooling) handOver(id);
      return promise;
    },
    load: deploymentId => ({
      inFlight: health.inFlight(deploymentId),
      waiting: lineOf(deploymentId).length,
    }),
  };
}

function createLines(onEmptied: (deploymentId: string) => void) {
  /** In the order in which they are served; only deployments that somebody waits for. */
  const lines = new Map<string, Waiter[]>();

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
      if (line.length > 0) continue;
      lines.delete(id);
      onEmptied(id);
    }
  }

  return {
    lineOf: (deploymentId: string): readonly Waiter[] => lines.get(deploymentId) ?? [],
    join,
    leave,
  };
}
