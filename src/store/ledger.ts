// Attempts on their way into the ledger. Any number of them is one value of the statement, so that its text stays
// the same: `jsonb_to_recordset(value) as attempt (types)`.

import { sql } from 'kysely';
import type { Attempt } from '../domain/request.ts';
import { outcomeColumns } from './request-rows.ts';

const COLUMNS = [
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
  ['fault', 'text'],
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

/** Pieces of the statement: columns of the table, the same of the recordset `attempt`, and the recordset's types. */
export const LEDGER = {
  names: sql.raw(COLUMNS.map(([name]) => name).join(', ')),
  values: sql.raw(COLUMNS.map(([name]) => `attempt.${name}`).join(', ')),
  types: sql.raw(COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ')),
} as const;

/** An attempt as an element of the recordset. */
export function toLedger(attempt: Attempt) {
  return {
    ...outcomeColumns(attempt),
    id: attempt.id,
    number: attempt.number,
    model: attempt.model,
    outcome: attempt.outcome,
    fault: attempt.fault,
    provider_response_id: attempt.providerResponseId,
    price_source: attempt.priceSource,
    started_at: attempt.startedAt,
    time_to_first_token_ms: attempt.timeToFirstTokenMs,
    duration_ms: attempt.durationMs,
  };
}
