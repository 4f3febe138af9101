// A row of users as the domain's User; the password hash stays behind.

import type { Selectable } from 'kysely';
import type { User } from '../domain/member.ts';
import { rateLimitsOf } from './rate-limits.ts';
import type { UsersTable } from './tables.ts';

export function toUser(row: Omit<Selectable<UsersTable>, 'password_hash' | 'content_deleted_at'>): User {
  return {
    id: row.id,
    username: row.username,
    role: row.role,
    disabled: row.disabled,
    mustChangePassword: row.must_change_password,
    ...rateLimitsOf(row),
    createdAt: row.created_at,
    tokenVersion: row.token_version,
    ...(row.deleted_at && { deletedAt: row.deleted_at }),
  };
}
