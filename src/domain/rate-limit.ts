// How much a caller may have accepted in a minute and under way at once. The settings say it for everybody; what an
// administrator set for one user or one API key stands in their place.

export const RATE_LIMIT_KINDS = ['REQUESTS_PER_MINUTE', 'TOKENS_PER_MINUTE', 'CONCURRENT_REQUESTS'] as const;
export type RateLimitKind = (typeof RATE_LIMIT_KINDS)[number];

/** For one subject; 0: no limit. */
export interface RateLimits {
  readonly requestsPerMinute: number;
  /** Of the prompts and the answers together. */
  readonly tokensPerMinute: number;
  /** Accepted and not ended yet. */
  readonly concurrentRequests: number;
}

/** Where a limit is undefined, the settings hold. */
export type RateLimitOverrides = { readonly [Name in keyof RateLimits]?: number | undefined };

/** Where each kind of limit stands. */
export const RATE_LIMIT_FIELDS = {
  REQUESTS_PER_MINUTE: 'requestsPerMinute',
  TOKENS_PER_MINUTE: 'tokensPerMinute',
  CONCURRENT_REQUESTS: 'concurrentRequests',
} as const satisfies Record<RateLimitKind, keyof RateLimits>;

/** Whose requests are counted together. */
export type RateLimitSubject = 'user' | 'apiKey' | 'address';

/** The limits by which a submission may be refused, as settings, errors and metrics call them. */
export type RateLimitName =
  | 'userRequestsPerMinute'
  | 'userTokensPerMinute'
  | 'userConcurrentRequests'
  | 'apiKeyRequestsPerMinute'
  | 'apiKeyTokensPerMinute'
  | 'apiKeyConcurrentRequests'
  | 'addressRequestsPerMinute'
  | 'addressTokensPerMinute';

/** How much of one limit is used. */
export interface RateLimitState {
  readonly kind: RateLimitKind;
  /** Undefined: there is none. Then the rest says nothing. */
  readonly limit: number | undefined;
  /** Set for this user or key, not for everybody. */
  readonly overridden: boolean;
  readonly remaining: number | undefined;
  /** When all of it is there again, should nothing more be taken; undefined when it is now, or nobody can know. */
  readonly resetAt: Date | undefined;
}
