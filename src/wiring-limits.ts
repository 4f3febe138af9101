// From the configuration to what judges callers: their submissions and their logins.

import type { Config } from './config.ts';
import type { RedisConnection } from './events/redis-connection.ts';
import { systemClock } from './lib/clock.ts';
import { type CallerLimits, createCallerLimits } from './limits/limits.ts';
import { createLoginThrottle, type LoginThrottle } from './limits/login-throttle.ts';
import { createSharing, type Sharing } from './limits/sharing.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

interface SharingParts {
  readonly redis: RedisConnection | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** By which the instances judge limits together; undefined without Redis. */
export function openSharing({ limits }: Config, { redis, log, metrics }: SharingParts): Sharing | undefined {
  const timeoutMs = limits.limitsRedisTimeoutMs;
  return redis && createSharing({ redis, clock: systemClock, timeoutMs, meter: metrics.limits, log });
}

export interface LimitsParts {
  /** Absent: each instance judges alone. */
  readonly sharing: Sharing | undefined;
  readonly metrics: Metrics;
  /** How many instances there are. */
  readonly instances: () => number;
}

export function openLimits({ limits }: Config, { sharing, metrics, instances }: LimitsParts): CallerLimits {
  return createCallerLimits({
    settings: {
      user: {
        requestsPerMinute: limits.userRequestsPerMinute,
        tokensPerMinute: limits.userTokensPerMinute,
        concurrentRequests: limits.userConcurrentRequests,
      },
      apiKey: {
        requestsPerMinute: limits.apiKeyRequestsPerMinute,
        tokensPerMinute: limits.apiKeyTokensPerMinute,
        concurrentRequests: limits.apiKeyConcurrentRequests,
      },
      address: {
        requestsPerMinute: limits.addressRequestsPerMinute,
        tokensPerMinute: limits.addressTokensPerMinute,
        concurrentRequests: 0,
      },
    },
    clock: systemClock,
    sharing,
    leaseMs: limits.requestLeaseMs,
    instances,
    meter: metrics.limits,
  });
}

interface LoginThrottleParts extends LimitsParts {
  /** The same on all instances. */
  readonly secret: string;
}

export function openLoginThrottle(
  { limits }: Config,
  { sharing, metrics, instances, secret }: LoginThrottleParts,
): LoginThrottle {
  return createLoginThrottle({
    clock: systemClock,
    settings: {
      windowMs: limits.loginWindowMs,
      maxFailures: limits.loginMaxFailures,
      maxFailuresPerAddress: limits.loginMaxFailuresPerAddress,
    },
    instances,
    sharing,
    secret,
    meter: metrics.limits,
  });
}
