// Session tokens and password hashes; the only home of jsonwebtoken and argon2, whose defaults are too permissive.
// Says whether a credential is genuine; whether it is still wanted (revoked, disabled) is decided by its user's row.

import { createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../domain/errors.ts';
import type { Clock } from '../lib/clock.ts';

const ISSUER = 'mcplane';
const AUDIENCE = 'mcplane-api';
/** Tells session tokens from any other kind that is signed with the same secret later. */
const SESSION_TYPE = 'session';
/** Ours have about 400; anything much longer is not ours and not worth parsing. */
const MAX_TOKEN_LENGTH = 1_024;
/** About 1 kB each. A signature check takes 95 µs, a look here less than one. */
const MAX_CACHED_TOKENS = 10_000;
/** The OWASP minimum for argon2id: 19 MiB, two passes. About 50 ms. */
const ARGON2_PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Hashes run on libuv's four threads, which files and DNS need as well. */
const HASH_LIMITS = { maxHashes: 2, maxWaiting: 32 };
const QUEUE_FULL_RETRY_MS = 1_000;

export interface SessionClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** The user's token version when the session began. */
  readonly tokenVersion: number;
  readonly expiresAtMs: number;
}

/** The slow hash of passwords; replaceable, so that a test can count what is computed. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
  needsRehash(hash: string): boolean;
}

export interface Credentials {
  signSession(claims: SessionClaims): string;
  /** The claims of a genuine, unexpired token; undefined for everything else, never a reason, never a throw. */
  verifySession(token: string): SessionClaims | undefined;
  /** RATE_LIMITED when too many hashes wait already. */
  hashPassword(password: string): Promise<string>;
  /** Takes the same time with no hash (nobody of that name) as with one. RATE_LIMITED as above; false for garbage. */
  verifyPassword(hash: string | undefined, password: string): Promise<boolean>;
  /** Was the hash made with other parameters than today's? */
  needsRehash(hash: string): boolean;
}

export const argon2idHasher: PasswordHasher = {
  hash: password => argon2.hash(password, { type: argon2.argon2id, ...ARGON2_PARAMETERS }),
  verify: (hash, password) => argon2.verify(hash, password),
  needsRehash: hash => argon2.needsRehash(hash, ARGON2_PARAMETERS),
};

interface CredentialsDeps {
  /** At least 32 bytes; see weakSecretReason. */
  readonly jwtSecretKey: string;
  /** Signs nothing; tokens that it signed are accepted until they expire. */
  readonly previousJwtSecretKey?: string | undefined;
  readonly clock: Clock;
  readonly hasher?: PasswordHasher;
  /** How many hashes are made at once, and how many wait for that. */
  readonly hashLimits?: { readonly maxHashes: number; readonly maxWaiting: number };
  /** Somebody was refused because too many wait. */
  readonly onRefused?: () => void;
}

export async function createCredentials(deps: CredentialsDeps): Promise<Credentials> {
  const passwords = await createPasswords(deps);
  return { ...createSessionTokens(deps), ...passwords };
}

function createSessionTokens({ jwtSecretKey, previousJwtSecretKey, clock }: CredentialsDeps) {
  const current = keyId(jwtSecretKey);
  const secrets = previousJwtSecretKey === undefined ? [jwtSecretKey] : [previousJwtSecretKey, jwtSecretKey];
  // A KeyObject: given a string, the library also accepts it where it means a public key.
  const keys = new Map<string, KeyObject>(
    secrets.map(secret => [keyId(secret), createSecretKey(Buffer.from(secret))]),
  );
  const verified = new LRUCache<string, SessionClaims>({ max: MAX_CACHED_TOKENS });

  return {
    signSession(claims: SessionClaims): string {
      const payload = {
        typ: SESSION_TYPE,
        ver: claims.tokenVersion,
        iat: Math.floor(clock.now() / 1_000),
        exp: Math.floor(claims.expiresAtMs / 1_000),
      };
      return jwt.sign(payload, keys.get(current)!, {
        algorithm: 'HS256',
        keyid: current,
        issuer: ISSUER,
        audience: AUDIENCE,
        subject: claims.userId,
        jwtid: claims.sessionId,
      });
    },
    verifySession(token: string): SessionClaims | undefined {
      const known = verified.get(token);
      const claims = known ?? verifyToken(token, keys, clock);
      if (!claims) return undefined;
      if (claims.expiresAtMs <= clock.now()) {
        verified.delete(token);
        return undefined;
      }
      if (!known) verified.set(token, claims);
      return claims;
    },
  };
}

/** Names the key in a token's header without telling anything of it. */
function keyId(secret: string): string {
  return createHash('sha256').update('mcplane key id\0').update(secret).digest('hex').slice(0, 8);
}

function verifyToken(
  token: string,
  keys: ReadonlyMap<string, KeyObject>,
  clock: Clock,
): SessionClaims | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  try {
    const key = keyOfHeader(token, keys);
    if (!key) return undefined;
    const payload = jwt.verify(token, key, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTimestamp: Math.floor(clock.now() / 1_000),
    });
    return toClaims(payload);
  } catch {
    return undefined;
  }
}

/** The key a header names, when the header is exactly one that we write: no `crit`, `b64`, `jku` or embedded key. */
function keyOfHeader(token: string, keys: ReadonlyMap<string, KeyObject>): KeyObject | undefined {
  const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0]!, 'base64url').toString());
  if (typeof header !== 'object' || header === null) return undefined;
  const { alg, typ, kid, ...others } = header as Record<string, unknown>;
  if (alg !== 'HS256' || typ !== 'JWT' || typeof kid !== 'string' || Object.keys(others).length > 0) {
    return undefined;
  }
  return keys.get(kid);
}

/** jsonwebtoken accepts string payloads, and tokens without expiry or subject: what must be there is checked here. */
function toClaims(payload: unknown): SessionClaims | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { typ, sub, jti, ver, iat, exp, aud } = payload as Record<string, unknown>;
  if (typ !== SESSION_TYPE || aud !== AUDIENCE) return undefined;
  if (typeof sub !== 'string' || typeof jti !== 'string') return undefined;
  if (!Number.isSafeInteger(ver) || !Number.isSafeInteger(iat) || !Number.isSafeInteger(exp))
    return undefined;
  return { userId: sub, sessionId: jti, tokenVersion: ver as number, expiresAtMs: (exp as number) * 1_000 };
}

async function createPasswords({ hasher = argon2idHasher, hashLimits, onRefused }: CredentialsDeps) {
  const inTurn = createTurns(hashLimits ?? HASH_LIMITS, onRefused);
  // Verified in place of the hash that an unknown user does not have, so that a name cannot be told by the clock.
  const dummyHash = await hasher.hash(randomBytes(32).toString('base64url'));
  return {
    hashPassword: (password: string): Promise<string> => inTurn(() => hasher.hash(normalize(password))),
    async verifyPassword(hash: string | undefined, password: string): Promise<boolean> {
      const genuine = await inTurn(() =>
        hasher.verify(hash ?? dummyHash, normalize(password)).catch(() => false),
      );
      return hash !== undefined && genuine;
    },
    needsRehash: (hash: string): boolean => hasher.needsRehash(hash),
  };
}

/** The same password typed on another system may come composed differently (NIST SP 800-63B, 3.1.1.2). */
function normalize(password: string): string {
  return password.normalize('NFKC');
}

/** Runs a few at a time and keeps a bounded queue: each hash costs 19 MiB and 50 ms of a core. */
function createTurns(
  { maxHashes, maxWaiting }: NonNullable<CredentialsDeps['hashLimits']>,
  onRefused = () => {},
): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async work => {
    if (running < maxHashes) running += 1;
    else if (waiting.length >= maxWaiting) {
      onRefused();
      throw new DomainError('RATE_LIMITED', 'Too many logins at once.', {
        retryAfterMs: QUEUE_FULL_RETRY_MS,
        details: { limit: 'loginMaxWaiting' },
      });
    } else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place is handed on, not freed: a newcomer cannot overtake those who wait.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
