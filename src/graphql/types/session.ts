// Coming, going, and changing one's password.

import type { Login } from '../../control/members.ts';
import { PUBLIC, permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { assertOneLogin } from '../login-guard.ts';
import { requireId } from '../require-id.ts';
import { UserType } from './member.ts';

const LoginInput = builder.inputType('LoginInput', {
  description: 'Who one is.',
  fields: t => ({
    username: t.string({ required: true, description: 'Letter case does not count.' }),
    password: t.string({ required: true, description: 'As it is; every character counts.' }),
  }),
});

const ChangePasswordInput = builder.inputType('ChangePasswordInput', {
  description: 'The old and the new password.',
  fields: t => ({
    currentPassword: t.string({ required: true, description: 'The password as it is.' }),
    newPassword: t.string({
      required: true,
      description:
        'The password to be: 8 to 256 characters unless the server is set otherwise, and not the current one.',
    }),
  }),
});

const LoginPayload = builder.objectRef<Login>('LoginPayload');
const ChangePasswordPayload = builder.objectRef<Login>('ChangePasswordPayload');

for (const [payload, description] of [
  [LoginPayload, 'A login.'],
  [ChangePasswordPayload, 'What `changePassword` did: all earlier tokens have ended, this one is valid.'],
] as const)
  payload.implement({
    description,
    fields: t => ({
      token: t.exposeString('token', { description: 'To be sent as `Authorization: Bearer …`.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the token ends.' }),
      viewer: t.field({ type: UserType, description: 'Who logged in.', resolve: login => login.user }),
    }),
  });

const LogoutPayload = builder.objectRef<{ loggedOut: true }>('LogoutPayload').implement({
  description: 'What `logout` did.',
  fields: t => ({
    loggedOut: t.exposeBoolean('loggedOut', { description: 'Always true: failures are errors.' }),
  }),
});

const RevokeSessionInput = builder.inputType('RevokeSessionInput', {
  description: 'Which login to end.',
  fields: t => ({ sessionId: t.id({ required: true, description: 'The id of the session.' }) }),
});

const RevokeSessionPayload = builder.objectRef<{ sessionId: string }>('RevokeSessionPayload').implement({
  description: 'What `revokeSession` did.',
  fields: t => ({
    sessionId: t.id({
      description: 'The id of the session, whose token is refused from now on.',
      resolve: ({ sessionId }) => sessionId,
    }),
  }),
});

builder.mutationFields(t => ({
  revokeSession: t.field({
    ...permitted('account:manage'),
    type: RevokeSessionPayload,
    description:
      "Ends one's own login on another device, or by ADMIN anybody's, at once. NOT_FOUND when there is none to see.",
    args: { input: t.arg({ type: RevokeSessionInput, required: true, description: 'Which login to end.' }) },
    resolve: async (_root, { input: { sessionId } }, context) => {
      await context.members.revokeSession(actorOf(context), requireId('session', sessionId));
      return { sessionId };
    },
  }),
  login: t.field({
    ...PUBLIC,
    type: LoginPayload,
    description:
      'Exchanges name and password for a token. UNAUTHENTICATED whichever of them is wrong; RATE_LIMITED after too many failures. Only once in an operation.',
    args: { input: t.arg({ type: LoginInput, required: true, description: 'Who one is.' }) },
    resolve: (_root, { input: { username, password } }, context, info) => {
      assertOneLogin(info);
      return context.members.login(username, password, context.address);
    },
  }),
  logout: t.field({
    ...permitted('account:secure'),
    type: LogoutPayload,
    description: 'Ends the session of the token it came with. BAD_USER_INPUT for an API key: revoke that.',
    resolve: async (_root, _args, context) => {
      await context.members.logout(actorOf(context));
      return { loggedOut: true as const };
    },
  }),
  changePassword: t.field({
    ...permitted('account:secure'),
    type: ChangePasswordPayload,
    description:
      "Changes one's own password and ends all sessions of the user. UNAUTHENTICATED when the current password is wrong.",
    args: {
      input: t.arg({ type: ChangePasswordInput, required: true, description: 'The old and the new one.' }),
    },
    resolve: (_root, { input }, context) =>
      context.members.changePassword(actorOf(context), input.currentPassword, input.newPassword),
  }),
}));
