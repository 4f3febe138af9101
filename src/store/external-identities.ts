// Whom the subjects of an identity provider are here.

import type { Kysely, Selectable } from 'kysely';
import type { ExternalIdentity } from '../domain/identity.ts';
import type { User } from '../domain/member.ts';
import type { ExternalIdentitiesTable, Tables } from './tables.ts';
import { toUser } from './user-rows.ts';

export interface ExternalIdentityRepository {
  /** Undefined: the subject has never come. */
  find(issuer: string, subject: string): Promise<{ identity: ExternalIdentity; user: User } | undefined>;
  /** False when the subject is known already. */
  create(identity: ExternalIdentity): Promise<boolean>;
  /**
   * Keeps what a newer token says, in a transaction; what was kept before, or undefined when that is newer already, or
   * the subject is unknown.
   */
  advance(identity: ExternalIdentity): Promise<ExternalIdentity | undefined>;
}

export function externalIdentitiesIn(db: Kysely<Tables>): ExternalIdentityRepository {
  return {
    async find(issuer, subject) {
      const row = await db
        .selectFrom('external_identities as identity')
        .innerJoin('users', 'users.id', 'identity.user_id')
        .selectAll('users')
        .select(['issuer', 'subject', 'user_id', 'issued_at', 'identity.role as identity_role'])
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .executeTakeFirst();
      return row && { identity: toIdentity({ ...row, role: row.identity_role }), user: toUser(row) };
    },

    async create({ issuer, subject, userId, role, issuedAt }) {
      const created = await db
        .insertInto('external_identities')
        .values({ issuer, subject, user_id: userId, role, issued_at: issuedAt })
        .onConflict(conflict => conflict.columns(['issuer', 'subject']).doNothing())
        .returning('user_id')
        .executeTakeFirst();
      return created !== undefined;
    },

    async advance({ issuer, subject, role, issuedAt }) {
      // Locked first: of two newer tokens at once the second must see what the first one wrote.
      const before = await db
        .selectFrom('external_identities')
        .select(['issuer', 'subject', 'user_id', 'role', 'issued_at'])
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .forUpdate()
        .executeTakeFirst();
      if (!before || before.issued_at >= issuedAt) return undefined;
      await db
        .updateTable('external_identities')
        .set({ role, issued_at: issuedAt })
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .execute();
      return toIdentity(before);
    },
  };
}

function toIdentity(row: Omit<Selectable<ExternalIdentitiesTable>, 'created_at'>): ExternalIdentity {
  return {
    issuer: row.issuer,
    subject: row.subject,
    userId: row.user_id,
    role: row.role,
    issuedAt: row.issued_at,
  };
}
