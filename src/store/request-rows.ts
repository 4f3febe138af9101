// Rows of requests and attempts as domain objects, and the columns that hold an outcome.

import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { Attempt, ModelRequest, RequestError } from '../domain/request.ts';
import type { Usage } from '../domain/usage.ts';
import type { AttemptsTable, OutcomeColumns, RequestsTable } from './tables.ts';

type OutcomeRow = Selectable<OutcomeColumns>;

/**
 * The columns that a ModelRequest is made of. By name: Postgres refuses a prepared `select *` as soon as a newer
 * instance has added a column.
 */
const REQUEST_COLUMNS = [
  'id',
  'user_id',
  'parent_id',
  'step',
  'status',
  'task_type',
  'priority',
  'prefer_local',
  'strategy',
  'requested_model',
  'created_at',
  'started_at',
  'first_token_at',
  'finished_at',
  'deployment_id',
  'provider_id',
  'served_model',
  'finish_reason',
  'error_code',
  'error_message',
  'error_retryable',
  'error_retry_after_ms',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'output_tokens',
  'usage_estimated',
  'cost_nano_usd',
  'failed_attempts_cost_nano_usd',
  'overhead_ms',
  'attempt_count',
  'epoch',
  'last_sequence',
  'restart_sequence',
  'reserved_nano_usd',
  'content_deleted_at',
  'owner',
] as const satisfies readonly (keyof RequestsTable)[];

export type RequestRow = Pick<Selectable<RequestsTable>, (typeof REQUEST_COLUMNS)[number]>;

/** For the list of a select. */
export const requestColumns: RawBuilder<RequestRow> = sql.raw(REQUEST_COLUMNS.join(', '));

export function toModelRequest(row: RequestRow): ModelRequest {
  return {
    id: row.id,
    userId: row.user_id,
    parentId: row.parent_id ?? undefined,
    step: row.step ?? undefined,
    status: row.status,
    taskType: row.task_type,
    priority: row.priority,
    preferLocal: row.prefer_local,
    strategy: row.strategy,
    requestedModel: row.requested_model ?? undefined,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    firstTokenAt: row.first_token_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    deploymentId: row.deployment_id ?? undefined,
    providerId: row.provider_id ?? undefined,
    servedModel: row.served_model ?? undefined,
    finishReason: row.finish_reason ?? undefined,
    error: errorOf(row),
    usage: usageOf(row),
    costNanoUsd: toAmount(row.cost_nano_usd),
    failedAttemptsCostNanoUsd: toAmount(row.failed_attempts_cost_nano_usd),
    overheadMs: row.overhead_ms ?? undefined,
    attemptCount: row.attempt_count,
    epoch: row.epoch,
    lastSequence: row.last_sequence === null ? undefined : Number(row.last_sequence),
    restartSequence: row.restart_sequence === null ? undefined : Number(row.restart_sequence),
    reservedNanoUsd: toAmount(row.reserved_nano_usd),
    contentDeletedAt: row.content_deleted_at ?? undefined,
    ...(row.status === 'RUNNING' && row.owner === null && { isParked: true }),
  };
}

export function toAttempt(row: Selectable<AttemptsTable>): Attempt {
  return {
    id: row.id,
    number: row.number,
    deploymentId: row.deployment_id,
    providerId: row.provider_id,
    model: row.model,
    outcome: row.outcome,
    error: errorOf(row),
    fault: row.fault ?? undefined,
    providerResponseId: row.provider_response_id ?? undefined,
    servedModel: row.served_model ?? undefined,
    finishReason: row.finish_reason ?? undefined,
    usage: usageOf(row),
    costNanoUsd: toAmount(row.cost_nano_usd),
    priceSource: row.price_source ?? undefined,
    startedAt: row.started_at,
    timeToFirstTokenMs: row.time_to_first_token_ms ?? undefined,
    durationMs: row.duration_ms,
    ...(row.reserved_nano_usd !== null && { reservedNanoUsd: BigInt(row.reserved_nano_usd) }),
  };
}

function errorOf(row: OutcomeRow): RequestError | undefined {
  if (row.error_code === null) return undefined;
  return {
    code: row.error_code,
    message: row.error_message ?? '',
    retryable: row.error_retryable ?? false,
    retryAfterMs: row.error_retry_after_ms ?? undefined,
  };
}

function usageOf(row: OutcomeRow): Usage | undefined {
  if (row.input_tokens === null) return undefined;
  return {
    inputTokens: Number(row.input_tokens),
    cachedInputTokens: Number(row.cached_input_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    outputTokens: Number(row.output_tokens),
    estimated: row.usage_estimated ?? false,
  };
}

function toAmount(nanoUsd: bigint | number | string | null): bigint | undefined {
  return nanoUsd === null ? undefined : BigInt(nanoUsd);
}

/** The outcome of an attempt or of a request, for a recordset: what JSON leaves out of it is null there. */
export function outcomeColumns(outcome: {
  readonly deploymentId: string | undefined;
  readonly providerId: string | undefined;
  readonly servedModel: string | undefined;
  readonly finishReason: ModelRequest['finishReason'];
  readonly error: RequestError | undefined;
  readonly usage: Usage | undefined;
  readonly costNanoUsd: bigint | undefined;
}) {
  const { error, usage } = outcome;
  return {
    deployment_id: outcome.deploymentId,
    provider_id: outcome.providerId,
    served_model: outcome.servedModel,
    finish_reason: outcome.finishReason,
    error_code: error?.code,
    error_message: error?.message,
    error_retryable: error?.retryable,
    error_retry_after_ms: error?.retryAfterMs,
    input_tokens: usage ? toTokenCount(usage.inputTokens) : undefined,
    cached_input_tokens: usage ? toTokenCount(usage.cachedInputTokens) : undefined,
    cache_write_tokens: usage ? toTokenCount(usage.cacheWriteTokens) : undefined,
    output_tokens: usage ? toTokenCount(usage.outputTokens) : undefined,
    usage_estimated: usage?.estimated,
    // As text, since JSON has no bigint.
    cost_nano_usd: outcome.costNanoUsd?.toString(),
  } satisfies { [Column in keyof OutcomeColumns]: unknown };
}

/** A whole number a bigint column takes: the terminal write must not fail for a provider's nonsense. */
function toTokenCount(reported: number): number {
  return Number.isFinite(reported) ? Math.min(Math.max(0, Math.trunc(reported)), Number.MAX_SAFE_INTEGER) : 0;
}
