// SEAM 3: what must survive a restart. One code path on embedded PGlite and on Postgres, through Kysely.
// This file is the contract; each repository lives in the file of its noun.

import type { Role } from '../domain/access.ts';
import type { AuditEvent } from '../domain/audit.ts';
import type { ChainedAuditEvent, ChainLink } from '../domain/audit-chain.ts';
import type { BreakerTransition } from '../domain/breaker.ts';
import type { DeploymentControl } from '../domain/deployment-control.ts';
import type { Instance, InstanceHost } from '../domain/instance.ts';
import type { ApiKey, Session, User } from '../domain/member.ts';
import type { MetricsDimension, MetricsRow } from '../domain/metrics.ts';
import type { BudgetRepository } from './budgets.ts';
import type { ContentRepository } from './content.ts';
import type { ExternalIdentityRepository } from './external-identities.ts';
import type { QueueRepository } from './queue-repository.ts';
import type { RateLimitRepository } from './rate-limits.ts';
import type { RequestFilter, RequestRepository } from './request-repository.ts';
import type { StoredProviderRepository } from './stored-providers.ts';
import type { WorkflowDefinitionRepository } from './workflow-definitions.ts';
import type { WorkflowRepository } from './workflows.ts';

export type * from './queue-repository.ts';
export type * from './request-repository.ts';

export interface Store {
  readonly requests: RequestRepository;
  readonly content: ContentRepository;
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
    change: { role?: Role; disabled?: boolean; passwordHash?: string; mustChangePassword?: boolean },
  ): Promise<User | undefined>;
  /**
   * Puts the pseudonym in place of the name and disables the user for good; ends sessions and keys, and removes the
   * definitions of workflows and the idempotency keys that they made.
   */
  deleteUser(id: string, pseudonym: string): Promise<void>;
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

/** Every condition given must hold. */
export interface AuditFilter {
  readonly action?: string | undefined;
  readonly actorId?: string | undefined;
  /** What this user did, and what was done to them or to what is theirs. */
  readonly aboutUserId?: string | undefined;
  /** As a client's id. */
  readonly subject?: string | undefined;
  readonly from?: Date | undefined;
  /** Not included. */
  readonly to?: Date | undefined;
}

export interface AuditRepository {
  /** In a transaction: the last thing in it, for others who append wait for its end. */
  append(event: AuditEvent): Promise<void>;
  /** The same for several, in their order. */
  appendAll(events: readonly AuditEvent[]): Promise<void>;
  page(filter: AuditFilter, query: PageQuery): Promise<Page<ChainedAuditEvent>>;
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
