// People and programs that may use the control plane, and the keys they hold.

import type { Actor, ApiKeyScope, Role } from './access.ts';
import type { RateLimitOverrides } from './rate-limit.ts';

export interface User {
  readonly id: string;
  /** Unique; trimmed and case-folded at creation. */
  readonly username: string;
  readonly role: Role;
  readonly disabled: boolean;
  /** Somebody else has chosen the password: whoever logs in with it may do nothing but change it. */
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
  /** What administrators set in place of the settings' limits; undefined: nothing. */
  readonly rateLimits?: RateLimitOverrides | undefined;
  /** Grows with every password or role change and when disabled: tokens of an older version are refused. */
  readonly tokenVersion: number;
  /** A pseudonym stands for the name since then, and all credentials have ended. */
  readonly deletedAt?: Date | undefined;
}

/** One login. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface ApiKey {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** The public first part of the key, for recognising it. */
  readonly prefix: string;
  /** What it is for; undefined: everything that its owner's role allows. */
  readonly scopes: readonly ApiKeyScope[] | undefined;
  /** As for a user; the user's own limits hold besides. */
  readonly rateLimits?: RateLimitOverrides | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
  readonly revokedAt: Date | undefined;
}

/** What administrators set for whoever acts with a credential of the user, or with that key. */
export function rateLimitsOf(user: User, key?: ApiKey): Pick<Actor, 'rateLimits'> {
  if (!user.rateLimits && !key?.rateLimits) return {};
  return { rateLimits: { user: user.rateLimits, apiKey: key?.rateLimits } };
}
