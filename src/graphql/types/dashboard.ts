// The complete overview for operators in one query. Each part is read only when it is selected.

import { authorize } from '../../domain/access.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { MetricsDimension } from '../../domain/metrics.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf, type Context } from '../context.ts';
import { pageCost } from '../cost.ts';
import { parsePageSize } from '../pagination.ts';
import { ErrorCodeEnum } from './enums.ts';
import { computeMetrics, HOUR_MS, MetricsRowType, MetricsType } from './metrics.ts';
import { ProviderType } from './provider.ts';
import { ModelRequestType } from './request.ts';

/** All parts speak of the same moment. */
interface Dashboard {
  readonly now: Date;
}

const lastHour = ({ now }: Dashboard) => ({ createdFrom: new Date(now.getTime() - HOUR_MS) });
const lastDay = ({ now }: Dashboard) => ({ createdFrom: new Date(now.getTime() - 24 * HOUR_MS) });

async function groupsOf(dashboard: Dashboard, context: Context, dimension: MetricsDimension) {
  return [...(await computeMetrics(context, lastDay(dashboard), dimension)).groups];
}

const LoadType = builder.objectRef<{ running: number; queued: number }>('Load').implement({
  description: 'The work in hand of the instance that answers.',
  fields: t => ({
    running: t.exposeInt('running', { description: 'Requests that run.' }),
    queued: t.exposeInt('queued', { description: 'Requests that wait for a slot.' }),
  }),
});

const ErrorCountType = builder.objectRef<{ code: string; requests: number }>('ErrorCount').implement({
  description: 'How often requests failed for one reason.',
  fields: t => ({
    code: t.field({
      type: ErrorCodeEnum,
      description: 'The reason.',
      resolve: count => count.code as ErrorCode,
    }),
    requests: t.exposeInt('requests', { description: 'How many requests.' }),
  }),
});

const DashboardType = builder.objectRef<Dashboard>('Dashboard').implement({
  description: 'The complete overview.',
  fields: t => ({
    generatedAt: t.expose('now', { type: 'DateTime', description: 'The moment it speaks of.' }),
    lastHour: t.field({
      type: MetricsType,
      description: 'Figures over the requests of the last hour.',
      resolve: (dashboard, _args, context) => computeMetrics(context, lastHour(dashboard)),
    }),
    lastDay: t.field({
      type: MetricsType,
      description: 'Figures over the requests of the last 24 hours, grouped by hour.',
      resolve: (dashboard, _args, context) => computeMetrics(context, lastDay(dashboard), 'HOUR'),
    }),
    byProvider: t.field({
      type: [MetricsRowType],
      description: 'Figures of the last 24 hours by provider, largest first.',
      resolve: (dashboard, _args, context) => groupsOf(dashboard, context, 'PROVIDER'),
    }),
    byModel: t.field({
      type: [MetricsRowType],
      description: 'Figures of the last 24 hours by model, largest first.',
      resolve: (dashboard, _args, context) => groupsOf(dashboard, context, 'MODEL'),
    }),
    errorCodes: t.field({
      type: [ErrorCountType],
      description: 'Why requests of the last 24 hours failed, commonest first.',
      resolve: (dashboard, _args, context) => context.store.metrics.errorCodes(lastDay(dashboard)),
    }),
    providers: t.field({
      type: [ProviderType],
      description: 'All providers with deployments and breakers.',
      resolve: (_dashboard, _args, context) => [...context.gateway.providers()],
    }),
    load: t.field({
      type: LoadType,
      description: 'What runs and waits now.',
      resolve: (_dashboard, _args, context) => context.gateway.load(),
    }),
    recentRequests: t.field({
      type: [ModelRequestType],
      description: 'The latest requests, newest first.',
      args: { first: t.arg.int({ defaultValue: 10, description: 'How many at most: 0 to 100.' }) },
      complexity: pageCost,
      resolve: async (_dashboard, { first }, context) => [
        ...(await context.store.requests.page({}, { first: parsePageSize('first', first) })).rows,
      ],
    }),
    recentFailures: t.field({
      type: [ModelRequestType],
      description: 'The latest requests that failed, newest first.',
      args: { first: t.arg.int({ defaultValue: 10, description: 'How many at most: 0 to 100.' }) },
      complexity: pageCost,
      resolve: async (_dashboard, { first }, context) => {
        const query = { first: parsePageSize('first', first) };
        return [...(await context.store.requests.page({ status: ['FAILED'] }, query)).rows];
      },
    }),
  }),
});

builder.queryField('dashboard', t =>
  t.field({
    ...permitted('dashboard:read'),
    type: DashboardType,
    description: 'The complete overview in one query.',
    resolve: (_root, _args, context): Dashboard => {
      authorize(actorOf(context), 'dashboard:read');
      return { now: new Date() };
    },
  }),
);
