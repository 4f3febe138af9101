// Prometheus metrics. Base units, closed label sets, no ids of users or requests as labels.
// Cost is a float here, for graphs; the ledger in the store is the truth.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { BreakerState } from '../domain/breaker.ts';

import { type Attempt, type ModelRequest, servingAttempt } from '../domain/request.ts';
import { type BudgetMetrics, createBudgetMetrics } from './budget-metrics.ts';
import { createLimitMetrics, type LimitMetrics } from './limit-metrics.ts';
import { createOverheadMeter, type OverheadMeter } from './overhead.ts';
import { createRedisMetrics, type RedisMetrics } from './redis-metrics.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const OVERHEAD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1];
const BREAKER_VALUES: Record<BreakerState, number> = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 };

/** What is read at the moment of a scrape. */
export interface MetricSources {
  load(): { readonly running: number; readonly queued: number };
  subscriptions(): number;
  /** Of each deployment that is offered: its calls under way, and the requests that wait for room there. */
  deployments(): readonly { readonly id: string; readonly inFlight: number; readonly waiting: number }[];
}

/** The text that a scrape gets. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** Every metric with its values, as the client library writes them; survives JSON. */
export type Snapshot = readonly object[];

export interface Metrics {
  requestFinished(request: ModelRequest, attempts: readonly Attempt[]): void;
  breakerChanged(deploymentId: string, state: BreakerState): void;
  /** Its deployment is gone: it has no state to be shown any more. */
  breakerForgotten(deploymentId: string): void;
  /** An attempt beyond a request's first one was made, or refused by the retry budget. */
  retryDecided(kind: string, admitted: boolean): void;
  /** A step of a workflow has come to an end. */
  stepEnded(status: string): void;
  readonly budgets: BudgetMetrics;
  readonly overhead: OverheadMeter;
  readonly limits: LimitMetrics;
  /** To be called once, by an instance that has a Redis. */
  redis(): RedisMetrics;
  /** The sources exist only after the parts that are measured. */
  observe(sources: MetricSources): void;
  exposition(): Promise<Exposition>;
  /** The same as data, for adding up over processes. */
  snapshot(): Promise<Snapshot>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = createInstruments(registry);
  return {
    requestFinished: (request, attempts) => record(instruments, request, attempts),
    breakerChanged(deploymentId, state) {
      instruments.breakerState.set({ deployment: deploymentId }, BREAKER_VALUES[state]);
      instruments.breakerTransitions.inc({ deployment: deploymentId, to: state });
    },
    breakerForgotten: deploymentId => instruments.breakerState.remove({ deployment: deploymentId }),
    retryDecided(kind, admitted) {
      (admitted ? instruments.retries : instruments.refusedRetries).inc({ kind: kind.replaceAll('-', '_') });
    },
    stepEnded: status => instruments.workflowSteps.inc({ status: status.toLowerCase() }),
    budgets: createBudgetMetrics(registry),
    overhead: createOverheadMeter(registry),
    limits: createLimitMetrics(registry),
    redis: () => createRedisMetrics(registry),
    observe(sources) {
      const gauge = (name: string, help: string, read: () => number) =>
        new Gauge({
          name,
          help,
          registers: [registry],
          collect() {
            this.set(read());
          },
        });
      gauge(
        'mcplane_in_flight_requests',
        'Requests that run on this instance.',
        () => sources.load().running,
      );
      gauge('mcplane_queue_depth', 'Accepted requests that wait for a place.', () => sources.load().queued);
      gauge('mcplane_subscriptions', 'Open subscriptions on this instance.', sources.subscriptions);
      observeDeployments(registry, sources.deployments);
    },
    exposition: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    snapshot: () => registry.getMetricsAsJSON(),
  };
}

function observeDeployments(registry: Registry, deployments: MetricSources['deployments']): void {
  const gauge = (name: string, help: string, figure: 'inFlight' | 'waiting') =>
    new Gauge({
      name,
      help,
      labelNames: ['deployment'],
      registers: [registry],
      collect() {
        // Those that are offered no more vanish.
        this.reset();
        for (const deployment of deployments()) this.set({ deployment: deployment.id }, deployment[figure]);
      },
    });
  gauge('mcplane_in_flight_calls', 'Provider calls under way, by deployment.', 'inFlight');
  gauge('mcplane_waiting_for_capacity', 'Requests that wait for room at a deployment.', 'waiting');
}

type Instruments = ReturnType<typeof createInstruments>;

function createInstruments(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets = SECONDS,
  ) => new Histogram({ name, help, labelNames, buckets, registers });
  return {
    requests: counter('mcplane_requests_total', 'Requests that ended, by outcome.', [
      'task_type',
      'provider',
      'model',
      'outcome',
      'error_type',
    ]),
    duration: histogram('mcplane_request_duration_seconds', 'Acceptance to end.', ['provider', 'outcome']),
    timeToFirstToken: histogram('mcplane_time_to_first_token_seconds', 'Acceptance to first token.', [
      'provider',
    ]),
    overhead: histogram(
      'mcplane_gateway_overhead_seconds',
      'Time of a request spent in the control plane itself.',
      [],
      OVERHEAD_SECONDS,
    ),
    attempts: counter('mcplane_attempts_total', 'Provider calls, by outcome.', [
      'provider',
      'model',
      'outcome',
      'error_type',
    ]),
    retries: counter(
      'mcplane_retries_total',
      'Attempts beyond the first one of a request, by kind (same_deployment, first_failover, further_failover, hedge).',
      ['kind'],
    ),
    refusedRetries: counter(
      'mcplane_retries_refused_total',
      'Attempts that were not made because the retry budget was used up.',
      ['kind'],
    ),
    workflowSteps: counter('mcplane_workflow_steps_total', 'Steps of workflows that ended, by status.', [
      'status',
    ]),
    tokens: counter('mcplane_tokens_total', 'Tokens billed, by direction (input, cached_input, output).', [
      'provider',
      'model',
      'direction',
    ]),
    cost: counter('mcplane_cost_usd_total', 'Cost of priced calls in USD.', ['provider', 'model']),
    ...createBreakerInstruments(registry),
  };
}

function createBreakerInstruments(registry: Registry) {
  const registers = [registry];
  return {
    breakerState: new Gauge({
      name: 'mcplane_breaker_state',
      help: '0 closed, 1 half-open, 2 open.',
      labelNames: ['deployment'],
      registers,
    }),
    breakerTransitions: new Counter({
      name: 'mcplane_breaker_transitions_total',
      help: 'State changes of breakers.',
      labelNames: ['deployment', 'to'],
      registers,
    }),
  };
}

function record(instruments: Instruments, request: ModelRequest, attempts: readonly Attempt[]): void {
  const provider = request.providerId ?? 'none';
  const outcome = request.status.toLowerCase();
  instruments.requests.inc({
    task_type: request.taskType,
    provider,
    model: servingAttempt(attempts)?.model ?? 'none',
    outcome,
    error_type: request.error?.code ?? '',
  });
  const seconds = (from: Date, to: Date | undefined) =>
    to && Math.max(0, to.getTime() - from.getTime()) / 1_000;
  const duration = seconds(request.createdAt, request.finishedAt);
  if (duration !== undefined) instruments.duration.observe({ provider, outcome }, duration);
  const firstToken = seconds(request.createdAt, request.firstTokenAt);
  if (firstToken !== undefined) instruments.timeToFirstToken.observe({ provider }, firstToken);
  if (request.overheadMs !== undefined) instruments.overhead.observe(request.overheadMs / 1_000);
  for (const attempt of attempts) {
    const labels = { provider: attempt.providerId, model: attempt.model };
    instruments.attempts.inc({
      ...labels,
      outcome: attempt.outcome.toLowerCase(),
      error_type: attempt.error?.code ?? '',
    });
    if (attempt.usage) {
      instruments.tokens.inc({ ...labels, direction: 'input' }, attempt.usage.inputTokens);
      instruments.tokens.inc({ ...labels, direction: 'cached_input' }, attempt.usage.cachedInputTokens);
      instruments.tokens.inc({ ...labels, direction: 'output' }, attempt.usage.outputTokens);
    }
    if (attempt.costNanoUsd) instruments.cost.inc(labels, Number(attempt.costNanoUsd) / 1e9);
  }
}
