// Users in the database, and with credentials.ts the whole of MemberRepository. Rules and permissions are
// control/'s; here are the facts, and the guards that only one statement can give.

import { type Kysely, type Selectable, sql } from 'kysely';
import { apiKeysIn, sessionsIn, setupTokensIn } from './credentials.ts';
import { byId, isUuid, uuidsIn } from './ids.ts';
import { keysetPage } from './keyset.ts';
import { prepared } from './prepared.ts';
import { toColumns } from './rate-limits.ts';
import type { MemberRepository } from './store.ts';
import type { Tables, UsersTable } from './tables.ts';
import { toUser } from './user-rows.ts';

export function membersIn(db: Kysely<Tables>): MemberRepository {
  return {
    ...userWritesIn(db),
    ...userReadsIn(db),
    ...sessionsIn(db),
    ...apiKeysIn(db),
    ...setupTokensIn(db),
  };
}

function userWritesIn(db: Kysely<Tables>) {
  return {
    async createUser(user, passwordHash) {
      const created = await db
        .insertInto('users')
        .values({
          id: user.id,
          username: user.username,
          role: user.role,
          disabled: user.disabled,
          password_hash: passwordHash ?? null,
          must_change_password: user.mustChangePassword,
          ...toColumns(user.rateLimits),
          token_version: user.tokenVersion,
          created_at: user.createdAt,
        })
        .onConflict(conflict => conflict.column('username').doNothing())
        .returning('id')
        .executeTakeFirst();
      return created !== undefined;
    },

    async updateUser(id, { role, disabled, passwordHash, mustChangePassword }) {
      if (!isUuid(id)) return undefined;
      const row = await db
        .updateTable('users')
        .set({
          ...(role !== undefined && { role }),
          ...(disabled !== undefined && { disabled }),
          ...(passwordHash !== undefined && { password_hash: passwordHash }),
          ...(mustChangePassword !== undefined && { must_change_password: mustChangePassword }),
          // Tokens of an older version are refused: whoever held one must log in again.
          token_version: sql<number>`token_version + case when
            ${passwordHash !== undefined}::boolean
            or role <> coalesce(${role ?? null}::text, role)
            or (not disabled and ${disabled === true}::boolean) then 1 else 0 end`,
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return row && toUser(row);
    },

    async deleteUser(id, pseudonym) {
      const isTheirs = sql<boolean>`user_id = ${id}::uuid`;
      await sql`
        with logins as (delete from sessions where ${isTheirs}),
        keys as (
          update api_keys set name = 'deleted', revoked_at = coalesce(revoked_at, now()) where ${isTheirs}
        ),
        definitions as (delete from workflow_definitions where ${isTheirs}),
        repeats as (delete from idempotency_keys where ${isTheirs})
        update users set username = ${pseudonym}, disabled = true, password_hash = null,
          token_version = token_version + 1, deleted_at = now()
        where id = ${id}::uuid and deleted_at is null`.execute(db);
    },
  } satisfies Partial<MemberRepository>;
}

function userReadsIn(db: Kysely<Tables>) {
  return {
    async usersByIds(ids) {
      const { rows } = await sql<
        Omit<Selectable<UsersTable>, 'password_hash' | 'content_deleted_at'>
      >`${prepared('users_by_ids')}
        select id, username, role, disabled, must_change_password, token_version, created_at, deleted_at,
          requests_per_minute, tokens_per_minute, concurrent_requests
        from users where id = any(${uuidsIn(ids)}::uuid[])`.execute(db);
      return byId(ids, rows, row => row.id, toUser);
    },

    async userByName(username) {
      const row = await db
        .selectFrom('users')
        .selectAll()
        .where('username', '=', username)
        .executeTakeFirst();
      return row && { user: toUser(row), passwordHash: row.password_hash ?? undefined };
    },

    async passwordHash(userId) {
      if (!isUuid(userId)) return undefined;
      const row = await db
        .selectFrom('users')
        .select('password_hash')
        .where('id', '=', userId)
        .executeTakeFirst();
      return row?.password_hash ?? undefined;
    },

    async usersPage(query) {
      const page = await keysetPage(query, (condition, direction, limit) =>
        db.selectFrom('users').selectAll().where(condition).orderBy('id', direction).limit(limit).execute(),
      );
      return { ...page, rows: page.rows.map(toUser) };
    },

    // Locks them to the end of the transaction: two admins who demote each other at once must not both see two.
    async countAdmins() {
      const rows = await db
        .selectFrom('users')
        .select('id')
        .where('role', '=', 'ADMIN')
        .where('disabled', '=', false)
        .orderBy('id')
        .forUpdate()
        .execute();
      return rows.length;
    },
  } satisfies Partial<MemberRepository>;
}
