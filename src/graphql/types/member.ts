// Users and their API keys, and reading them.

import { type Actor, authorize, can } from '../../domain/access.ts';
import { toGlobalId } from '../../domain/ids.ts';
import type { ApiKey, Session, User } from '../../domain/member.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { pageCost } from '../cost.ts';
import { toConnection, toPageQuery } from '../pagination.ts';
import { ApiKeyScopeEnum, RoleEnum } from './enums.ts';

export const ApiKeyType = builder.objectRef<ApiKey>('ApiKey');
export const UserType = builder.objectRef<User>('User');

/** What belongs to a user: one's own, or anybody's for ADMIN. */
export function maySee(actor: Actor, userId: string): boolean {
  return actor.userId === userId || can(actor, 'member:manage');
}

builder.node(ApiKeyType, {
  description: 'A key by which a program acts for a user. The secret itself is shown once, when it is made.',
  id: { description: 'Opaque; starts with `key_`.', resolve: key => key.id },
  loadOne: async (id, context) => {
    authorize(actorOf(context), 'account:manage');
    const key = await context.store.members.apiKeyById(id);
    return key && maySee(actorOf(context), key.userId) ? key : null;
  },
  fields: t => ({
    name: t.exposeString('name', { description: 'What its owner calls it.' }),
    prefix: t.exposeString('prefix', {
      description: 'The public first part of the key, for recognising it.',
    }),
    scopes: t.field({
      type: [ApiKeyScopeEnum],
      nullable: true,
      description: "What it is for; null: everything that its owner's role allows.",
      resolve: key => key.scopes && [...key.scopes],
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends; null: never by itself.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to within some minutes; null when never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null while it is valid.',
    }),
  }),
});

export const SessionType = builder.objectRef<Session>('Session').implement({
  description: 'One login, by the token that came of it.',
  fields: t => ({
    id: t.id({
      description: 'Opaque; starts with `ses_`.',
      resolve: session => toGlobalId('session', session.id),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends by itself.' }),
    current: t.boolean({
      description: 'Whether this operation came with it.',
      resolve: ({ id }, _args, context) => actorOf(context).credential.id === id,
    }),
  }),
});

builder.node(UserType, {
  description: 'A person or a program that may use the control plane.',
  id: { description: 'Opaque; starts with `usr_`.', resolve: user => user.id },
  loadOne: async (id, context) => {
    if (!maySee(actorOf(context), id)) return null;
    return (await context.members.usersByIds([id]))[0];
  },
  fields: t => ({
    username: t.exposeString('username', { description: 'Unique, in lower case.' }),
    role: t.field({ type: RoleEnum, description: 'What the user may do.', resolve: user => user.role }),
    disabled: t.exposeBoolean('disabled', { description: 'Whether logging in and all keys are refused.' }),
    mustChangePassword: t.exposeBoolean('mustChangePassword', {
      description:
        'Whether the password has to be changed first: until then, whoever logs in with it may do nothing else.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the user was created.' }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the user was deleted: `username` is a pseudonym since then. Null while there is somebody.',
    }),
    apiKeys: t.field({
      ...permitted('account:manage'),
      type: [ApiKeyType],
      description:
        "The user's keys, revoked ones included. One's own, or anybody's for ADMIN; else FORBIDDEN.",
      complexity: { field: 10, multiplier: 10 },
      resolve: (user, _args, context) => context.members.apiKeysOf(actorOf(context), user.id),
    }),
    sessions: t.field({
      ...permitted('account:manage'),
      type: [SessionType],
      description:
        "The user's logins that are valid now, newest first. One's own, or anybody's for ADMIN; else FORBIDDEN.",
      complexity: { field: 10, multiplier: 10 },
      resolve: (user, _args, context) => context.members.sessionsOf(actorOf(context), user.id),
    }),
  }),
});

builder.queryField('viewer', t =>
  t.field({
    ...permitted('viewer:read'),
    type: UserType,
    description: 'Who the caller is.',
    resolve: (_root, _args, context) => context.members.viewer(actorOf(context)),
  }),
);

builder.queryField('users', t =>
  t.connection(
    {
      ...permitted('member:manage'),
      type: UserType,
      description: 'All users, newest first.',
      complexity: pageCost,
      resolve: async (_root, args, context) => {
        const page = await context.members.users(actorOf(context), toPageQuery('users', args));
        return toConnection('users', page);
      },
    },
    { name: 'UserConnection', description: 'A page of users.' },
    { name: 'UserEdge', description: 'A user and the place in the page.' },
  ),
);
