// SEAM 3: what must survive a restart. One code path on embedded PGlite and on Postgres, through Kysely.
// This file is the contract; each repository lives in the file of its noun.

import type { Role } from '../domain/access.ts';
import type { AuditEvent } from '../domain/audit.ts';
import type { ChainedAuditEvent, ChainLink } from '../domain/audit-chain.ts';
import type { BreakerTransition } from '../domain/breaker.ts';
import type { Budget } from '../domain/budget.ts';
import type { DeploymentControl } from '../domain/deployment-control.ts';
import type { Instance, InstanceHost } from '../domain/instance.ts';
import type { ApiKey, Session, User } from '../domain/member.ts';
import type { MetricsDimension, MetricsRow } from '../domain/metrics.ts';
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
import type { BudgetRepository } from './budgets.ts';
import type { ExternalIdentityRepository } from './external-identities.ts';
import type { RateLimitRepository } from './rate-limits.ts';
import type { StoredProviderRepository } from './stored-providers.ts';
import type { WorkflowDefinitionRepository } from './workflow-definitions.ts';
import type { WorkflowRepository } from './workflows.ts';

export interface Store {
  readonly requests: RequestRepository;
  readonly budgets: BudgetRepository;
  readonly queue: QueueRepository;
  readonly metrics: MetricsRepository;
  readonly members: MemberRepository;
  readonly externalIdentities: ExternalIdentityRepository;
  readonly rateLimits: RateLimitRepository;
  readonly audit: AuditRepository;
  readonly breakers: BreakerRepository;
  readonly deploymentControls: DeploymentControlRepository;
  readonly instances: InstanceRepository;
  readonly workflows: WorkflowRepository;
  readonly workflowDefinitions: WorkflowDefinitionRepository;
  readonly storedProviders: StoredProviderRepository;
  /** Runs `work` in one transaction; everything inside must use the store it is given, never the outer one. */
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /** `embedded` (PGlite) or `postgres`, and what is to be told at start. */
  readonly info: {
    readonly kind: 'embedded' | 'postgres';
    readonly location: string;
    readonly version: string;
  };
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A keyset page. `after` and `before` are ids (UUIDv7, so they order by time); newest first. */
export interface PageQuery {
  readonly first?: number | undefined;
  readonly after?: string | undefined;
  readonly last?: number | undefined;
  readonly before?: string | undefined;
}
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

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

/** An unfinished request as the database knows it of its owner. */
export interface HeldRequest {
  readonly id: string;
  /** Somebody wishes it cancelled, perhaps through another instance; or it is a step of a workflow that has ended. */
  readonly cancelWished: boolean;
}

/** What became of the requests of dead instances. */
export interface Recovered {
  readonly requeued: readonly string[];
  /** Those that had killed too many instances. */
  readonly failed: readonly string[];
  /** Those that somebody had wished to cancel. */
  readonly cancelled: readonly string[];
}

export interface QueueRepository {
  /**
   * Takes up to `limit` waiting requests for `owner`: RUNNING, their epoch one higher. Higher priority first, where
   * each second of waiting counts as one point. Those with which `lastDeath` instances have died, whose next death
   * would be the last, come after the others, and an owner has one of them at a time: whoever kills it dies alone. A
   * workflow holds none of them up, its own steps least of all.
   */
  claim(owner: string, limit: number, lastDeath?: number): Promise<ModelRequest[]>;
  /** Notes who is going to serve claimed requests, for the ledger of the lost should this instance die. */
  routed(choices: readonly { readonly id: string; readonly deploymentId: string }[]): Promise<void>;
  /** Ends a waiting request as CANCELLED with `error`, and the steps of a workflow with it; false: it does not wait. */
  cancel(id: string, error: RequestError): Promise<boolean>;
  /**
   * A running request waits again, with what was spent on it so far in the ledger, booked before or not; false: fenced,
   * or it has ended.
   */
  giveBack(request: {
    readonly id: string;
    readonly epoch: number;
    readonly attempts: readonly Attempt[];
  }): Promise<boolean>;
  /**
   * What these owners (or all but one, embedded) had in hand waits again under a higher epoch, and the call that each
   * request had under way is LOST in the ledger, behind those that are booked. A request with which `maxDeaths`
   * instances have died FAILS with `error`; a workflow that waits for people is not counted. What somebody wished to
   * cancel is CANCELLED. In a transaction, since it is several statements.
   */
  recover(
    owners: readonly string[] | { readonly allBut: string },
    maxDeaths: number,
    error: RequestError,
  ): Promise<Recovered>;
  heldBy(owner: string): Promise<HeldRequest[]>;
  /** How many wait, up to `atMost`. */
  length(atMost: number): Promise<number>;
  /** Places in the queue from 1 on, at most 10,000; undefined for what does not wait. */
  positions(ids: readonly string[]): Promise<(number | undefined)[]>;
}

export interface MetricsRepository {
  /** The total over the filter, and its groups (at most 500, largest first; time ascending). */
  summarize(
    filter: RequestFilter,
    groupBy: MetricsDimension | undefined,
  ): Promise<{ total: MetricsRow; groups: MetricsRow[] }>;
  /** Failed requests by code, most first. */
  errorCodes(filter: RequestFilter): Promise<{ code: string; requests: number }[]>;
}

export interface MemberRepository {
  /** False when the username is taken. */
  createUser(user: User, passwordHash: string | undefined): Promise<boolean>;
  updateUser(
    id: string,
    change: { role?: Role; disabled?: boolean; passwordHash?: string },
  ): Promise<User | undefined>;
  usersByIds(ids: readonly string[]): Promise<(User | undefined)[]>;
  userByName(username: string): Promise<{ user: User; passwordHash: string | undefined } | undefined>;
  passwordHash(userId: string): Promise<string | undefined>;
  usersPage(query: PageQuery): Promise<Page<User>>;
  countAdmins(): Promise<number>;
  createSession(session: { id: string; userId: string; expiresAt: Date }): Promise<void>;
  /** The user and whether the session is unrevoked; undefined when unknown. */
  session(id: string): Promise<{ user: User; revoked: boolean } | undefined>;
  /** Those that are neither revoked nor over, newest first, at most 500. */
  sessionsOf(userId: string): Promise<Session[]>;
  revokeSession(id: string): Promise<boolean>;
  createApiKey(key: ApiKey, secretHash: string): Promise<void>;
  apiKeyByPrefix(prefix: string): Promise<{ key: ApiKey; secretHash: string; user: User } | undefined>;
  apiKeysOf(userId: string): Promise<ApiKey[]>;
  apiKeyById(id: string): Promise<ApiKey | undefined>;
  revokeApiKey(id: string): Promise<boolean>;
  /** Brings the end of a key forward; one that ends before is left as it is. */
  endApiKey(id: string, expiresAt: Date): Promise<void>;
  touchApiKey(id: string, usedAt: Date): Promise<void>;
  /** Setup links: hash of the one-time token and its end. Replaces an earlier one. */
  saveSetupToken(hash: string, expiresAt: Date): Promise<void>;
  /** True exactly once for an unexpired token while no admin exists. */
  consumeSetupToken(hash: string): Promise<boolean>;
}

export interface AuditRepository {
  /** In a transaction: the last thing in it, for others who append wait for its end. */
  append(event: AuditEvent): Promise<void>;
  /** The same for several, in their order. */
  appendAll(events: readonly AuditEvent[]): Promise<void>;
  page(
    filter: { action?: string | undefined; actorId?: string | undefined },
    query: PageQuery,
  ): Promise<Page<ChainedAuditEvent>>;
  /** Every entry, from the first one on. */
  chain(): AsyncIterable<ChainedAuditEvent>;
  /** Where the chain ends; undefined when somebody has removed that. */
  head(): Promise<ChainLink | undefined>;
}

export interface BreakerRepository {
  append(transition: BreakerTransition): Promise<void>;
  /** Newest first. */
  history(deploymentId: string, since: Date, limit: number): Promise<BreakerTransition[]>;
  historyOf(deploymentIds: readonly string[], since: Date, limit: number): Promise<BreakerTransition[][]>;
  /** The newest one of every deployment that has any, however old. */
  latest(): Promise<BreakerTransition[]>;
  /** The newest act of an administrator on each deployment. */
  latestManual(): Promise<BreakerTransition[]>;
}

export interface DeploymentControlRepository {
  /** Each replaces the decision before it. */
  save(controls: readonly DeploymentControl[]): Promise<void>;
  /** The latest decision about every deployment about which there is one. */
  all(): Promise<DeploymentControl[]>;
}

export interface InstanceRepository {
  register(id: string, version: string, host?: InstanceHost): Promise<void>;
  /** False: this instance was declared dead, or is unknown. */
  beat(id: string): Promise<boolean>;
  /**
   * Declares instances dead whose last beat is older than the lease on the database's clock. Returns them, and those
   * declared dead before that still hold unfinished requests.
   */
  sweep(id: string, leaseMs: number): Promise<string[]>;
  retire(id: string): Promise<void>;
  /** Those that were not declared dead, however silent, oldest first, with what they run. */
  living(): Promise<Instance[]>;
  /** How many they are. */
  countLiving(): Promise<number>;
}
