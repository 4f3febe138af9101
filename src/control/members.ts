// People, service accounts, API keys and login sessions: permission, rule, write, audit entry.

import type { Actor, ApiKeyScope, Role } from '../domain/access.ts';
import type { ChainedAuditEvent } from '../domain/audit-chain.ts';
import type { Budget } from '../domain/budget.ts';
import type { ApiKey, Session, User } from '../domain/member.ts';
import type { RateLimitOverrides } from '../domain/rate-limit.ts';
import type { Page, PageQuery } from '../store/store.ts';
import { createApiKeys } from './api-keys.ts';
import { type BudgetInput, createBudgets } from './budgets.ts';
import { createMemberContext, type MembersDeps } from './member-context.ts';
import { createRateLimits } from './rate-limits.ts';
import { createSessionList } from './session-list.ts';
import { createSessions } from './sessions.ts';
import { createSetup } from './setup.ts';
import { createUserDeletion } from './user-deletion.ts';
import { createUsers } from './users.ts';

export interface Login {
  readonly token: string;
  readonly expiresAt: Date;
  readonly user: User;
}

export interface Members {
  /** UNAUTHENTICATED whichever part was wrong, in the same time; RATE_LIMITED after too many failures. */
  login(username: string, password: string, address: string): Promise<Login>;
  /** The actor behind a session token or API key, or undefined: never a reason, never a throw for a bad credential. */
  authenticate(credential: string): Promise<Actor | undefined>;
  /**
   * Calls back, once, when the actor's credential is no longer valid (expired, revoked, user disabled); the function
   * returned takes that back. `onChange` hears what else has changed of the actor meanwhile.
   */
  onCredentialEnd(actor: Actor, listener: () => void, onChange?: (actor: Actor) => void): () => void;
  /** Another instance changed somebody's credentials: believes nothing any more without asking the store. */
  credentialsChangedElsewhere(): void;
  /** Ends the session the actor came with; BAD_USER_INPUT for an API key. */
  logout(actor: Actor): Promise<void>;
  /** Valid logins, newest first. One's own, or anybody's for ADMIN. */
  sessionsOf(actor: Actor, userId: string): Promise<Session[]>;
  /** Ends one of them at once. NOT_FOUND when there is none to see. */
  revokeSession(actor: Actor, sessionId: string): Promise<void>;
  /** Ends all other sessions of the user and returns a fresh login. */
  changePassword(actor: Actor, currentPassword: string, newPassword: string): Promise<Login>;
  /** ADMIN. CONFLICT when the name is taken. A SERVICE user has no password and uses API keys. */
  createUser(
    actor: Actor,
    input: {
      username: string;
      role: Role;
      password?: string | undefined;
      /** Whether the user may do nothing else before. Absent: not. */
      mustChangePassword?: boolean | undefined;
    },
  ): Promise<User>;
  /** ADMIN. The last enabled admin can be neither disabled nor demoted (CONFLICT). */
  updateUser(
    actor: Actor,
    userId: string,
    change: {
      role?: Role | undefined;
      disabled?: boolean | undefined;
      password?: string | undefined;
      /** Of a password: whether the user may do nothing before it is changed. Absent: so it is. */
      mustChangePassword?: boolean | undefined;
    },
  ): Promise<User>;
  /**
   * ADMIN. Ends all credentials of a user for good, puts a pseudonym in place of the name, and deletes what was said in
   * their requests, of which unended ones are cancelled. CONFLICT for the last enabled admin. Once more, it goes on.
   */
  deleteUser(actor: Actor, userId: string, reason: string): Promise<User>;
  viewer(actor: Actor): Promise<User>;
  /** ADMIN, newest first. */
  users(actor: Actor, query: PageQuery): Promise<Page<User>>;
  usersByIds(ids: readonly string[]): Promise<(User | undefined)[]>;
  /** What the audit log has about a user, newest first. One's own, or anybody's for ADMIN. */
  auditEventsOf(actor: Actor, userId: string, query: PageQuery): Promise<Page<ChainedAuditEvent>>;
  /**
   * For oneself, or by ADMIN for anybody. The secret is returned this once. A key made with a key has no scope that the
   * other lacks (FORBIDDEN), and without a wish has the same; left out otherwise: all that the owner's role allows.
   */
  createApiKey(
    actor: Actor,
    input: {
      name: string;
      userId?: string | undefined;
      expiresAt?: Date | undefined;
      scopes?: readonly ApiKeyScope[] | undefined;
    },
  ): Promise<{ key: ApiKey; secret: string }>;
  revokeApiKey(actor: Actor, apiKeyId: string): Promise<ApiKey>;
  /**
   * A new key of the same name, owner, scopes and end; the old one ends after `graceMs`, or before if it would.
   * CONFLICT when it has ended already; FORBIDDEN by a key that lacks a scope of it.
   */
  rotateApiKey(
    actor: Actor,
    apiKeyId: string,
    graceMs: number,
  ): Promise<{ key: ApiKey; secret: string; replaced: ApiKey }>;
  apiKeysOf(actor: Actor, userId: string): Promise<ApiKey[]>;
  /**
   * ADMIN. Replaces what stands for one user or one API key in place of the settings; what is undefined follows them,
   * 0 is no limit. NOT_FOUND; BAD_USER_INPUT unless exactly one of the two is named.
   */
  setRateLimits(
    actor: Actor,
    target: { userId?: string | undefined; apiKeyId?: string | undefined },
    limits: RateLimitOverrides,
  ): Promise<{ user: User; apiKey: ApiKey | undefined }>;
  /**
   * ADMIN. Makes a user's or a key's budget for the period, or gives the one there is another limit. It applies on every
   * instance to what is submitted from then on. NOT_FOUND for an unknown user or key.
   */
  setBudget(actor: Actor, input: BudgetInput): Promise<Budget>;
  /** ADMIN. Resolves with the budget as it was. NOT_FOUND. */
  removeBudget(actor: Actor, budgetId: string): Promise<Budget>;
  /** ADMIN, newest first. */
  budgets(actor: Actor, query: PageQuery): Promise<Page<Budget>>;
  /** Is there an enabled ADMIN? */
  hasAdmin(): Promise<boolean>;
  /** Creates the first admin without an actor: from the environment or the command line. CONFLICT when one exists. */
  createFirstAdmin(username: string, password: string): Promise<User>;
  /** A one-time token (60 min) for `/setup`; undefined when an admin exists. Only its hash is stored. */
  createSetupToken(): Promise<string | undefined>;
  /** Spends the token and creates the first admin; UNAUTHENTICATED when it is not valid. */
  setup(token: string, username: string, password: string): Promise<Login>;
}

export function createMembers(deps: MembersDeps): Members {
  const context = createMemberContext(deps);
  return {
    authenticate: context.check.authenticate,
    onCredentialEnd: context.watch.onEnd,
    credentialsChangedElsewhere() {
      context.check.forget();
      context.watch.changed();
    },
    ...createSessions(context),
    ...createSessionList(context),
    ...createUsers(context),
    ...createUserDeletion(context),
    ...createApiKeys(context),
    ...createRateLimits(context),
    ...createBudgets(context),
    ...createSetup(context),
  };
}
