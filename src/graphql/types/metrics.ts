// Figures over requests, computed by the database over the whole filter.

import { type Actor, authorize } from '../../domain/access.ts';
import { badInput } from '../../domain/errors.ts';
import { toGlobalId } from '../../domain/ids.ts';
import type { MetricsDimension, MetricsRow, Percentiles } from '../../domain/metrics.ts';
import type { RequestFilter } from '../../store/store.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf, type Context } from '../context.ts';
import { metricsUpdates } from '../metrics-updates.ts';
import { MetricsDimensionEnum } from './enums.ts';
import { RequestFilterInput, TimeRangeInput, toCreatedBetween, toRequestFilter } from './request-filter.ts';

export interface Metrics {
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  readonly groupBy: MetricsDimension | undefined;
  readonly total: MetricsRow;
  readonly groups: readonly MetricsRow[];
  readonly computedAt: Date;
}

export const HOUR_MS = 3_600_000;
/** Often enough for a person who watches, rare enough for a database that counts. */
const UPDATE_INTERVAL_MS = 2_000;

export async function computeMetrics(
  context: Context,
  filter: RequestFilter,
  groupBy?: MetricsDimension,
): Promise<Metrics> {
  authorize(actorOf(context), 'metrics:read');
  const computedAt = new Date();
  const { total, groups } = await context.store.metrics.summarize(filter, groupBy);
  return { from: filter.createdFrom, to: filter.createdTo, groupBy, total, groups, computedAt };
}

const PercentilesType = builder.objectRef<Percentiles>('Percentiles').implement({
  description: 'How a duration is distributed, in milliseconds.',
  fields: t => ({
    p50: t.exposeFloat('p50', { description: 'Half of them took no longer.' }),
    p95: t.exposeFloat('p95', { description: '95 % of them took no longer.' }),
    p99: t.exposeFloat('p99', { description: '99 % of them took no longer.' }),
  }),
});

export const MetricsRowType = builder.objectRef<MetricsRow>('MetricsRow').implement({
  description: 'Figures over a set of requests.',
  fields: t => ({
    key: t.exposeString('key', {
      nullable: true,
      description:
        'What the group has in common: id of the provider or user, model, task type, status, start of the hour (`2026-11-22T18:00:00Z`) or day (`2026-11-22`), in UTC; `(none)` for those that have none. Null for the total.',
    }),
    requests: t.exposeInt('requests', { description: 'All of them.' }),
    succeeded: t.exposeInt('succeeded', { description: 'Those that SUCCEEDED.' }),
    failed: t.exposeInt('failed', { description: 'Those that FAILED.' }),
    cancelled: t.exposeInt('cancelled', { description: 'Those that were CANCELLED.' }),
    inProgress: t.exposeInt('inProgress', { description: 'Those QUEUED or RUNNING.' }),
    successRate: t.float({
      nullable: true,
      description: '0 to 1: succeeded of those that succeeded or failed; null when there is none of them.',
      resolve: ({ succeeded, failed }) =>
        succeeded + failed === 0 ? null : succeeded / (succeeded + failed),
    }),
    inputTokens: t.expose('inputTokens', { type: 'BigInt', description: 'Tokens of the prompts.' }),
    outputTokens: t.expose('outputTokens', { type: 'BigInt', description: 'Tokens of the answers.' }),
    cachedInputTokens: t.expose('cachedInputTokens', {
      type: 'BigInt',
      description: 'The part of `inputTokens` read from caches of providers.',
    }),
    totalTokens: t.field({
      type: 'BigInt',
      description: '`inputTokens` and `outputTokens` together.',
      resolve: row => row.inputTokens + row.outputTokens,
    }),
    cost: t.field({
      type: 'Decimal',
      description: 'USD of those whose price is known; see `unpriced`.',
      resolve: row => row.costNanoUsd,
    }),
    failedAttemptsCost: t.field({
      type: 'Decimal',
      description: 'The part of `cost` spent on attempts that did not succeed, whoever was asked.',
      resolve: row => row.failedAttemptsCostNanoUsd,
    }),
    unpriced: t.exposeInt('unpriced', {
      description: 'Ended requests that used tokens of unknown price: not in `cost`.',
    }),
    timeToFirstTokenMs: t.expose('timeToFirstTokenMs', {
      type: PercentilesType,
      nullable: true,
      description: 'From acceptance to the first token; null when none had one.',
    }),
    durationMs: t.expose('durationMs', {
      type: PercentilesType,
      nullable: true,
      description: 'From acceptance to the end; null when none has ended.',
    }),
  }),
});

export const MetricsType = builder.objectRef<Metrics>('Metrics').implement({
  description: 'Figures over requests, as a total and in groups.',
  fields: t => ({
    from: t.expose('from', { type: 'DateTime', nullable: true, description: 'Submitted from here on.' }),
    to: t.expose('to', { type: 'DateTime', nullable: true, description: 'Submitted before this.' }),
    computedAt: t.expose('computedAt', { type: 'DateTime', description: 'When it was computed.' }),
    groupBy: t.field({
      type: MetricsDimensionEnum,
      nullable: true,
      description: 'By what the groups are made; null when there are none.',
      resolve: metrics => metrics.groupBy,
    }),
    total: t.expose('total', { type: MetricsRowType, description: 'Over all of them.' }),
    groups: t.field({
      type: [MetricsRowType],
      description: 'The groups, largest first, hours and days in their order; at most 500.',
      resolve: ({ groupBy, groups }) => groups.map(row => (groupBy === 'USER' ? withUserId(row) : row)),
    }),
  }),
});

function withUserId(row: MetricsRow): MetricsRow {
  return { ...row, key: row.key && toGlobalId('user', row.key) };
}

builder.queryField('metrics', t =>
  t.field({
    ...permitted('metrics:read'),
    type: MetricsType,
    description: 'Figures over all requests that meet the conditions, computed by the database.',
    args: {
      range: t.arg({ type: TimeRangeInput, description: 'When they were submitted; left out: ever.' }),
      groupBy: t.arg({ type: MetricsDimensionEnum, description: 'By what to group; left out: no groups.' }),
      filter: t.arg({
        type: RequestFilterInput,
        description: 'Which requests; its `createdAt` excludes `range`.',
      }),
    },
    complexity: { field: 20, multiplier: 1 },
    resolve: (_root, { range, groupBy, filter }, context) =>
      computeMetrics(context, metricsFilter(actorOf(context), range, filter), groupBy ?? undefined),
  }),
);

function metricsFilter(
  actor: Actor,
  range: typeof TimeRangeInput.$inferInput | null | undefined,
  filter: typeof RequestFilterInput.$inferInput | null | undefined,
): RequestFilter {
  if (range != null && filter?.createdAt != null)
    throw badInput('range', 'and filter.createdAt exclude each other: send one of them');
  // Counting what a text is found in would tell what is in others' requests.
  if (filter?.text != null) authorize(actor, 'request:read-any');
  const between = range == null ? {} : toCreatedBetween('range', range);
  const { parentId, ...conditions } = toRequestFilter(actor, filter, 'metrics:read');
  // What steps have taken is in no other request.
  return { ...conditions, parentId: parentId ?? undefined, ...between };
}

builder.subscriptionField('metricsUpdates', t =>
  t.field({
    ...permitted('metrics:read'),
    type: MetricsType,
    description:
      'Figures over the requests of the last hour: at once, then whenever requests have ended, at most every 2 seconds.',
    complexity: { field: 20, multiplier: 1 },
    subscribe: (_root, _args, context) => {
      const actor = actorOf(context);
      return metricsUpdates({
        finished: () => context.gateway.endings(actor),
        read: () => computeMetrics(context, { createdFrom: new Date(Date.now() - HOUR_MS) }),
        intervalMs: UPDATE_INTERVAL_MS,
      });
    },
    resolve: (metrics: Metrics) => metrics,
  }),
);
