// Who may do what. Actors, roles, scopes and permissions; ownership is a condition beside the permission.
// The directives of the schema refuse early; the functions here are the truth.

import { DomainError } from './errors.ts';
import type { RateLimitOverrides } from './rate-limit.ts';

export const ROLES = ['ADMIN', 'USER', 'SERVICE'] as const;
export type Role = (typeof ROLES)[number];

/** What an API key is for. A key without scopes does whatever its owner's role allows, and so does one with ADMIN. */
export const API_KEY_SCOPES = ['SUBMIT', 'READ', 'MANAGE', 'METRICS', 'ADMIN'] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

/** Whoever an operation acts for, as established from its credential. */
export interface Actor {
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  /** The credential it came with: a login session's token, an API key or a token of the identity provider. */
  readonly credential: {
    readonly kind: 'session' | 'apiKey' | 'external';
    readonly id: string;
    /** The user's token version when the session began: it has ended once the user's is another. */
    readonly tokenVersion?: number | undefined;
    /** Of an API key that may not do all that its owner may; in the order of API_KEY_SCOPES. */
    readonly scopes?: readonly ApiKeyScope[] | undefined;
  };
  /** What administrators set for the user, and for the API key it came with; absent: nothing. */
  readonly rateLimits?:
    | { readonly user?: RateLimitOverrides | undefined; readonly apiKey?: RateLimitOverrides | undefined }
    | undefined;
  /** The session began with a password that somebody else has chosen. */
  readonly mustChangePassword?: boolean | undefined;
  /** When the credential ends, epoch milliseconds; undefined for a key without expiry. */
  readonly expiresAtMs?: number | undefined;
}

/** Roles that may, and scopes of which an API key needs one besides. */
export interface Grant {
  readonly roles: readonly Role[];
  readonly scopes: readonly ApiKeyScope[];
}

const ADMINISTRATION: Grant = { roles: ['ADMIN'], scopes: ['ADMIN'] };
const forAll = (...scopes: ApiKeyScope[]): Grant => ({ roles: ROLES, scopes });

const PERMISSIONS = {
  'request:submit': forAll('SUBMIT'),
  'request:cancel': forAll('SUBMIT'),
  'request:estimate': forAll('SUBMIT', 'READ'),
  'request:read': forAll('READ'),
  'request:read-any': ADMINISTRATION,
  'request:cancel-any': ADMINISTRATION,
  'request:delete-content': forAll('MANAGE'),
  'request:delete-content-any': ADMINISTRATION,
  'provider:read': forAll('READ'),
  'provider:manage': ADMINISTRATION,
  'breaker:reset': ADMINISTRATION,
  'breaker:open': ADMINISTRATION,
  'deployment:drain': ADMINISTRATION,
  'deployment:enable': ADMINISTRATION,
  'metrics:read': { roles: ['ADMIN'], scopes: ['METRICS'] },
  'metrics:scrape': { roles: ['ADMIN', 'SERVICE'], scopes: ['METRICS'] },
  'dashboard:read': ADMINISTRATION,
  'instance:read': ADMINISTRATION,
  'schema:read-any': ADMINISTRATION,
  /** Something by its id; what it is decides further. */
  'node:read': forAll('READ', 'MANAGE'),
  /** Who one is; whatever the key is for. */
  'viewer:read': forAll(...API_KEY_SCOPES),
  /** One's own keys and sessions. */
  'account:manage': forAll('MANAGE'),
  /** One's own password, and the end of one's own session. */
  'account:secure': forAll('MANAGE'),
  'member:manage': ADMINISTRATION,
  'audit:read': ADMINISTRATION,
  'budget:manage': ADMINISTRATION,
  /** A definition of a workflow for everybody. */
  'workflow:share': ADMINISTRATION,
} as const satisfies Record<string, Grant>;
export type Permission = keyof typeof PERMISSIONS;

/** What whoever has to change the password may do before. */
export function isAllowedBeforePasswordChange(permission: Permission): boolean {
  return permission === 'account:secure' || permission === 'viewer:read';
}

export function grantOf(permission: Permission): Grant {
  return PERMISSIONS[permission];
}

/** Has the actor's credential one of the scopes? Whatever is no API key, and a key without scopes, has all of them. */
export function hasScope({ credential: { scopes } }: Actor, needed: readonly ApiKeyScope[]): boolean {
  return scopes === undefined || scopes.includes('ADMIN') || needed.some(scope => scopes.includes(scope));
}

/** Do the role and, of an API key, the scopes carry the permission? */
export function can(actor: Actor, permission: Permission): boolean {
  if (actor.mustChangePassword && !isAllowedBeforePasswordChange(permission)) return false;
  const { roles, scopes } = grantOf(permission);
  return roles.includes(actor.role) && hasScope(actor, scopes);
}

/** Throws FORBIDDEN unless `can`; the message names the scope that the key lacks. PASSWORD_CHANGE_REQUIRED before all else. */
export function authorize(actor: Actor, permission: Permission): void {
  if (can(actor, permission)) return;
  if (actor.mustChangePassword)
    throw new DomainError('PASSWORD_CHANGE_REQUIRED', `${permission} ${AFTER_PASSWORD_CHANGE}.`);
  const { roles, scopes } = grantOf(permission);
  throw new DomainError(
    'FORBIDDEN',
    roles.includes(actor.role)
      ? `${permission} needs an API key with ${namesOf(scopes)}.`
      : `The role ${actor.role} does not allow ${permission}.`,
  );
}

/** Said of what is refused until then. */
export const AFTER_PASSWORD_CHANGE =
  'is refused until the password that an administrator set is changed by changePassword';

/** `the scope READ`, `the scope READ or SUBMIT`. */
export function namesOf(scopes: readonly ApiKeyScope[]): string {
  return `the scope ${scopes.join(' or ')}`;
}
