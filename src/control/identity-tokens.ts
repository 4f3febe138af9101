// Tokens of the identity provider: genuine or not, and what they say. Whether their subject is wanted here is decided
// in identities.ts.

import { createHash, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { type IdentityClaims, type IdentityProvider, roleIn, usernameIn } from '../domain/identity.ts';
import type { Clock } from '../lib/clock.ts';
import { ALGORITHMS, type Algorithm, type IdentityKeys } from './identity-keys.ts';

/** With the groups of a large organisation in them they reach some kB. */
const MAX_TOKEN_LENGTH = 8_192;
const MAX_CACHED_TOKENS = 10_000;
/** How far the provider's clock may be ahead. What has expired is refused to the second. */
const TOLERANCE_SECONDS = 30;
/** OpenID Connect Core 1.0, 2: at most 255 characters. */
const MAX_SUBJECT_LENGTH = 255;
const MAX_KEY_ID_LENGTH = 200;
const FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** Of the header. With any other (`jku`, `jwk`, `x5u`, `x5c`, `crit`, `b64`, …) a token is refused, not looked up. */
const HEADER_MEMBERS = ['alg', 'typ', 'kid', 'x5t', 'x5t#S256'];
/** In the header; for the second see RFC 9068. Tokens for logging out or refreshing are others. */
const TYPES = ['jwt', 'at+jwt', 'application/at+jwt'];
/** Providers that tell their kinds of tokens apart in the payload call those for acting so. */
const PAYLOAD_TYPES = ['Bearer', 'ID'];

export interface IdentityTokens {
  /** The claims of a genuine, unexpired token; undefined for everything else, never a reason, never a throw. */
  verify(token: string): Promise<IdentityClaims | undefined>;
}

interface TokensDeps {
  readonly provider: IdentityProvider;
  readonly keys: IdentityKeys;
  readonly clock: Clock;
}

interface Verified {
  readonly claims: IdentityClaims;
  readonly key: KeyObject;
}

interface Header {
  readonly algorithm: Algorithm;
  readonly keyId: string;
}

export function createIdentityTokens(deps: TokensDeps): IdentityTokens {
  const { keys, clock } = deps;
  const verified = new LRUCache<string, Verified>({ max: MAX_CACHED_TOKENS });

  function known(token: string): IdentityClaims | undefined {
    const found = verified.get(token);
    if (!found) return undefined;
    // A withdrawn key takes its tokens with it.
    if (found.claims.expiresAtMs > clock.now() && keys.has(found.key)) return found.claims;
    verified.delete(token);
    return undefined;
  }

  async function keyFor({ keyId, algorithm }: Header): Promise<KeyObject | undefined> {
    const found = keys.find(keyId, algorithm);
    if (found) return found;
    await keys.refetch();
    return keys.find(keyId, algorithm);
  }

  return {
    async verify(token) {
      const before = known(token);
      if (before) return before;
      const header = token.length <= MAX_TOKEN_LENGTH && FORM.test(token) ? headerOf(token) : undefined;
      // What it claims to be is looked at first: no key is fetched for a token that would be refused anyway.
      if (!header || !claimsOf(payloadOf(token), token, deps)) return undefined;
      const key = await keyFor(header);
      const claims = key && verifyWith(key, header.algorithm, token, deps);
      if (claims) verified.set(token, { claims, key });
      return claims;
    },
  };
}

function headerOf(token: string): Header | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0]!, 'base64url').toString());
    if (typeof header !== 'object' || header === null) return undefined;
    if (Object.keys(header).some(name => !HEADER_MEMBERS.includes(name))) return undefined;
    const { alg, typ = 'JWT', kid } = header as Record<string, unknown>;
    const algorithm = ALGORITHMS.find(each => each === alg);
    if (!algorithm || typeof typ !== 'string' || !TYPES.includes(typ.toLowerCase())) return undefined;
    if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KEY_ID_LENGTH) return undefined;
    return { algorithm, keyId: kid };
  } catch {
    return undefined;
  }
}

function payloadOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.split('.', 2)[1]!, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function verifyWith(
  key: KeyObject,
  algorithm: Algorithm,
  token: string,
  deps: TokensDeps,
): IdentityClaims | undefined {
  try {
    const payload = jwt.verify(token, key, {
      algorithms: [algorithm],
      issuer: deps.provider.issuer,
      audience: [...deps.provider.audiences] as [string, ...string[]],
      clockTimestamp: Math.floor(deps.clock.now() / 1_000),
      clockTolerance: TOLERANCE_SECONDS,
    });
    return claimsOf(payload, token, deps);
  } catch {
    return undefined;
  }
}

/** jsonwebtoken takes tokens without times or subject, and other payloads than objects; nothing here does. */
function claimsOf(
  payload: unknown,
  token: string,
  { provider, clock }: TokensDeps,
): IdentityClaims | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const claims = payload as Record<string, unknown>;
  const { iss, aud, sub, iat, exp, nbf, typ, events } = claims;
  const nowSeconds = clock.now() / 1_000;
  const isHere = (time: unknown) => typeof time === 'number' && time <= nowSeconds + TOLERANCE_SECONDS;
  if (iss !== provider.issuer) return undefined;
  if (![aud].flat().some(each => typeof each === 'string' && provider.audiences.includes(each)))
    return undefined;
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT_LENGTH || !isPlain(sub))
    return undefined;
  if (!isMoment(iat) || !isHere(iat) || !isMoment(exp) || exp <= nowSeconds) return undefined;
  if (nbf !== undefined && !isHere(nbf)) return undefined;
  // A logout token (OpenID Connect Back-Channel Logout 1.0) is signed by the same key for the same audience.
  if (events !== undefined || (typ !== undefined && !PAYLOAD_TYPES.includes(typ as string))) return undefined;
  const username = usernameIn(claims, provider);
  if (username === undefined) return undefined;
  return {
    issuer: provider.issuer,
    subject: sub,
    username,
    role: roleIn(claims, provider),
    issuedAtMs: iat * 1_000,
    expiresAtMs: exp * 1_000,
    tokenId: createHash('sha256').update(token).digest('base64url').slice(0, 22),
  };
}

function isMoment(time: unknown): time is number {
  return Number.isSafeInteger(time) && (time as number) > 0;
}

/** Text that a database keeps as it is. */
function isPlain(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}
