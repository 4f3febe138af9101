// API keys of people and service accounts: made once, shown once, revoked at once.

import { type Actor, authorize, can } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { ApiKey } from '../domain/member.ts';
import type { Store } from '../store/store.ts';
import { createApiKeySecret } from './api-key-secret.ts';
import type { MemberContext } from './member-context.ts';
import type { Members } from './members.ts';
import { userOrNotFound } from './users.ts';

type ApiKeys = Pick<Members, 'createApiKey' | 'revokeApiKey' | 'apiKeysOf'>;

const MAX_NAME_LENGTH = 64;
/** Enough for every program one member runs; a loop that makes keys is stopped. */
const MAX_ACTIVE_KEYS = 50;

export function createApiKeys(context: MemberContext): ApiKeys {
  return {
    async createApiKey(actor, input) {
      const userId = input.userId ?? actor.userId;
      authorizeFor(actor, userId);
      const name = parseKeyName(input.name);
      const expiresAt = parseExpiry(context, actor, input.expiresAt);
      const { secret, prefix, hash } = createApiKeySecret();
      const createdAt = new Date(context.clock.now());
      const unused = { lastUsedAt: undefined, revokedAt: undefined };
      const key: ApiKey = { id: newId(), userId, name, prefix, createdAt, expiresAt, ...unused };
      await context.store.transaction(async store => {
        await refuseTooMany(context, store, userId);
        await store.members.createApiKey(key, hash);
        await context.remember(store, {
          action: 'apiKey.create',
          actor,
          subject: { kind: 'apiKey', id: key.id },
          data: { userId, name, prefix, expiresAt: expiresAt?.toISOString() },
        });
      });
      return { key, secret };
    },

    async revokeApiKey(actor, apiKeyId) {
      const key = await context.store.transaction(async store => {
        const known = await store.members.apiKeyById(apiKeyId);
        if (!known || (known.userId !== actor.userId && !can(actor, 'member:manage'))) throw keyNotFound();
        if (!(await store.members.revokeApiKey(apiKeyId))) return known;
        await context.remember(store, {
          action: 'apiKey.revoke',
          actor,
          subject: { kind: 'apiKey', id: apiKeyId },
          data: { userId: known.userId, name: known.name, prefix: known.prefix },
        });
        return (await store.members.apiKeyById(apiKeyId)) ?? known;
      });
      context.credentialsChanged(key.userId);
      return key;
    },

    async apiKeysOf(actor, userId) {
      authorizeFor(actor, userId);
      return context.store.members.apiKeysOf(userId);
    },
  };
}

function authorizeFor(actor: Actor, userId: string): void {
  if (userId !== actor.userId) authorize(actor, 'member:manage');
}

function parseKeyName(typed: string): string {
  const name = typed.trim();
  if (!/^[^\p{C}]+$/u.test(name) || [...name].length > MAX_NAME_LENGTH) {
    throw badInput('name', `must be 1 to ${MAX_NAME_LENGTH} characters`);
  }
  return name;
}

/** A key made with a key that expires does not outlive it: a leaked key must not renew itself. */
function parseExpiry(context: MemberContext, actor: Actor, wished: Date | undefined): Date | undefined {
  if (wished && !(wished.getTime() > context.clock.now()))
    throw badInput('expiresAt', 'must be in the future');
  if (actor.credential.kind !== 'apiKey' || actor.expiresAtMs === undefined) return wished;
  if (wished && wished.getTime() > actor.expiresAtMs) {
    throw badInput('expiresAt', 'must not be after the end of the API key that makes it');
  }
  return wished ?? new Date(actor.expiresAtMs);
}

async function refuseTooMany(context: MemberContext, store: Store, userId: string): Promise<void> {
  const user = await userOrNotFound(store, userId);
  if (user.disabled) throw new DomainError('CONFLICT', 'The user is disabled.');
  const nowMs = context.clock.now();
  const isActive = (key: ApiKey) => !key.revokedAt && (!key.expiresAt || key.expiresAt.getTime() > nowMs);
  const active = (await store.members.apiKeysOf(userId)).filter(isActive);
  if (active.length >= MAX_ACTIVE_KEYS) {
    throw new DomainError('CONFLICT', `The user has ${MAX_ACTIVE_KEYS} API keys. Revoke one first.`);
  }
}

function keyNotFound(): DomainError {
  return new DomainError('NOT_FOUND', 'There is no API key with that id.');
}
