// The one terminal write of a request: status, answer, routing and the ledger of its attempts in one statement.
// It happens at most once: only the present epoch may do it, and only while the request is unfinished.

import { type Kysely, sql } from 'kysely';
import { toJson } from './json.ts';
import { outcomeColumns } from './request-rows.ts';
import type { FinishedRequest } from './store.ts';
import type { Tables } from './tables.ts';

export async function finishRequest(db: Kysely<Tables>, finished: FinishedRequest): Promise<boolean> {
  // One parameter for any number of attempts keeps one statement text, which the server plans once.
  const attempts = finished.attempts.map(attempt => ({
    ...outcomeColumns(attempt),
    id: attempt.id,
    number: attempt.number,
    model: attempt.model,
    outcome: attempt.outcome,
    provider_response_id: attempt.providerResponseId ?? null,
    price_source: attempt.priceSource ?? null,
    started_at: attempt.startedAt,
    time_to_first_token_ms: attempt.timeToFirstTokenMs ?? null,
    duration_ms: attempt.durationMs,
  }));
  const written = await db
    .with('finished', query =>
      query
        .updateTable('requests')
        .set({
          ...outcomeColumns(finished),
          status: finished.status,
          owner: null,
          started_at: sql<Date | null>`coalesce(${finished.startedAt ?? null}::timestamptz, started_at)`,
          first_token_at: finished.firstTokenAt ?? null,
          finished_at: finished.finishedAt,
          overhead_ms: finished.overheadMs ?? null,
          attempt_count: finished.attempts.length,
          last_sequence: finished.lastSequence,
          restart_sequence: finished.restartSequence ?? null,
        })
        .where('id', '=', finished.id)
        .where('epoch', '=', finished.epoch)
        .where('status', 'in', ['QUEUED', 'RUNNING'])
        .returning(['id', 'user_id', 'api_key_id', 'epoch']),
    )
    .with(
      'result',
      () => sql`(
        insert into request_results (request_id, output, routing)
        select id, ${finished.output ?? null}::text, ${toJson(finished.routing)}::text::jsonb from finished)`,
    )
    .with(
      'ledger',
      () => sql`(
        insert into attempts (request_id, user_id, api_key_id, epoch, ${sql.raw(LEDGER_NAMES)})
        select finished.id, finished.user_id, finished.api_key_id, finished.epoch, ${sql.raw(LEDGER_VALUES)}
        from finished, jsonb_to_recordset(${toJson(attempts)}::text::jsonb) as attempt (${sql.raw(LEDGER_TYPES)}))`,
    )
    .selectFrom('finished')
    .select('id')
    .executeTakeFirst();
  return written !== undefined;
}

const LEDGER_COLUMNS = [
  ['id', 'uuid'],
  ['number', 'integer'],
  ['deployment_id', 'text'],
  ['provider_id', 'text'],
  ['model', 'text'],
  ['outcome', 'text'],
  ['error_code', 'text'],
  ['error_message', 'text'],
  ['error_retryable', 'boolean'],
  ['error_retry_after_ms', 'double precision'],
  ['provider_response_id', 'text'],
  ['served_model', 'text'],
  ['finish_reason', 'text'],
  ['input_tokens', 'bigint'],
  ['cached_input_tokens', 'bigint'],
  ['cache_write_tokens', 'bigint'],
  ['output_tokens', 'bigint'],
  ['usage_estimated', 'boolean'],
  ['cost_nano_usd', 'bigint'],
  ['price_source', 'text'],
  ['started_at', 'timestamptz'],
  ['time_to_first_token_ms', 'double precision'],
  ['duration_ms', 'double precision'],
] as const;
const LEDGER_NAMES = LEDGER_COLUMNS.map(([name]) => name).join(', ');
const LEDGER_VALUES = LEDGER_COLUMNS.map(([name]) => `attempt.${name}`).join(', ');
const LEDGER_TYPES = LEDGER_COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ');
