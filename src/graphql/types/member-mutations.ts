// Managing users and API keys.

import type { ApiKey, User } from '../../domain/member.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { requireId } from '../require-id.ts';
import { ApiKeyScopeEnum, RoleEnum } from './enums.ts';
import { ApiKeyType, UserType } from './member.ts';

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A user to be.',
  fields: t => ({
    username: t.string({ required: true, description: 'Unique; letter case and outer spaces do not count.' }),
    role: t.field({ type: RoleEnum, required: true, description: 'What the user may do.' }),
    password: t.string({
      description:
        '8 to 256 characters unless the server is set otherwise. Required for ADMIN and USER; a SERVICE has none.',
    }),
    mustChangePassword: t.boolean({
      defaultValue: false,
      description: 'Whether the user has to change the password before anything else.',
    }),
  }),
});

const UpdateUserInput = builder.inputType('UpdateUserInput', {
  description: 'What to change of a user; what is left out or null stays.',
  fields: t => ({
    userId: t.id({ required: true, description: 'The id of the user.' }),
    role: t.field({ type: RoleEnum, description: 'The new role.' }),
    disabled: t.boolean({ description: 'True: refuse all credentials of the user at once.' }),
    password: t.string({
      description: 'A new password, 8 to 256 characters unless the server is set otherwise.',
    }),
    mustChangePassword: t.boolean({
      defaultValue: true,
      description:
        'Whether the user has to change that password before anything else. Means nothing without a password.',
    }),
  }),
});

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'An API key to be.',
  fields: t => ({
    name: t.string({ required: true, description: 'What to call it.' }),
    userId: t.id({ description: 'For whom; left out: for oneself. Others only by ADMIN.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends; left out: never by itself.' }),
    scopes: t.field({
      type: [ApiKeyScopeEnum],
      description:
        "What it is for, at least one; left out: everything that its owner's role allows. Made with an API key: no scope that this one lacks, and left out the same.",
    }),
  }),
});

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'Which key to end.',
  fields: t => ({ apiKeyId: t.id({ required: true, description: 'The id of the key.' }) }),
});

const DEFAULT_GRACE_SECONDS = 86_400;

const RotateApiKeyInput = builder.inputType('RotateApiKeyInput', {
  description: 'Which key to replace, and how long both are good.',
  fields: t => ({
    apiKeyId: t.id({ required: true, description: 'The id of the key.' }),
    graceSeconds: t.int({
      defaultValue: DEFAULT_GRACE_SECONDS,
      description: 'How long the old key is still accepted, in seconds: 0 to 2,592,000 (30 days).',
    }),
  }),
});

const CreateUserPayload = builder.objectRef<{ user: User }>('CreateUserPayload').implement({
  description: 'What `createUser` did.',
  fields: t => ({ user: t.expose('user', { type: UserType, description: 'The new user.' }) }),
});

const UpdateUserPayload = builder.objectRef<{ user: User }>('UpdateUserPayload').implement({
  description: 'What `updateUser` did.',
  fields: t => ({ user: t.expose('user', { type: UserType, description: 'The user as it is now.' }) }),
});

const CreateApiKeyPayload = builder
  .objectRef<{ key: ApiKey; secret: string }>('CreateApiKeyPayload')
  .implement({
    description: 'What `createApiKey` did.',
    fields: t => ({
      apiKey: t.field({ type: ApiKeyType, description: 'The new key.', resolve: created => created.key }),
      secret: t.exposeString('secret', {
        description: 'The key itself, to be sent as `Authorization: Bearer …`. Shown this once.',
      }),
    }),
  });

const RotateApiKeyPayload = builder
  .objectRef<{ key: ApiKey; secret: string; replaced: ApiKey }>('RotateApiKeyPayload')
  .implement({
    description: 'What `rotateApiKey` did.',
    fields: t => ({
      apiKey: t.field({ type: ApiKeyType, description: 'The new key.', resolve: rotated => rotated.key }),
      secret: t.exposeString('secret', {
        description: 'The new key itself, to be sent as `Authorization: Bearer …`. Shown this once.',
      }),
      replaced: t.expose('replaced', {
        type: ApiKeyType,
        description: 'The old key, with the end that it has now.',
      }),
    }),
  });

const RevokeApiKeyPayload = builder.objectRef<{ apiKey: ApiKey }>('RevokeApiKeyPayload').implement({
  description: 'What `revokeApiKey` did.',
  fields: t => ({
    apiKey: t.expose('apiKey', { type: ApiKeyType, description: 'The key, revoked.' }),
  }),
});

builder.mutationFields(t => ({
  createUser: t.field({
    ...permitted('member:manage'),
    type: CreateUserPayload,
    description: 'Creates a user. CONFLICT when the name is taken.',
    args: { input: t.arg({ type: CreateUserInput, required: true, description: 'Whom to create.' }) },
    resolve: async (_root, { input: { password, mustChangePassword, ...input } }, context) => ({
      user: await context.members.createUser(actorOf(context), {
        ...input,
        password: password ?? undefined,
        mustChangePassword: mustChangePassword ?? undefined,
      }),
    }),
  }),
  updateUser: t.field({
    ...permitted('member:manage'),
    type: UpdateUserPayload,
    description:
      'Changes a user, ends the sessions concerned. CONFLICT when no enabled ADMIN would be left. NOT_FOUND when there is no such user.',
    args: { input: t.arg({ type: UpdateUserInput, required: true, description: 'Whom and what.' }) },
    resolve: async (_root, { input: { userId, role, disabled, password, mustChangePassword } }, context) => ({
      user: await context.members.updateUser(actorOf(context), requireId('user', userId), {
        role: role ?? undefined,
        disabled: disabled ?? undefined,
        password: password ?? undefined,
        mustChangePassword: mustChangePassword ?? undefined,
      }),
    }),
  }),
  createApiKey: t.field({
    ...permitted('account:manage'),
    type: CreateApiKeyPayload,
    description: 'Makes an API key for oneself, or by ADMIN for anybody.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'What key to make.' }) },
    resolve: (_root, { input: { name, userId, expiresAt, scopes } }, context) =>
      context.members.createApiKey(actorOf(context), {
        name,
        userId: userId == null ? undefined : requireId('user', userId),
        expiresAt: expiresAt ?? undefined,
        scopes: scopes ?? undefined,
      }),
  }),
  rotateApiKey: t.field({
    ...permitted('account:manage'),
    type: RotateApiKeyPayload,
    description:
      "Replaces one's own API key, or by ADMIN anybody's: a new one of the same name, scopes and end, beside which the old one is accepted for a while. CONFLICT when it has ended already. NOT_FOUND when there is none to see.",
    args: { input: t.arg({ type: RotateApiKeyInput, required: true, description: 'Which key to replace.' }) },
    resolve: (_root, { input: { apiKeyId, graceSeconds } }, context) =>
      context.members.rotateApiKey(
        actorOf(context),
        requireId('apiKey', apiKeyId),
        (graceSeconds ?? DEFAULT_GRACE_SECONDS) * 1_000,
      ),
  }),
  revokeApiKey: t.field({
    ...permitted('account:manage'),
    type: RevokeApiKeyPayload,
    description:
      "Ends one's own API key, or by ADMIN anybody's, at once. NOT_FOUND when there is none to see.",
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'Which key to end.' }) },
    resolve: async (_root, { input }, context) => ({
      apiKey: await context.members.revokeApiKey(actorOf(context), requireId('apiKey', input.apiKeyId)),
    }),
  }),
}));
