// Which credentials are good right now. A token is never believed about role or state: these come from the store,
// through a cache so short that a change made by another instance counts within two seconds even unannounced, and one made here at once.

import { LRUCache } from 'lru-cache';
import type { Actor } from '../domain/access.ts';
import { type ApiKey, rateLimitsOf, type User } from '../domain/member.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import { API_KEY_START, matchesHash, prefixOfSecret } from './api-key-secret.ts';
import type { Credentials, SessionClaims } from './credentials.ts';
import type { Identities } from './identities.ts';
import { createLookUp } from './look-up.ts';

const MAX_CACHED = 10_000;
/** `lastUsedAt` is for people who tidy up; one write a minute is exact enough. */
const TOUCH_INTERVAL_MS = 60_000;

/** What control needs of a logger. */
export interface WarningLog {
  warn(fields: object, message: string): void;
}

interface CheckDeps {
  readonly store: Store;
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** Absent: there is no identity provider. */
  readonly identities?: Identities | undefined;
  readonly log?: WarningLog | undefined;
}

export interface CredentialCheck {
  /** The actor behind a session token, an API key or a token of the identity provider, or undefined. */
  authenticate(credential: string): Promise<Actor | undefined>;
  /**
   * Asks the store, not the cache: the actor as they are now. Undefined when the credential is no longer good, or the
   * role another.
   */
  refresh(actor: Actor): Promise<Actor | undefined>;
  /** Forgets what is known of a user's credentials, or of everybody's; the next look asks the store. */
  forget(userId?: string): void;
}

export function createCredentialCheck(deps: CheckDeps): CredentialCheck {
  const { store, clock } = deps;
  const sessions = createLookUp(clock, id => store.members.session(id));
  const apiKeys = createLookUp(clock, prefix => store.members.apiKeyByPrefix(prefix));
  const noteUse = createUseNotes(deps);

  async function sessionActor(token: string): Promise<Actor | undefined> {
    const claims = deps.credentials.verifySession(token);
    if (!claims) return deps.identities?.authenticate(token);
    const session = await sessions.find(claims.sessionId);
    return session && !session.revoked ? toSessionActor(claims, session.user) : undefined;
  }

  async function apiKeyActor(secret: string): Promise<Actor | undefined> {
    const prefix = prefixOfSecret(secret);
    const found = prefix && (await apiKeys.find(prefix));
    if (!found || !matchesHash(secret, found.secretHash)) return undefined;
    const actor = toApiKeyActor(found.key, found.user, clock);
    if (actor) await noteUse(found.key);
    return actor;
  }

  return {
    authenticate: credential =>
      credential.startsWith(API_KEY_START) ? apiKeyActor(credential) : sessionActor(credential),
    refresh: actor => refresh(actor, deps),
    forget(userId) {
      sessions.forget(userId);
      apiKeys.forget(userId);
      deps.identities?.forget(userId);
    },
  };
}

function toSessionActor(claims: SessionClaims, user: User): Actor | undefined {
  const { userId, sessionId: id, tokenVersion, expiresAtMs } = claims;
  if (user.id !== userId || !isGoodUser(user, tokenVersion)) return undefined;
  const { username, role, mustChangePassword } = user;
  const credential = { kind: 'session', id, tokenVersion } as const;
  const duty = mustChangePassword ? { mustChangePassword } : {};
  return { userId, username, role, credential, ...rateLimitsOf(user), ...duty, expiresAtMs };
}

function toApiKeyActor(key: ApiKey, user: User, clock: Clock): Actor | undefined {
  if (!isGoodKey(key, clock) || user.disabled) return undefined;
  const { id: userId, username, role } = user;
  const credential = { kind: 'apiKey', id: key.id, ...(key.scopes && { scopes: key.scopes }) } as const;
  const expiresAtMs = key.expiresAt?.getTime();
  return { userId, username, role, credential, ...rateLimitsOf(user, key), expiresAtMs };
}

async function refresh(actor: Actor, { store, clock }: CheckDeps): Promise<Actor | undefined> {
  const { kind, id, tokenVersion } = actor.credential;
  if (kind === 'session') {
    const session = await store.members.session(id);
    if (!session || session.revoked) return undefined;
    const isGood = session.user.role === actor.role && isGoodUser(session.user, tokenVersion);
    return isGood ? { ...actor, rateLimits: undefined, ...rateLimitsOf(session.user) } : undefined;
  }
  const [key, [user]] = await Promise.all([
    kind === 'apiKey' ? store.members.apiKeyById(id) : undefined,
    store.members.usersByIds([actor.userId]),
  ]);
  if (kind === 'apiKey' && !(key && isGoodKey(key, clock))) return undefined;
  if (!user || user.disabled || user.role !== actor.role) return undefined;
  return { ...actor, rateLimits: undefined, ...rateLimitsOf(user, key) };
}

function isGoodUser(user: User, tokenVersion: number | undefined): boolean {
  return !user.disabled && (tokenVersion === undefined || user.tokenVersion === tokenVersion);
}

function isGoodKey(key: ApiKey, clock: Clock): boolean {
  return !key.revokedAt && (!key.expiresAt || key.expiresAt.getTime() > clock.now());
}

/** Notes when a key was used, at most once in TOUCH_INTERVAL_MS; a failure to do so refuses nobody. */
function createUseNotes({ store, clock, log }: CheckDeps): (key: ApiKey) => Promise<void> {
  const notedMs = new LRUCache<string, number>({ max: MAX_CACHED });
  return async key => {
    const nowMs = clock.now();
    if (nowMs - (notedMs.get(key.id) ?? key.lastUsedAt?.getTime() ?? 0) < TOUCH_INTERVAL_MS) return;
    notedMs.set(key.id, nowMs);
    try {
      await store.members.touchApiKey(key.id, new Date(nowMs));
    } catch (error) {
      log?.warn({ error, apiKeyId: key.id }, 'could not note the use of an API key');
    }
  };
}
