// The ledger of requests that go on: attempts that are over while another one begins are written at once, together
// with who is called now, so that the death of their instance hides neither. The end is written in finish.ts.

import { type Kysely, sql } from 'kysely';
import { groupCommit, jsonArrayOf, type Row } from './group-commit.ts';
import { toJson } from './json.ts';
import { LEDGER, toLedger } from './ledger.ts';
import type { RequestProgress } from './store.ts';
import type { Tables } from './tables.ts';

/** Resolves when it is written, or refused because the request is no longer running at that epoch. */
export function bookIn(db: Kysely<Tables>): (progress: RequestProgress) => Promise<void> {
  return groupCommit(encode, rows => bookAll(db, rows));
}

function encode({ id, epoch, deploymentId, attempts }: RequestProgress): string {
  const columns = { id, guard_epoch: epoch, deployment_id: deploymentId, attempts: attempts.map(toLedger) };
  return toJson(columns) as string;
}

/**
 * The row of the request is locked before its attempts are inserted. So a booking and the end of its epoch follow each
 * other in one order or the other: before it, the end leaves alone what it finds; behind it, the booking does nothing.
 * `attempt_count` is not touched here: who ends the epoch counts all of its attempts.
 */
async function bookAll(db: Kysely<Tables>, rows: readonly Row<RequestProgress>[]): Promise<undefined[]> {
  // Ids, order and coalesce as in finish.ts, and for the same reasons.
  const inOrder = rows.toSorted((a, b) => (a.value.id < b.value.id ? -1 : 1));
  const ids = inOrder.map(({ value }) => value.id);
  await sql`
    with batch as (
      select * from jsonb_to_recordset(${jsonArrayOf(inOrder)}::text::jsonb)
        as (id uuid, guard_epoch integer, deployment_id text, attempts jsonb)
    ),
    going as (
      update requests set deployment_id = batch.deployment_id
      from batch
      where requests.id = batch.id and requests.id = any(${ids}::uuid[])
        and epoch = guard_epoch and coalesce(requests.status = 'RUNNING', false)
      returning requests.id, user_id, api_key_id, epoch, attempts
    )
    insert into attempts (request_id, user_id, api_key_id, epoch, ${LEDGER.names})
    select going.id, going.user_id, going.api_key_id, going.epoch, ${LEDGER.values}
    from going, jsonb_to_recordset(going.attempts) as attempt (${LEDGER.types})
    on conflict (id) do nothing`.execute(db);
  return rows.map(() => undefined);
}
