// People and programs that an organisation's identity provider vouches for: who a token speaks of, and what role that
// makes them here.

import type { Role } from './access.ts';

/** The identity provider whose tokens are accepted beside our own. */
export interface IdentityProvider {
  /** Exactly as its tokens have it in `iss`. */
  readonly issuer: string;
  /** One of them must be in `aud`. */
  readonly audiences: readonly string[];
  /** Where its keys are; undefined: where its discovery document says. */
  readonly jwksUrl: string | undefined;
  /** The claim with the name of the user; `sub` where a token has none. */
  readonly usernameClaim: string;
  readonly roleClaim: string;
  /** The first that a token bears counts. */
  readonly roles: readonly { readonly value: string; readonly role: Role }[];
  /** Of whom no value is mapped; undefined: refused. */
  readonly defaultRole: Role | undefined;
}

/** What a genuine token says. */
export interface IdentityClaims {
  readonly issuer: string;
  /** Unique at the issuer, and never given to anybody else. */
  readonly subject: string;
  readonly username: string;
  /** Undefined: nobody here. */
  readonly role: Role | undefined;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** Names the token without telling anything of it. */
  readonly tokenId: string;
}

/** Whom a subject is here, and what was read of it last. */
export interface ExternalIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly userId: string;
  /** As the newest token had it. An administrator may have given the user another since. */
  readonly role: Role;
  /** When that token was issued: older ones change nothing. */
  readonly issuedAt: Date;
}

type Claims = Readonly<Record<string, unknown>>;

export function usernameIn(claims: Claims, { usernameClaim }: IdentityProvider): string | undefined {
  const name = claimIn(claims, usernameClaim) ?? claims.sub;
  return typeof name === 'string' ? name : undefined;
}

/** Undefined: no role, no access. */
export function roleIn(
  claims: Claims,
  { roleClaim, roles, defaultRole }: IdentityProvider,
): Role | undefined {
  const claim = claimIn(claims, roleClaim);
  const values = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(' ') : [];
  return roles.find(({ value }) => claim === value || values.includes(value))?.role ?? defaultRole;
}

/** The claim of that name, or with dots in it the one inside: `realm_access.roles`. */
function claimIn(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let found: unknown = claims;
  for (const step of name.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Claims)[step];
  }
  return found;
}
