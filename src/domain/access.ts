// Who may do what. Actors, roles and permissions; ownership is a condition beside the permission.
// The directives of the schema refuse early; the functions here are the truth.

import { DomainError } from './errors.ts';

export const ROLES = ['ADMIN', 'USER', 'SERVICE'] as const;
export type Role = (typeof ROLES)[number];

/** Whoever an operation acts for, as established from its credential. */
export interface Actor {
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  /** The credential it came with: a login session's token or an API key. */
  readonly credential: {
    readonly kind: 'session' | 'apiKey';
    readonly id: string;
    /** The user's token version when the session began: it has ended once the user's is another. */
    readonly tokenVersion?: number | undefined;
  };
  /** When the credential ends, epoch milliseconds; undefined for a key without expiry. */
  readonly expiresAtMs?: number | undefined;
}

const PERMISSIONS = {
  'request:submit': ['ADMIN', 'USER', 'SERVICE'],
  'request:read-any': ['ADMIN'],
  'request:cancel-any': ['ADMIN'],
  'provider:read': ['ADMIN', 'USER', 'SERVICE'],
  'breaker:reset': ['ADMIN'],
  'breaker:open': ['ADMIN'],
  'deployment:drain': ['ADMIN'],
  'deployment:enable': ['ADMIN'],
  'metrics:read': ['ADMIN'],
  'instance:read': ['ADMIN'],
  'member:manage': ['ADMIN'],
  'audit:read': ['ADMIN'],
  'budget:manage': ['ADMIN'],
} as const satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof PERMISSIONS;

/** Does the actor's role carry the permission? */
export function can(actor: Actor, permission: Permission): boolean {
  return (PERMISSIONS[permission] as readonly Role[]).includes(actor.role);
}

/** Throws FORBIDDEN unless `can`. */
export function authorize(actor: Actor, permission: Permission): void {
  if (!can(actor, permission)) {
    throw new DomainError('FORBIDDEN', `The role ${actor.role} does not allow ${permission}.`);
  }
}
