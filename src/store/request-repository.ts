// What is kept of requests: their acceptance, their end, what is read of them. Part of the contract in store.ts.

import type { Budget } from '../domain/budget.ts';
import type {
  Attempt,
  FinishReason,
  ModelRequest,
  RequestBody,
  RequestError,
  RequestSpec,
  RequestStatus,
  TaskType,
  TerminalStatus,
} from '../domain/request.ts';
import type { RoutingDecision } from '../domain/routing.ts';
import type { Usage } from '../domain/usage.ts';
import type { Page, PageQuery } from './store.ts';

/** Every condition given must hold; a list means any of its members. */
export interface RequestFilter {
  readonly userId?: string | undefined;
  /** Steps of this request's workflow; null: those that are no steps. */
  readonly parentId?: string | null | undefined;
  readonly status?: readonly RequestStatus[] | undefined;
  readonly taskType?: readonly TaskType[] | undefined;
  readonly providerId?: readonly string[] | undefined;
  /** Matches the requested or the served model, or the deployment id. */
  readonly model?: readonly string[] | undefined;
  readonly createdFrom?: Date | undefined;
  /** Exclusive. */
  readonly createdTo?: Date | undefined;
  /** Text contained in the prompt or the answer, letter case ignored, within the bounds of text-search.ts. */
  readonly text?: string | undefined;
}

export interface NewRequest {
  readonly id: string;
  readonly userId: string;
  readonly apiKeyId: string | undefined;
  readonly spec: RequestSpec;
  readonly status: 'QUEUED' | 'RUNNING';
  /** The instance that runs it; undefined while it is QUEUED: nobody owns what waits. */
  readonly owner: string | undefined;
  /** 1 for one that is taken at once, 0 for one that waits to be taken. */
  readonly epoch: number;
  /** Who is going to serve it, for the ledger of the lost should the instance die; undefined for one that waits. */
  readonly deploymentId: string | undefined;
  readonly createdAt: Date;
  readonly idempotencyKey: string | undefined;
  /** SHA-256 of the canonical input; compared when the key is met again. */
  readonly inputHash: string;
  /** What it is to hold of the budgets that its caller falls under; absent: it falls under none. */
  readonly reservation?: Reservation | undefined;
}

export interface Reservation {
  readonly wantedNanoUsd: bigint;
  /** What it can do with when there is no room for more. */
  readonly leastNanoUsd: bigint;
}

/** The key was used before: with the same input (a duplicate of the request it made) or with another one. */
export interface KnownRequest {
  readonly outcome: 'duplicate' | 'conflict';
  readonly requestId: string;
}

export type AcceptResult =
  /** `reservedNanoUsd`: what it holds of its budgets; absent without one. */
  | { readonly outcome: 'accepted'; readonly reservedNanoUsd?: bigint }
  | KnownRequest
  /** Nothing was stored: its caller falls under a budget, and it came without a reservation. */
  | { readonly outcome: 'budgeted' }
  /** Nothing was stored: this budget has no room for it. */
  | { readonly outcome: 'refused'; readonly budget: Budget; readonly neededNanoUsd: bigint };

export interface KeyUse {
  readonly userId: string;
  readonly idempotencyKey: string;
  readonly inputHash: string;
}

/** The one terminal write of a request. */
export interface FinishedRequest {
  readonly id: string;
  readonly epoch: number;
  readonly status: TerminalStatus;
  readonly output: string | undefined;
  readonly routing: RoutingDecision | undefined;
  readonly attempts: readonly Attempt[];
  readonly deploymentId: string | undefined;
  readonly providerId: string | undefined;
  readonly servedModel: string | undefined;
  readonly finishReason: FinishReason | undefined;
  readonly error: RequestError | undefined;
  readonly usage: Usage | undefined;
  readonly costNanoUsd: bigint | undefined;
  readonly failedAttemptsCostNanoUsd: bigint | undefined;
  readonly startedAt: Date | undefined;
  readonly firstTokenAt: Date | undefined;
  readonly finishedAt: Date;
  readonly overheadMs: number | undefined;
  readonly lastSequence: number;
  readonly restartSequence: number | undefined;
  /** It may hold something of budgets, which it gives back with the same statement. */
  readonly holdsReservation?: boolean | undefined;
}

/** How far a running request has come, while another attempt is made. */
export interface RequestProgress {
  readonly id: string;
  readonly epoch: number;
  /** Those that are over, of this epoch; any of them may have been booked before. */
  readonly attempts: readonly Attempt[];
  /** Who is being called; undefined: nobody at the moment. */
  readonly deploymentId: string | undefined;
}

export interface RequestRepository {
  /**
   * Row, body and idempotency key in one statement, or together with its reservation in one transaction; when it resolves
   * with `accepted` the request is durable.
   */
  accept(request: NewRequest): Promise<AcceptResult>;
  /** What a key stands for, without taking it; undefined while it is free. */
  requestOfKey(use: KeyUse): Promise<KnownRequest | undefined>;
  /**
   * Attempts before the end, for the ledger should this instance die. Does nothing when the request no longer runs at
   * this epoch. One at a time for a request: of two at once either may be left out.
   */
  book(progress: RequestProgress): Promise<void>;
  /**
   * Status, output, attempts and usage in one statement, guarded by epoch; false: fenced or already terminal. All
   * attempts of the epoch are given; those that are booked stay as they are.
   */
  finish(finished: FinishedRequest): Promise<boolean>;
  /** Notes the wish to cancel; false when the request is unknown or already terminal. */
  wishCancel(id: string): Promise<boolean>;
  byIds(ids: readonly string[]): Promise<(ModelRequest | undefined)[]>;
  /** With `atMostBytes` as in request-texts.ts; likewise the prompts. */
  bodiesByIds(ids: readonly string[], atMostBytes?: number): Promise<(RequestBody | undefined)[]>;
  /** Prompt texts only, for lists; see promptOf. */
  promptsByIds(ids: readonly string[], atMostBytes?: number): Promise<(string | undefined)[]>;
  attemptsByIds(requestIds: readonly string[]): Promise<Attempt[][]>;
  page(filter: RequestFilter, query: PageQuery): Promise<Page<ModelRequest>>;
  /** Exact up to `atMost`, which is returned when there are more. */
  count(filter: RequestFilter, atMost: number): Promise<number>;
}
