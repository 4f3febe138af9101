// The logins of a user as they stand: listed, and ended one by one, for instance that of a lost device.

import { authorize } from '../domain/access.ts';
import { DomainError } from '../domain/errors.ts';
import type { MemberContext } from './member-context.ts';
import type { Members } from './members.ts';
import { authorizeFor, maySee } from './own-account.ts';

export function createSessionList(context: MemberContext): Pick<Members, 'sessionsOf' | 'revokeSession'> {
  return {
    async sessionsOf(actor, userId) {
      authorizeFor(actor, userId);
      return context.store.members.sessionsOf(userId);
    },

    async revokeSession(actor, sessionId) {
      authorize(actor, 'account:manage');
      const { user } = await context.store.transaction(async store => {
        const known = await store.members.session(sessionId);
        if (!known || !maySee(actor, known.user.id))
          throw new DomainError('NOT_FOUND', 'There is no session with that id.');
        if (await store.members.revokeSession(sessionId))
          await context.remember(store, {
            action: 'session.revoke',
            actor,
            subject: { kind: 'session', id: sessionId },
            data: { userId: known.user.id },
          });
        return known;
      });
      context.credentialsChanged(user.id);
    },
  };
}
