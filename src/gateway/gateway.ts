// The path of one prompt: accept, run, follow, cancel. Start reading here.

import type { Actor } from '../domain/access.ts';
import type { BreakerSnapshot, BreakerTransition } from '../domain/breaker.ts';
import type { Provider } from '../domain/model.ts';
import type { ModelRequest } from '../domain/request.ts';
import type { RoutingDecision } from '../domain/routing.ts';
import type { StreamEvent } from '../domain/stream.ts';
import type { Submission } from '../domain/submission.ts';
import type { RequestFilter } from '../store/store.ts';

/** An event as a subscriber gets it. */
export interface FollowedEvent {
  readonly requestId: string;
  /** Hand it back as `after` to continue behind this event. */
  readonly cursor: string;
  readonly event: StreamEvent;
}

/** What one deployment would take for a request. */
export interface CostEstimate {
  readonly deploymentId: string;
  readonly inputTokens: number;
  /** The most the answer may take; the cost is for this many. */
  readonly maxOutputTokens: number;
  /** Undefined: the price is unknown. */
  readonly costNanoUsd: bigint | undefined;
  /** For an answer of typical length. */
  readonly typicalCostNanoUsd: bigint | undefined;
  /** Why routing would not take it; undefined when it would. */
  readonly rejection: string | undefined;
}

export interface Gateway {
  /** Validates and makes the request durable; resolves after the commit. The answer is made whoever listens. */
  submit(actor: Actor, submission: Submission): Promise<ModelRequest>;
  /** Ends a request that is not terminal yet; resolves with its state afterwards. NOT_FOUND when it is foreign. */
  cancel(actor: Actor, requestId: string): Promise<ModelRequest>;
  /** One's own request, or anybody's for ADMIN; undefined when there is none to see. */
  request(actor: Actor, requestId: string): Promise<ModelRequest | undefined>;
  /**
   * The events after the cursor, first those that were, then those that come, ending after the last one.
   * Throws NOT_FOUND (unknown or foreign) or BAD_USER_INPUT (not a cursor of this request) before anything else.
   */
  follow(
    actor: Actor,
    requestId: string,
    after: string | undefined,
  ): Promise<AsyncIterableIterator<FollowedEvent>>;
  /** Requests as they change: all for ADMIN, one's own for others. */
  feed(actor: Actor, filter: RequestFilter): AsyncIterableIterator<ModelRequest>;
  estimateCost(actor: Actor, submission: Submission): CostEstimate[];
  simulateRoute(actor: Actor, submission: Submission): RoutingDecision;
  providers(): readonly Provider[];
  /** Undefined for an unknown deployment. */
  breaker(deploymentId: string): BreakerSnapshot | undefined;
  breakerHistory(deploymentIds: readonly string[]): Promise<BreakerTransition[][]>;
  /** Providers whenever they, one of their deployments or breakers change. */
  providerUpdates(): AsyncIterableIterator<Provider>;
  /** Closes the breakers of a deployment or of all deployments of a provider. ADMIN; audited. NOT_FOUND. */
  resetBreaker(
    actor: Actor,
    target: { deploymentId?: string; providerId?: string },
    reason: string,
  ): Promise<Provider>;
  /** Requests that run here now, and those that wait for a slot. */
  load(): { readonly running: number; readonly queued: number };
}
