// Deleting a user. The row stays under a pseudonym, since requests, the ledger and the audit log refer to it; what proved
// who they were ends, and what they said is deleted.

import { authorize } from '../domain/access.ts';
import { badInput } from '../domain/errors.ts';
import { toGlobalId } from '../domain/ids.ts';
import type { MemberContext } from './member-context.ts';
import type { Members } from './members.ts';
import { refuseLastAdmin, userOrNotFound } from './users.ts';

const MAX_REASON_LENGTH = 500;

export function createUserDeletion(context: MemberContext): Pick<Members, 'deleteUser'> {
  return {
    async deleteUser(actor, userId, reason) {
      authorize(actor, 'member:manage');
      if (reason.trim() === '' || reason.length > MAX_REASON_LENGTH)
        throw badInput('reason', `must have 1 to ${MAX_REASON_LENGTH} characters`);
      const user = await context.store.transaction(async store => {
        // Counted first: see writeUser.
        const admins = await store.members.countAdmins();
        const before = await userOrNotFound(store, userId);
        if (before.deletedAt) return before;
        refuseLastAdmin(before, admins);
        await store.members.deleteUser(userId, `deleted-${toGlobalId('user', userId)}`);
        await context.remember(store, {
          action: 'user.delete',
          actor,
          subject: { kind: 'user', id: userId },
          reason,
          data: { role: before.role },
        });
        return userOrNotFound(store, userId);
      });
      context.credentialsChanged(userId);
      // Should this fail, the duties of the instances do it.
      await context.deleteContentOf?.(userId);
      return user;
    },
  };
}
