// What administrators set for one user or API key in place of the limits of the settings: columns of these two, so that
// whoever reads a credential has them too.

import type { Kysely } from 'kysely';
import type { RateLimitOverrides } from '../domain/rate-limit.ts';
import { isUuid } from './ids.ts';
import type { Tables } from './tables.ts';

export interface RateLimitRepository {
  /** Replaces all of them; what is undefined follows the settings. False: there is no such user. */
  setOfUser(userId: string, limits: RateLimitOverrides): Promise<boolean>;
  /** The same for a key. */
  setOfApiKey(apiKeyId: string, limits: RateLimitOverrides): Promise<boolean>;
}

export interface RateLimitColumns {
  requests_per_minute: number | null;
  tokens_per_minute: number | null;
  concurrent_requests: number | null;
}

export function rateLimitsIn(db: Kysely<Tables>): RateLimitRepository {
  async function set(table: 'users' | 'api_keys', id: string, limits: RateLimitOverrides): Promise<boolean> {
    if (!isUuid(id)) return false;
    const changed = await db
      .updateTable(table)
      .set(toColumns(limits))
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst();
    return changed !== undefined;
  }
  return {
    setOfUser: (userId, limits) => set('users', userId, limits),
    setOfApiKey: (apiKeyId, limits) => set('api_keys', apiKeyId, limits),
  };
}

export function toColumns(limits: RateLimitOverrides | undefined): RateLimitColumns {
  return {
    requests_per_minute: limits?.requestsPerMinute ?? null,
    tokens_per_minute: limits?.tokensPerMinute ?? null,
    concurrent_requests: limits?.concurrentRequests ?? null,
  };
}

/** A part of a user or key; empty when nothing is set, as it is for most. */
export function rateLimitsOf(row: RateLimitColumns): { readonly rateLimits?: RateLimitOverrides } {
  const { requests_per_minute, tokens_per_minute, concurrent_requests } = row;
  if ((requests_per_minute ?? tokens_per_minute ?? concurrent_requests) === null) return {};
  return {
    rateLimits: {
      requestsPerMinute: requests_per_minute ?? undefined,
      tokensPerMinute: tokens_per_minute ?? undefined,
      concurrentRequests: concurrent_requests ?? undefined,
    },
  };
}
