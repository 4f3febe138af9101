// The one terminal write of a request: status, answer, routing and the ledger of its attempts in one statement, with
// those of the requests that end at the same time. It happens at most once: only the present epoch may do it, and only
// while the request is unfinished. Requests under budgets are written apart from the others, which so wait for no budget.

import { type Kysely, sql } from 'kysely';
import { groupCommit, jsonArrayOf, type Row } from './group-commit.ts';
import { routingAsJson, toJson } from './json.ts';
import { LEDGER, toLedger } from './ledger.ts';
import { prepared } from './prepared.ts';
import { outcomeColumns } from './request-rows.ts';
import { ledgerCost, type SettledJson, type Settlements, settledJson, settling } from './settle.ts';
import type { FinishedRequest } from './store.ts';
import type { RequestsTable, Tables } from './tables.ts';

/**
 * From this size on Postgres finds few rows by the index, and a plan may be kept. One that was kept while the table was
 * small would read all of it long after it has grown; but planning takes as long as ending several requests.
 */
const LARGE_BYTES = 2 * 1024 * 1024;

/** Resolves with whether it was written, when that is durable. */
export function finishIn(
  db: Kysely<Tables>,
  settlements: Settlements,
): (finished: FinishedRequest) => Promise<boolean> {
  let isLarge = false;
  const writing = (holdsReservations: boolean) =>
    groupCommit(encode, async (rows: readonly Row<FinishedRequest>[]) => {
      const { results, tableBytes, settled } = await finishAll(db, rows, { isLarge, holdsReservations });
      isLarge ||= tableBytes > LARGE_BYTES;
      settlements.tell(settled);
      return results;
    });
  const free = writing(false);
  const holding = writing(true);
  return finished => (finished.holdsReservation ? holding(finished) : free(finished));
}

function encode(finished: FinishedRequest): string {
  const columns = {
    ...outcomeColumns(finished),
    id: finished.id,
    guard_epoch: finished.epoch,
    status: finished.status,
    started_at: finished.startedAt,
    first_token_at: finished.firstTokenAt,
    finished_at: finished.finishedAt,
    overhead_ms: finished.overheadMs,
    attempt_count: finished.attempts.length,
    failed_attempts_cost_nano_usd: finished.failedAttemptsCostNanoUsd?.toString(),
    last_sequence: finished.lastSequence,
    restart_sequence: finished.restartSequence,
    output: finished.output,
    routing: routingAsJson(finished.routing),
    attempts: finished.attempts.map(toLedger),
  };
  return toJson(columns) as string;
}

interface WrittenRow {
  readonly place: number;
  /** Of the table, while it is not known to be large. */
  readonly bytes?: bigint | number;
  readonly settled?: SettledJson;
}

interface Circumstances {
  readonly isLarge: boolean;
  readonly holdsReservations: boolean;
}

async function finishAll(
  db: Kysely<Tables>,
  rows: readonly Row<FinishedRequest>[],
  { isLarge, holdsReservations }: Circumstances,
) {
  // In the order of their ids, as they are found and locked: instances hardly ever wait for each other in a circle.
  // The ids are asked for a second time because of the planner: there it sees how many they are, or assumes a few when
  // its plan is kept. The coalesce hides the status from it: it would read all unfinished requests, or take what it finds
  // for one row and compare all with all.
  const inOrder = rows.toSorted((a, b) => (a.value.id < b.value.id ? -1 : 1));
  const ids = sql`${inOrder.map(({ value }) => value.id)}::uuid[]`;
  const again = isLarge ? sql`array(select id from batch)` : ids;
  const name = holdsReservations ? 'finish_holding' : 'finish';
  const { rows: written } = await sql<WrittenRow>`${isLarge ? prepared(name) : sql``}
    with batch as (
      select * from rows from (
        jsonb_to_recordset(${jsonArrayOf(inOrder)}::text::jsonb) as (${sql.raw(BATCH_TYPES)})
      ) with ordinality
    ),
    finished as (
      update requests set ${sql.raw(ASSIGNMENTS)}, owner = null,
        started_at = coalesce(batch.started_at, requests.started_at)
      from batch
      where requests.id = batch.id and requests.id = any(${again})
        and epoch = guard_epoch and coalesce(requests.status in ('QUEUED', 'RUNNING'), false)
      returning ordinality, requests.id, user_id, api_key_id, epoch, output, routing, attempts${
        holdsReservations ? sql`, budget_ids, reserved_nano_usd` : sql``
      }
    ),
    result as (
      insert into request_results (request_id, output, routing) select id, output, routing from finished
    ),
    ledger as (
      insert into attempts (request_id, user_id, api_key_id, epoch, ${LEDGER.names})
      select finished.id, finished.user_id, finished.api_key_id, finished.epoch, ${LEDGER.values}
      from finished, jsonb_to_recordset(finished.attempts) as attempt (${LEDGER.types})
      on conflict (id) do nothing
    )${holdsReservations ? sql`, ${SETTLING}` : sql``}
    select ordinality::integer as place${isLarge ? sql`` : sql`, (select pg_relation_size('requests')) as bytes`}${
      holdsReservations ? sql`, ${settledJson} as settled` : sql``
    }
    from finished`.execute(db);
  const places = new Set(written.map(({ place }) => place));
  const results = new Map(inOrder.map((row, index) => [row, places.has(index + 1)]));
  return {
    results: rows.map(row => results.get(row)!),
    tableBytes: Number(written[0]?.bytes ?? 0),
    settled: written[0]?.settled ?? null,
  };
}

/** Attempts of this epoch are all given, whether they are in the ledger already or not. */
const SETTLING = settling(sql`
  select budget_ids, reserved_nano_usd, ${ledgerCost(sql`attempts.request_id = finished.id and attempts.epoch <> finished.epoch`)} + (
    select coalesce(sum(cost_nano_usd), 0) from jsonb_to_recordset(attempts) as given (cost_nano_usd bigint)
  ) as spent
  from finished where budget_ids is not null`);

/** Set as they are given. */
const REQUEST_COLUMNS = {
  deployment_id: 'text',
  provider_id: 'text',
  served_model: 'text',
  finish_reason: 'text',
  error_code: 'text',
  error_message: 'text',
  error_retryable: 'boolean',
  error_retry_after_ms: 'double precision',
  input_tokens: 'bigint',
  cached_input_tokens: 'bigint',
  cache_write_tokens: 'bigint',
  output_tokens: 'bigint',
  usage_estimated: 'boolean',
  cost_nano_usd: 'bigint',
  status: 'text',
  first_token_at: 'timestamptz',
  finished_at: 'timestamptz',
  overhead_ms: 'double precision',
  attempt_count: 'integer',
  failed_attempts_cost_nano_usd: 'bigint',
  last_sequence: 'bigint',
  restart_sequence: 'bigint',
} satisfies { [Column in keyof RequestsTable]?: string };

/** Attempts of earlier epochs are counted already; those of this one are not, also when they are booked. */
const ASSIGNMENTS = Object.keys(REQUEST_COLUMNS)
  .map(name => `${name} = ${name === 'attempt_count' ? 'requests.attempt_count + ' : ''}batch.${name}`)
  .join(', ');
const BATCH_TYPES = Object.entries({
  ...REQUEST_COLUMNS,
  id: 'uuid',
  guard_epoch: 'integer',
  started_at: 'timestamptz',
  output: 'text',
  routing: 'jsonb',
  attempts: 'jsonb',
})
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');
