// A request on its way through its candidates: what it is, where it reports to, and what it may use.

import type { Catalog } from '../control/catalog.ts';
import type { RedactText } from '../domain/redaction.ts';
import type { RequestSpec } from '../domain/request.ts';
import type { RoutingDecision } from '../domain/routing.ts';
import type { StreamEvent } from '../domain/stream.ts';
import type { Clock } from '../lib/clock.ts';
import type { Allowance } from './allowance.ts';
import type { Book } from './booking.ts';
import type { Breakers } from './breakers.ts';
import type { Capacity } from './capacity.ts';
import type { Drains } from './drains.ts';
import type { Health } from './health.ts';
import type { Hedging } from './hedging.ts';
import type { Moments } from './moments.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface RetryLimits {
  /** Attempts of one request, over all candidates. */
  readonly maxAttempts: number;
  /** The longest a provider's Retry-After is waited for when there is nobody else to ask. */
  readonly maxRetryAfterMs: number;
}

export interface FailoverDeps {
  readonly catalog: Catalog;
  readonly breakers: Breakers;
  readonly drains: Drains;
  readonly health: Health;
  readonly capacity: Capacity;
  readonly clock: Clock;
  readonly retryLimits: RetryLimits;
  readonly retryBudget: RetryBudget;
  /** Undefined: no request is hedged. */
  readonly hedging: Hedging | undefined;
  readonly maxOutputBytes: number;
  /** For comparing an answer with its schema. */
  readonly maxSchemaCheckMs?: number | undefined;
  /** Replaces personal data before anything is stored; absent: nothing is replaced. */
  readonly redact?: RedactText | undefined;
  readonly log: { warn(fields: object, message: string): void };
}

export interface Journey {
  readonly requestId: string;
  readonly spec: RequestSpec;
  readonly decision: RoutingDecision;
  /** Aborted by a cancel, a shutdown or the loss of ownership. */
  readonly signal: AbortSignal;
  /** Of the attempts of instances that had the request before, the last number. */
  readonly lastNumberBefore: number;
  /** Monotonic instant of the total deadline. */
  readonly endsAtMs: number;
  readonly moments?: Moments | undefined;
  /** Absent: the request falls under no budget. */
  readonly allowance?: Allowance | undefined;
  /** Appends to the request's log; never waits. */
  readonly emit: (event: StreamEvent) => void;
  /** Tells the ledger how far it has come; never waits. Not told of the end. */
  readonly book: Book;
  /** Called with true when it begins to wait for room at a deployment, and with false when that ends, however it ends. */
  readonly onWaiting?: ((waiting: boolean) => void) | undefined;
}
