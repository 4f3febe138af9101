// What one caller may take of the server, so that none can take it from the others.

import { DEFAULT_PASSWORD_POLICY, PASSWORD_POLICY_BOUNDS } from '../domain/password-policy.ts';
import { limit } from './limit.ts';

const MILLION = 1_000_000;
const HOUR_MS = 3_600_000;
const PER_MINUTE = [0, 2_000 * MILLION] as const;

export const CALLER_LIMIT_SETTINGS = {
  MCPLANE_USER_REQUESTS_PER_MINUTE: limit(
    'userRequestsPerMinute',
    PER_MINUTE,
    600,
    'Model requests of a user that are accepted in a minute; 0: any number. As the next eight, over all instances with Redis.',
  ),
  MCPLANE_USER_TOKENS_PER_MINUTE: limit(
    'userTokensPerMinute',
    PER_MINUTE,
    2 * MILLION,
    'Tokens of their prompts and answers together; 0: any number.',
  ),
  MCPLANE_USER_CONCURRENT_REQUESTS: limit(
    'userConcurrentRequests',
    [0, MILLION],
    100,
    'Model requests of a user that run or wait at once; 0: any number.',
  ),
  MCPLANE_API_KEY_REQUESTS_PER_MINUTE: limit(
    'apiKeyRequestsPerMinute',
    PER_MINUTE,
    0,
    'The same for each API key, within what its user may; 0: any number.',
  ),
  MCPLANE_API_KEY_TOKENS_PER_MINUTE: limit(
    'apiKeyTokensPerMinute',
    PER_MINUTE,
    0,
    'Tokens for each API key; 0: any number.',
  ),
  MCPLANE_API_KEY_CONCURRENT_REQUESTS: limit(
    'apiKeyConcurrentRequests',
    [0, MILLION],
    0,
    'Model requests of an API key that run or wait at once; 0: any number.',
  ),
  MCPLANE_ADDRESS_REQUESTS_PER_MINUTE: limit(
    'addressRequestsPerMinute',
    PER_MINUTE,
    0,
    'Model requests from an address (of IPv6: a /64), whoever sends them; 0: any number. A proxy that is not in `MCPLANE_TRUSTED_PROXIES` is one address.',
  ),
  MCPLANE_ADDRESS_TOKENS_PER_MINUTE: limit(
    'addressTokensPerMinute',
    PER_MINUTE,
    0,
    'Tokens for each address; 0: any number.',
  ),
  MCPLANE_PASSWORD_MIN_LENGTH: limit(
    'passwordMinLength',
    PASSWORD_POLICY_BOUNDS.minLength,
    DEFAULT_PASSWORD_POLICY.minLength,
    'Characters of a new password, at least. Never allowed are the username and the commonest passwords.',
  ),
  MCPLANE_PASSWORD_MAX_LENGTH: limit(
    'passwordMaxLength',
    PASSWORD_POLICY_BOUNDS.maxLength,
    DEFAULT_PASSWORD_POLICY.maxLength,
    'Characters of a new password, at most.',
  ),
  MCPLANE_LOGIN_MAX_FAILURES: limit(
    'loginMaxFailures',
    [1, 1_000],
    10,
    'Failed logins of one account from one address within the window; the next one waits. As the next one, over all instances with Redis.',
  ),
  MCPLANE_LOGIN_MAX_FAILURES_PER_ADDRESS: limit(
    'loginMaxFailuresPerAddress',
    [1, MILLION],
    100,
    'Failed logins from one address within the window, over all accounts.',
  ),
  MCPLANE_LOGIN_WINDOW_MS: limit(
    'loginWindowMs',
    [1_000, 24 * HOUR_MS],
    900_000,
    'How long a failed login counts.',
  ),
  MCPLANE_LOGIN_MAX_HASHES: limit(
    'loginMaxHashes',
    [1, 64],
    2,
    'Passwords that are hashed at once; each takes 19 MB and a core for some 50 ms.',
  ),
  MCPLANE_LOGIN_MAX_WAITING: limit(
    'loginMaxWaiting',
    [0, 10_000],
    32,
    'Passwords that wait to be hashed; further ones are RATE_LIMITED.',
  ),
  MCPLANE_REQUEST_LEASE_MS: limit(
    'requestLeaseMs',
    [1_000, HOUR_MS],
    30_000,
    'How long a model request counts as under way after its instance was last heard of.',
  ),
  MCPLANE_LIMITS_REDIS_TIMEOUT_MS: limit(
    'limitsRedisTimeoutMs',
    [1, 10_000],
    50,
    'Longest that Redis is waited for with these limits; then each instance lets in its own share.',
  ),
} as const;
