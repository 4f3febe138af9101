// The door of the transports: the request rate of each principal, what runs now, and whether the server still lets
// anything in. HTTP and sockets pass the same door.

import type { GraphQLError } from 'graphql';
import type { Actor } from '../domain/access.ts';
import type { Clock } from '../lib/clock.ts';
import type { HttpLimits } from './limits.ts';
import { createLedger, createRateLimiter, type Ledger, type RateLimiter } from './rate-limit.ts';
import { refusal } from './refusals.ts';

/** After this long another instance, or this one restarted, is likely to answer. */
export const DRAIN_RETRY_MS = 5_000;

/** As many sockets at full rate as one principal may have. */
const MESSAGES_OF_ALL_SOCKETS = 4;
/** What an operation may carry in either direction before it counts as more than one. An answer over it is large. */
export const BYTES_OF_AN_OPERATION = 65_536;

/** How many operations more than one it is to carry so many bytes. */
export function weightOf(bytes: number): number {
  return Math.floor(bytes / BYTES_OF_AN_OPERATION);
}

export interface Gate {
  /** Why the operations may not run now, or undefined; then they count. */
  refuse(actor: Actor | null, address: string, operations: number): GraphQLError | undefined;
  /** Counts further operations for one that was let in and turned out to be more work than others. */
  charge(principal: string, operations: number): void;
  /** Marks an operation as running until the function returned is called. */
  enter(): () => void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  drain(): void;
  readonly draining: boolean;
  readonly running: number;
  /** Sockets and event streams by principal. */
  readonly connections: Ledger;
  /** Counts one more subscription, on all sockets and event streams together, until the function returned is called. */
  subscribe(principal: string): (() => void) | GraphQLError;
  /** The same for an event stream, which is a connection as well. */
  openStream(principal: string): (() => void) | GraphQLError;
  /** Bytes of large answers by principal, until the client has read them. */
  readonly unread: Ledger;
  /** Messages by principal, on all its sockets together. */
  readonly messages: RateLimiter;
}

/** `onRefused` hears of refused connections and subscriptions, by the name of the limit among the settings. */
export function createGate(
  limits: HttpLimits,
  clock: Clock,
  onRefused: (limit: string) => void = () => {},
): Gate {
  const rates = createRateLimiter(
    { perSecond: limits.operationsPerSecond, burst: limits.operationsBurst },
    clock,
  );
  const messagesPerSecond = MESSAGES_OF_ALL_SOCKETS * limits.socketMessagesPerSecond;
  let draining = false;
  let running = 0;
  let wakes: (() => void)[] = [];
  return {
    ...createPlaces(limits, onRefused),
    unread: createLedger(limits.maxUnreadBytes),
    messages: createRateLimiter({ perSecond: messagesPerSecond, burst: messagesPerSecond }, clock),
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
    charge(principal, operations) {
      if (operations > 0) rates.charge(principal, operations);
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

/** What principals hold open. */
function createPlaces(
  limits: HttpLimits,
  onRefused: (limit: string) => void,
): Pick<Gate, 'connections' | 'subscribe' | 'openStream'> {
  const { maxSocketsPerPrincipal, maxSubscriptionsPerPrincipal: maxSubscriptions } = limits;
  const connections = createLedger(maxSocketsPerPrincipal);
  const subscriptions = createLedger(maxSubscriptions);
  function refused(limit: string, message: string): GraphQLError {
    onRefused(limit);
    return refusal('RATE_LIMITED', message, { retryAfterMs: 1_000 });
  }
  function subscribe(principal: string) {
    const message = `A caller has at most ${maxSubscriptions} subscriptions at once, on all connections.`;
    return subscriptions.acquire(principal) ?? refused('wsMaxSubscriptionsPerCaller', message);
  }
  return {
    connections,
    subscribe,
    openStream(principal) {
      const leave = connections.acquire(principal);
      if (!leave) return refused('wsMaxSocketsPerCaller', 'Too many open streams.');
      const release = subscribe(principal);
      if (typeof release !== 'function') {
        leave();
        return release;
      }
      return () => {
        release();
        leave();
      };
    },
  };
}

export function principalOf(actor: Actor | null, address: string): string {
  return actor ? `user:${actor.userId}` : `address:${address}`;
}
