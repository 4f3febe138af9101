// From the configuration to the limits of callers.

import type { Config } from './config.ts';
import type { RedisConnection } from './events/redis-connection.ts';
import { systemClock } from './lib/clock.ts';
import { type CallerLimits, createCallerLimits } from './limits/limits.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

interface LimitsParts {
  /** Absent: each instance judges alone. */
  readonly redis: RedisConnection | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How many instances there are. */
  readonly instances: () => number;
}

export function openLimits(
  { limits }: Config,
  { redis, log, metrics, instances }: LimitsParts,
): CallerLimits {
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
    redis,
    timeoutMs: limits.limitsRedisTimeoutMs,
    leaseMs: limits.requestLeaseMs,
    instances,
    meter: metrics.limits,
    log,
  });
}
