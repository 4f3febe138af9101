// What proves who somebody is: login sessions, API keys and the one-time setup link. Only hashes of secrets
// come here.

import { type Kysely, type Selectable, type SqlBool, sql } from 'kysely';
import type { ApiKey } from '../domain/member.ts';
import { isUuid } from './ids.ts';
import { rateLimitsOf, toColumns } from './rate-limits.ts';
import type { MemberRepository } from './store.ts';
import type { ApiKeysTable, Tables } from './tables.ts';
import { toUser } from './user-rows.ts';

/** Whoever logs in more often within the life of a login sees the latest. */
const MAX_LISTED = 500;

export function sessionsIn(db: Kysely<Tables>) {
  return {
    // Each login takes away what has expired of the same user, so the table is bounded by the valid sessions.
    async createSession({ id, userId, expiresAt }) {
      await db
        .with('expired', query =>
          query
            .deleteFrom('sessions')
            .where('user_id', '=', userId)
            .where('expires_at', '<', sql<Date>`now()`),
        )
        .insertInto('sessions')
        .values({ id, user_id: userId, expires_at: expiresAt })
        .execute();
    },

    async session(id) {
      if (!isUuid(id)) return undefined;
      const row = await db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .selectAll('users')
        .select('sessions.revoked_at')
        .where('sessions.id', '=', id)
        .executeTakeFirst();
      return row && { user: toUser(row), revoked: row.revoked_at !== null };
    },

    async sessionsOf(userId) {
      if (!isUuid(userId)) return [];
      const rows = await db
        .selectFrom('sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', sql<Date>`now()`)
        .orderBy('id', 'desc')
        .limit(MAX_LISTED)
        .execute();
      return rows.map(row => ({
        id: row.id,
        userId: row.user_id,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
      }));
    },

    async revokeSession(id) {
      if (!isUuid(id)) return false;
      const revoked = await db
        .updateTable('sessions')
        .set({ revoked_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .returning('id')
        .executeTakeFirst();
      return revoked !== undefined;
    },
  } satisfies Partial<MemberRepository>;
}

/** Columns of a key's owner that the key has as well. */
const OWNER_COLUMNS = [
  'users.created_at as owner_created_at',
  'users.requests_per_minute as owner_requests_per_minute',
  'users.tokens_per_minute as owner_tokens_per_minute',
  'users.concurrent_requests as owner_concurrent_requests',
] as const;

export function apiKeysIn(db: Kysely<Tables>) {
  return {
    async createApiKey(key, secretHash) {
      await db
        .insertInto('api_keys')
        .values({ ...toRow(key), secret_hash: secretHash })
        .execute();
    },

    async apiKeyByPrefix(prefix) {
      const row = await db
        .selectFrom('api_keys')
        .innerJoin('users', 'users.id', 'api_keys.user_id')
        .selectAll('api_keys')
        .select(['username', 'role', 'disabled', 'must_change_password', 'token_version', 'deleted_at'])
        .select(OWNER_COLUMNS)
        .where('prefix', '=', prefix)
        .executeTakeFirst();
      if (!row) return undefined;
      const user = toUser({
        ...row,
        id: row.user_id,
        created_at: row.owner_created_at,
        requests_per_minute: row.owner_requests_per_minute,
        tokens_per_minute: row.owner_tokens_per_minute,
        concurrent_requests: row.owner_concurrent_requests,
      });
      return { key: toApiKey(row), secretHash: row.secret_hash, user };
    },

    async apiKeysOf(userId) {
      if (!isUuid(userId)) return [];
      const rows = await db
        .selectFrom('api_keys')
        .selectAll()
        .where('user_id', '=', userId)
        .orderBy('id', 'desc')
        .execute();
      return rows.map(toApiKey);
    },

    async apiKeyById(id) {
      if (!isUuid(id)) return undefined;
      const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toApiKey(row);
    },

    async revokeApiKey(id) {
      if (!isUuid(id)) return false;
      const revoked = await db
        .updateTable('api_keys')
        .set({ revoked_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .returning('id')
        .executeTakeFirst();
      return revoked !== undefined;
    },

    async endApiKey(id, expiresAt) {
      await db
        .updateTable('api_keys')
        .set({ expires_at: sql<Date>`least(expires_at, ${expiresAt}::timestamptz)` })
        .where('id', '=', id)
        .execute();
    },

    async touchApiKey(id, usedAt) {
      await db
        .updateTable('api_keys')
        .set({ last_used_at: sql<Date>`greatest(last_used_at, ${usedAt}::timestamptz)` })
        .where('id', '=', id)
        .execute();
    },
  } satisfies Partial<MemberRepository>;
}

export function setupTokensIn(db: Kysely<Tables>) {
  return {
    async saveSetupToken(hash, expiresAt) {
      await db
        .insertInto('setup_tokens')
        .values({ hash, expires_at: expiresAt })
        .onConflict(conflict => conflict.column('only_one').doUpdateSet({ hash, expires_at: expiresAt }))
        .execute();
    },

    // Deleting is what makes it one-time: of two that spend it at once, one finds it gone.
    async consumeSetupToken(hash) {
      const spent = await db
        .deleteFrom('setup_tokens')
        .where('hash', '=', hash)
        .where('expires_at', '>', sql<Date>`now()`)
        .where(sql<SqlBool>`not exists (select from users where role = 'ADMIN' and not disabled)`)
        .returning('only_one')
        .executeTakeFirst();
      return spent !== undefined;
    },
  } satisfies Partial<MemberRepository>;
}

function toRow(key: ApiKey) {
  return {
    id: key.id,
    user_id: key.userId,
    name: key.name,
    prefix: key.prefix,
    scopes: key.scopes ? [...key.scopes] : null,
    created_at: key.createdAt,
    expires_at: key.expiresAt ?? null,
    last_used_at: key.lastUsedAt ?? null,
    revoked_at: key.revokedAt ?? null,
    ...toColumns(key.rateLimits),
  };
}

function toApiKey(row: Selectable<ApiKeysTable>): ApiKey {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes ?? undefined,
    ...rateLimitsOf(row),
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  };
}
