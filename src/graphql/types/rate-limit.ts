// The limits of a user or an API key: how much of them is used, and setting them.

import type { ApiKey, User } from '../../domain/member.ts';
import type { RateLimitState } from '../../domain/rate-limit.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { requireId } from '../require-id.ts';
import { RateLimitKindEnum } from './enums.ts';
import { ApiKeyType, UserType } from './member.ts';

const RateLimitType = builder.objectRef<RateLimitState>('RateLimit').implement({
  description:
    'A limit on what a user or an API key may submit, and how much of it is used. Over it `submitRequest` fails with RATE_LIMITED.',
  fields: t => ({
    kind: t.field({
      type: RateLimitKindEnum,
      description: 'What is counted.',
      resolve: limit => limit.kind,
    }),
    limit: t.exposeInt('limit', { nullable: true, description: 'How many; null: any number.' }),
    overridden: t.exposeBoolean('overridden', {
      description: 'Whether it was set for this one, and not for all by the settings.',
    }),
    remaining: t.exposeInt('remaining', {
      nullable: true,
      description: 'How many more are accepted now; null without a limit.',
    }),
    resetAt: t.expose('resetAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When all of it is there again, should nothing more be submitted; null when it is there now, or when that depends on requests under way.',
    }),
  }),
});

/** Redis may be asked. */
const complexity = { field: 10 };

builder.objectField(UserType, 'rateLimits', t =>
  t.field({
    type: [RateLimitType],
    complexity,
    description: "The user's limits, all keys together. One's own, or anybody's for ADMIN; else FORBIDDEN.",
    resolve: ({ id, rateLimits }, _args, context) =>
      context.gateway.rateLimits(actorOf(context), {
        subject: 'user',
        id,
        userId: id,
        overrides: rateLimits,
      }),
  }),
);

builder.objectField(ApiKeyType, 'rateLimits', t =>
  t.field({
    type: [RateLimitType],
    complexity,
    description: "The key's own limits; those of its user hold besides.",
    resolve: ({ id, userId, rateLimits }, _args, context) =>
      context.gateway.rateLimits(actorOf(context), {
        subject: 'apiKey',
        id,
        userId,
        overrides: rateLimits,
      }),
  }),
);

const SetRateLimitsInput = builder.inputType('SetRateLimitsInput', {
  description:
    'The limits of a user or an API key, by `userId` or by `apiKeyId`, exactly one of them. All are replaced: what is left out or null follows the settings, and 0 is no limit.',
  fields: t => ({
    userId: t.id({ description: 'The user, whatever credential they come with.' }),
    apiKeyId: t.id({ description: 'The API key, within what its user may.' }),
    requestsPerMinute: t.int({ description: 'Requests accepted in a minute.' }),
    tokensPerMinute: t.int({ description: 'Tokens of their prompts and answers in a minute.' }),
    concurrentRequests: t.int({ description: 'Requests that run or wait at once.' }),
  }),
});

const SetRateLimitsPayload = builder
  .objectRef<{ user: User; apiKey: ApiKey | undefined }>('SetRateLimitsPayload')
  .implement({
    description: 'What `setRateLimits` did.',
    fields: t => ({
      user: t.expose('user', { type: UserType, description: 'The user, or the owner of the key.' }),
      apiKey: t.expose('apiKey', {
        type: ApiKeyType,
        nullable: true,
        description: 'The key; null when the limits are those of a user.',
      }),
    }),
  });

builder.mutationField('setRateLimits', t =>
  t.field({
    ...permitted('member:manage'),
    type: SetRateLimitsPayload,
    description:
      'Sets the limits of a user or an API key in place of the settings. They hold at once, for requests accepted from now on. NOT_FOUND when there is no such user or key.',
    args: { input: t.arg({ type: SetRateLimitsInput, required: true, description: 'Whose, and which.' }) },
    resolve: (_root, { input: { userId, apiKeyId, ...limits } }, context) =>
      context.members.setRateLimits(
        actorOf(context),
        {
          userId: userId == null ? undefined : requireId('user', userId),
          apiKeyId: apiKeyId == null ? undefined : requireId('apiKey', apiKeyId),
        },
        {
          requestsPerMinute: limits.requestsPerMinute ?? undefined,
          tokensPerMinute: limits.tokensPerMinute ?? undefined,
          concurrentRequests: limits.concurrentRequests ?? undefined,
        },
      ),
  }),
);
