// Which credentials are good right now. A token is never believed about role or state: these come from the store,
// through a cache so short that a change made by another instance counts within two seconds even unannounced, and one made here at once.

import { LRUCache } from 'lru-cache';
import type { Actor } from '../domain/access.ts';
import type { ApiKey, User } from '../domain/member.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import { API_KEY_START, matchesHash, prefixOfSecret } from './api-key-secret.ts';
import type { Credentials, SessionClaims } from './credentials.ts';

const MAX_AGE_MS = 2_000;
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
  readonly log?: WarningLog | undefined;
}

export interface CredentialCheck {
  /** The actor behind a session token or API key, or undefined. */
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
    const session = claims && (await sessions.find(claims.sessionId));
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
    },
  };
}

function toSessionActor(claims: SessionClaims, user: User): Actor | undefined {
  const { userId, sessionId: id, tokenVersion, expiresAtMs } = claims;
  if (user.id !== userId || !isGoodUser(user, tokenVersion)) return undefined;
  const { username, role } = user;
  const credential = { kind: 'session', id, tokenVersion } as const;
  return { userId, username, role, credential, ...rateLimitsOf(user), expiresAtMs };
}

function toApiKeyActor(key: ApiKey, user: User, clock: Clock): Actor | undefined {
  if (!isGoodKey(key, clock) || user.disabled) return undefined;
  const { id: userId, username, role } = user;
  const credential = { kind: 'apiKey', id: key.id } as const;
  const expiresAtMs = key.expiresAt?.getTime();
  return { userId, username, role, credential, ...rateLimitsOf(user, key), expiresAtMs };
}

function rateLimitsOf(user: User, key?: ApiKey): Pick<Actor, 'rateLimits'> {
  if (!user.rateLimits && !key?.rateLimits) return {};
  return { rateLimits: { user: user.rateLimits, apiKey: key?.rateLimits } };
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
    store.members.apiKeyById(id),
    store.members.usersByIds([actor.userId]),
  ]);
  const isGood = !!key && isGoodKey(key, clock) && !!user && !user.disabled && user.role === actor.role;
  return isGood ? { ...actor, rateLimits: undefined, ...rateLimitsOf(user, key) } : undefined;
}

function isGoodUser(user: User, tokenVersion: number | undefined): boolean {
  return !user.disabled && (tokenVersion === undefined || user.tokenVersion === tokenVersion);
}

function isGoodKey(key: ApiKey, clock: Clock): boolean {
  return !key.revokedAt && (!key.expiresAt || key.expiresAt.getTime() > clock.now());
}

interface LookUpEntry<T> {
  readonly startedMs: number;
  readonly found: Promise<T | undefined>;
  /** Known once it is read. */
  userId?: string;
}

/** Reads kept for MAX_AGE_MS; callers at the same moment share one. What is not found is not kept. */
function createLookUp<T extends { user: User }>(clock: Clock, read: (key: string) => Promise<T | undefined>) {
  const entries = new LRUCache<string, LookUpEntry<T>>({ max: MAX_CACHED });
  return {
    find(key: string): Promise<T | undefined> {
      const known = entries.get(key);
      if (known && clock.monotonic() - known.startedMs < MAX_AGE_MS) return known.found;
      const entry: LookUpEntry<T> = { startedMs: clock.monotonic(), found: read(key) };
      entries.set(key, entry);
      const drop = () => {
        if (entries.peek(key) === entry) entries.delete(key);
      };
      entry.found.then(result => {
        if (result) entry.userId = result.user.id;
        else drop();
      }, drop);
      return entry.found;
    },
    forget(userId: string | undefined): void {
      // An entry that is still being read may be anybody's, and may show the state before the change.
      for (const [key, entry] of [...entries.entries()]) {
        if (userId === undefined || entry.userId === undefined || entry.userId === userId)
          entries.delete(key);
      }
    },
  };
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
