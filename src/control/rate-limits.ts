// What an administrator sets for one user or one API key in place of the limits of the settings.

import { authorize } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { RATE_LIMIT_FIELDS, RATE_LIMIT_KINDS, type RateLimitOverrides } from '../domain/rate-limit.ts';
import type { Store } from '../store/store.ts';
import type { MemberContext } from './member-context.ts';
import type { Members } from './members.ts';
import { userOrNotFound } from './users.ts';

type RateLimits = Pick<Members, 'setRateLimits'>;
type Target = Parameters<Members['setRateLimits']>[1];

/** The largest whole number of the API. */
const MAX_LIMIT = 2 ** 31 - 1;

export function createRateLimits(context: MemberContext): RateLimits {
  return {
    async setRateLimits(actor, target, limits) {
      authorize(actor, 'member:manage');
      check(limits);
      const changed = await context.store.transaction(async store => {
        const { user, apiKey } = await find(store, target);
        const subject = apiKey
          ? ({ kind: 'apiKey', id: apiKey.id } as const)
          : ({ kind: 'user', id: user.id } as const);
        if (apiKey) await store.rateLimits.setOfApiKey(apiKey.id, limits);
        else await store.rateLimits.setOfUser(user.id, limits);
        await context.remember(store, {
          action: 'rateLimits.set',
          actor,
          subject,
          data: { before: (apiKey ?? user).rateLimits ?? {}, after: limits },
        });
        return find(store, target);
      });
      context.credentialsChanged(changed.user.id);
      return changed;
    },
  };
}

async function find(store: Store, { userId, apiKeyId }: Target) {
  if ((userId === undefined) === (apiKeyId === undefined))
    throw badInput('userId', 'or apiKeyId is needed, exactly one of them');
  if (apiKeyId === undefined) return { user: await userOrNotFound(store, userId!), apiKey: undefined };
  const apiKey = await store.members.apiKeyById(apiKeyId);
  if (!apiKey) throw new DomainError('NOT_FOUND', 'There is no API key with that id.');
  return { user: await userOrNotFound(store, apiKey.userId), apiKey };
}

function check(limits: RateLimitOverrides): void {
  for (const kind of RATE_LIMIT_KINDS) {
    const value = limits[RATE_LIMIT_FIELDS[kind]] ?? 0;
    if (!Number.isInteger(value) || value < 0 || value > MAX_LIMIT)
      throw badInput(RATE_LIMIT_FIELDS[kind], `must be 0 to ${MAX_LIMIT}`);
  }
}
