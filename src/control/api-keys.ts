// API keys of people and service accounts: made once, shown once, revoked at once.

import { type Actor, type ApiKeyScope, authorize } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { ApiKey } from '../domain/member.ts';
import type { Store } from '../store/store.ts';
import { parseScopes, refuseWider } from './api-key-scopes.ts';
import { createApiKeySecret } from './api-key-secret.ts';
import type { MemberContext } from './member-context.ts';
import type { Members } from './members.ts';
import { authorizeFor, maySee } from './own-account.ts';
import { userOrNotFound } from './users.ts';

type ApiKeys = Pick<Members, 'createApiKey' | 'rotateApiKey' | 'revokeApiKey' | 'apiKeysOf'>;

const MAX_NAME_LENGTH = 64;
/** A replaced key that lives on for longer is forgotten. */
const MAX_GRACE_MS = 30 * 86_400_000;
/** Enough for every program one member runs; a loop that makes keys is stopped. */
const MAX_ACTIVE_KEYS = 50;

export function createApiKeys(context: MemberContext): ApiKeys {
  return {
    async createApiKey(actor, input) {
      const userId = input.userId ?? actor.userId;
      authorizeFor(actor, userId);
      const name = parseKeyName(input.name);
      const expiresAt = parseExpiry(context, actor, input.expiresAt);
      const scopes = parseScopes(actor, input.scopes);
      const { key, secret, hash } = newKey({ userId, name, scopes, expiresAt }, context);
      const { prefix } = key;
      await context.store.transaction(async store => {
        await refuseTooMany(context, store, userId);
        await store.members.createApiKey(key, hash);
        await context.remember(store, {
          action: 'apiKey.create',
          actor,
          subject: { kind: 'apiKey', id: key.id },
          data: { userId, name, prefix, scopes, expiresAt: expiresAt?.toISOString() },
        });
      });
      return { key, secret };
    },

    async rotateApiKey(actor, apiKeyId, graceMs) {
      authorize(actor, 'account:manage');
      const nowMs = context.clock.now();
      const endsAt = new Date(nowMs + parseGrace(graceMs));
      const rotated = await context.store.transaction(async store => {
        const known = await visibleKey(store, actor, apiKeyId);
        if (known.revokedAt || (known.expiresAt && known.expiresAt.getTime() <= nowMs))
          throw new DomainError('CONFLICT', 'The key has ended. Create a new one.');
        // Its limits too: a replaced key must not be a way out of them.
        const { userId, name, scopes, rateLimits } = known;
        refuseWider(actor, scopes);
        const expiresAt = parseExpiry(context, actor, known.expiresAt);
        const { key, secret, hash } = newKey({ userId, name, scopes, expiresAt, rateLimits }, context);
        await store.members.createApiKey(key, hash);
        await store.members.endApiKey(apiKeyId, endsAt);
        await store.budgets.share({ userId, apiKeyId, with: key.id });
        await context.remember(store, {
          action: 'apiKey.rotate',
          actor,
          subject: { kind: 'apiKey', id: apiKeyId },
          data: { userId, name, prefix: key.prefix, scopes, endsAt: endsAt.toISOString() },
        });
        return { key, secret, replaced: (await store.members.apiKeyById(apiKeyId)) ?? known };
      });
      context.credentialsChanged(rotated.key.userId);
      return rotated;
    },

    async revokeApiKey(actor, apiKeyId) {
      authorize(actor, 'account:manage');
      const key = await context.store.transaction(async store => {
        const known = await visibleKey(store, actor, apiKeyId);
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

interface KeyToBe {
  readonly userId: string;
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[] | undefined;
  readonly expiresAt: Date | undefined;
  readonly rateLimits?: ApiKey['rateLimits'];
}

function newKey({ userId, name, scopes, expiresAt, rateLimits }: KeyToBe, { clock }: MemberContext) {
  const { secret, prefix, hash } = createApiKeySecret();
  const createdAt = new Date(clock.now());
  const unused = { lastUsedAt: undefined, revokedAt: undefined };
  const key: ApiKey = {
    id: newId(),
    userId,
    name,
    prefix,
    scopes,
    ...(rateLimits && { rateLimits }),
    createdAt,
    expiresAt,
    ...unused,
  };
  return { key, secret, hash };
}

async function visibleKey(store: Store, actor: Actor, apiKeyId: string): Promise<ApiKey> {
  const known = await store.members.apiKeyById(apiKeyId);
  if (!known || !maySee(actor, known.userId)) throw keyNotFound();
  return known;
}

function parseGrace(graceMs: number): number {
  if (!(graceMs >= 0 && graceMs <= MAX_GRACE_MS))
    throw badInput('graceSeconds', `must be 0 to ${MAX_GRACE_MS / 1_000}`);
  return graceMs;
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
