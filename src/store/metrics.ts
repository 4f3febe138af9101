// Figures over all requests that match a filter, in one pass of the database: the total and its groups together.
// What is measured is what a caller lives through: time to first token and duration both count from acceptance,
// waiting included.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { MetricsDimension, MetricsRow, Percentiles } from '../domain/metrics.ts';
import { matches } from './request-filter.ts';
import type { MetricsRepository } from './store.ts';
import type { Tables } from './tables.ts';

const MAX_GROUPS = 500;
/** The key of requests that have no value in the dimension, such as a provider while they wait. */
const NO_VALUE = '(none)';

const KEYS: Record<MetricsDimension, string> = {
  PROVIDER: 'provider_id',
  MODEL: 'coalesce(served_model, requested_model)',
  TASK_TYPE: 'task_type',
  STATUS: 'status',
  USER: 'user_id::text',
  HOUR: `to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24":00:00Z"')`,
  DAY: `to_char(created_at at time zone 'UTC', 'YYYY-MM-DD')`,
};

interface FiguresRow {
  readonly is_total: boolean;
  readonly key: string | null;
  readonly requests: number | string | bigint;
  readonly succeeded: number | string | bigint;
  readonly failed: number | string | bigint;
  readonly cancelled: number | string | bigint;
  readonly in_progress: number | string | bigint;
  readonly unpriced: number | string | bigint;
  readonly input_tokens: string;
  readonly output_tokens: string;
  readonly cached_input_tokens: string;
  readonly cost_nano_usd: string;
  readonly failed_attempts_cost_nano_usd: string;
  readonly time_to_first_token_ms: readonly [number, number, number] | null;
  readonly duration_ms: readonly [number, number, number] | null;
}

export function metricsIn(db: Kysely<Tables>): MetricsRepository {
  return {
    async summarize(filter, groupBy) {
      const byTime = groupBy === 'HOUR' || groupBy === 'DAY';
      // With more groups than are shown, the largest are; of times, the newest.
      const { rows } = await sql<FiguresRow>`
        select ${groupBy ? sql`grouping(key) = 1` : sql`true`} as is_total,
          ${groupBy ? sql`key` : sql`null::text`} as key, ${FIGURES}
        from (
          select requests.*, ${sql.raw(groupBy ? KEYS[groupBy] : 'null::text')} as key
          from requests where ${matches(filter)}
        ) as request
        ${groupBy ? sql`group by grouping sets ((), (key))` : sql``}
        order by 1 desc, ${byTime ? sql`key desc` : sql`count(*) desc, 2`}
        limit ${sql.lit(MAX_GROUPS + 1)}`.execute(db);
      const [total, ...groups] = rows;
      if (!total?.is_total) throw new Error('The database returned no total');
      if (byTime) groups.reverse();
      return {
        total: toMetrics(total, undefined),
        groups: groups.map(row => toMetrics(row, row.key ?? NO_VALUE)),
      };
    },

    async errorCodes(filter) {
      const { rows } = await sql<{ code: string; requests: number | string | bigint }>`
        select error_code as code, count(*) as requests from requests
        where status = 'FAILED' and error_code is not null and ${matches(filter)}
        group by error_code order by count(*) desc, error_code`.execute(db);
      return rows.map(row => ({ code: row.code, requests: Number(row.requests) }));
    },
  };
}

const FIGURES = sql`
  count(*) as requests,
  count(*) filter (where status = 'SUCCEEDED') as succeeded,
  count(*) filter (where status = 'FAILED') as failed,
  count(*) filter (where status = 'CANCELLED') as cancelled,
  count(*) filter (where finished_at is null) as in_progress,
  count(*) filter (where finished_at is not null and input_tokens is not null and cost_nano_usd is null) as unpriced,
  coalesce(sum(input_tokens), 0)::text as input_tokens,
  coalesce(sum(output_tokens), 0)::text as output_tokens,
  coalesce(sum(cached_input_tokens), 0)::text as cached_input_tokens,
  coalesce(sum(cost_nano_usd), 0)::text as cost_nano_usd,
  coalesce(sum(failed_attempts_cost_nano_usd) filter (where cost_nano_usd is not null), 0)::text
    as failed_attempts_cost_nano_usd,
  ${percentiles('first_token_at')} as time_to_first_token_ms,
  ${percentiles('finished_at')} as duration_ms`;

/** Milliseconds from acceptance to the column's time; null when no row has it. */
function percentiles(column: 'first_token_at' | 'finished_at'): RawBuilder<unknown> {
  return sql`percentile_cont(array[0.5, 0.95, 0.99]) within group (
    order by extract(epoch from ${sql.ref(column)} - created_at)::double precision * 1000)`;
}

function toMetrics(row: FiguresRow, key: string | undefined): MetricsRow {
  return {
    key,
    requests: Number(row.requests),
    succeeded: Number(row.succeeded),
    failed: Number(row.failed),
    cancelled: Number(row.cancelled),
    inProgress: Number(row.in_progress),
    inputTokens: BigInt(row.input_tokens),
    outputTokens: BigInt(row.output_tokens),
    cachedInputTokens: BigInt(row.cached_input_tokens),
    costNanoUsd: BigInt(row.cost_nano_usd),
    failedAttemptsCostNanoUsd: BigInt(row.failed_attempts_cost_nano_usd),
    unpriced: Number(row.unpriced),
    timeToFirstTokenMs: toPercentiles(row.time_to_first_token_ms),
    durationMs: toPercentiles(row.duration_ms),
  };
}

function toPercentiles(values: FiguresRow['duration_ms']): Percentiles | undefined {
  return values?.[0] == null ? undefined : { p50: values[0], p95: values[1], p99: values[2] };
}
