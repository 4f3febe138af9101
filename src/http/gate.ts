// The door of the transports: the request rate of each principal, what runs now, and whether the server still lets
// anything in. HTTP and sockets pass the same door.

import type { GraphQLError } from 'graphql';
import type { Actor } from '../domain/access.ts';
import type { Clock } from '../lib/clock.ts';
import type { HttpLimits } from './limits.ts';
import { createLedger, createRateLimiter } from './rate-limit.ts';
import { refusal } from './refusals.ts';

/** After this long another instance, or this one restarted, is likely to answer. */
export const DRAIN_RETRY_MS = 5_000;

export interface Gate {
  /** Why the operations may not run now, or undefined; then they count. */
  refuse(actor: Actor | null, address: string, operations: number): GraphQLError | undefined;
  /** Marks an operation as running until the function returned is called. */
  enter(): () => void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  drain(): void;
  readonly draining: boolean;
  readonly running: number;
  /** Sockets and event streams by principal. */
  readonly connections: ReturnType<typeof createLedger>;
}

export function createGate(limits: HttpLimits, clock: Clock): Gate {
  const rates = createRateLimiter(
    { perSecond: limits.operationsPerSecond, burst: limits.operationsBurst },
    clock,
  );
  let draining = false;
  let running = 0;
  let wakes: (() => void)[] = [];
  return {
    connections: createLedger(limits.maxSocketsPerPrincipal),
    refuse(actor, address, operations) {
      if (draining) {
        return refusal('SHUTTING_DOWN', 'This instance is stopping. Try again.', {
          retryAfterMs: DRAIN_RETRY_MS,
        });
      }
      const waitMs = rates.take(principalOf(actor, address), operations);
      if (waitMs === 0) return undefined;
      return refusal('RATE_LIMITED', 'Too many operations. Wait retryAfterMs.', { retryAfterMs: waitMs });
    },
    enter() {
      running += 1;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        running -= 1;
        if (running > 0) return;
        for (const wake of wakes) wake();
        wakes = [];
      };
    },
    async idle() {
      if (running > 0) await new Promise<void>(resolve => wakes.push(resolve));
    },
    drain() {
      draining = true;
    },
    get draining() {
      return draining;
    },
    get running() {
      return running;
    },
  };
}

export function principalOf(actor: Actor | null, address: string): string {
  return actor ? `user:${actor.userId}` : `address:${address}`;
}
