// Figures over sets of requests, computed by the database over the whole filter.

export const METRICS_DIMENSIONS = [
  'PROVIDER',
  'MODEL',
  'TASK_TYPE',
  'STATUS',
  'USER',
  'HOUR',
  'DAY',
] as const;
export type MetricsDimension = (typeof METRICS_DIMENSIONS)[number];

/** Figures over a set of requests; percentiles are over those that have the value, undefined when none has. */
export interface MetricsRow {
  /** The group's value: provider id, model, user id, hour in ISO 8601 …; undefined for the total. */
  readonly key: string | undefined;
  readonly requests: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly inProgress: number;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cachedInputTokens: bigint;
  /** Sum of what is priced. */
  readonly costNanoUsd: bigint;
  /** The part of it that was spent on attempts that did not succeed. */
  readonly failedAttemptsCostNanoUsd: bigint;
  /** Finished requests with usage whose cost is not known. */
  readonly unpriced: number;
  readonly timeToFirstTokenMs: Percentiles | undefined;
  readonly durationMs: Percentiles | undefined;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}
