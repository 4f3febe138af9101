// The one terminal write of a request: status, answer, routing and the ledger of its attempts in one statement.
// It happens at most once: only the present epoch may do it, and only while the request is unfinished.

import { type Kysely, sql } from 'kysely';
import { toJson } from './json.ts';
import { LEDGER, toLedger } from './ledger.ts';
import { outcomeColumns } from './request-rows.ts';
import type { FinishedRequest } from './store.ts';
import type { Tables } from './tables.ts';

export async function finishRequest(db: Kysely<Tables>, finished: FinishedRequest): Promise<boolean> {
  const attempts = finished.attempts.map(toLedger);
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
        insert into attempts (request_id, user_id, api_key_id, epoch, ${LEDGER.names})
        select finished.id, finished.user_id, finished.api_key_id, finished.epoch, ${LEDGER.values}
        from finished, jsonb_to_recordset(${toJson(attempts)}::text::jsonb) as attempt (${LEDGER.types}))`,
    )
    .selectFrom('finished')
    .select('id')
    .executeTakeFirst();
  return written !== undefined;
}
