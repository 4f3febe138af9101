// Deleting a user.

import type { User } from '../../domain/member.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { requireId } from '../require-id.ts';
import { UserType } from './member.ts';

const DeleteUserInput = builder.inputType('DeleteUserInput', {
  description: 'Whom to delete.',
  fields: t => ({
    userId: t.id({ required: true, description: 'The id of the user.' }),
    reason: t.string({ required: true, description: 'Why, for the audit log: 1 to 500 characters.' }),
  }),
});

const DeleteUserPayload = builder.objectRef<{ user: User }>('DeleteUserPayload').implement({
  description: 'What `deleteUser` did.',
  fields: t => ({
    user: t.expose('user', { type: UserType, description: 'What is left: the id, under a pseudonym.' }),
  }),
});

builder.mutationField('deleteUser', t =>
  t.field({
    ...permitted('member:manage'),
    type: DeleteUserPayload,
    description:
      'Deletes a user for good: ends logins and API keys, cancels requests that have not ended, deletes what was said in all of them, and puts a pseudonym in place of the name. Figures, attempts and the audit log stay. Sent once more, it goes on where it was interrupted. CONFLICT when no enabled ADMIN would be left. NOT_FOUND when there is no such user.',
    args: { input: t.arg({ type: DeleteUserInput, required: true, description: 'Whom and why.' }) },
    resolve: async (_root, { input: { userId, reason } }, context) => ({
      user: await context.members.deleteUser(actorOf(context), requireId('user', userId), reason),
    }),
  }),
);
