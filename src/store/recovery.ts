// What becomes of requests that nobody has in hand any more: those of dead instances, and the steps of workflows that
// ended without an owner.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import { newId } from '../domain/ids.ts';
import { type RequestError, requestError } from '../domain/request.ts';
import { uuidsIn } from './ids.ts';
import type { QueueRepository, Recovered } from './store.ts';
import type { Tables } from './tables.ts';
import { preferPlainIndexScans } from './transaction.ts';

const LOST = requestError('INTERNAL', 'The instance that made this call died; what came of it is unknown.');
const CANCELLED = requestError('CANCELLED', 'The request was cancelled.');
const WITH_WORKFLOW = requestError('CANCELLED', 'The workflow has ended.');

/** The columns of an end that no instance reached with an answer. Its failure is the only event of the new epoch. */
export function endedBy(error: RequestError): RawBuilder<unknown> {
  return sql`finished_at = greatest(now(), created_at), error_code = ${error.code}, error_message = ${error.message},
    error_retryable = ${error.retryable}, error_retry_after_ms = ${error.retryAfterMs ?? null}, last_sequence = 1`;
}

export async function recover(
  db: Kysely<Tables>,
  owners: Parameters<QueueRepository['recover']>[0],
  { maxDeaths, error }: { maxDeaths: number; error: RequestError },
): Promise<Recovered & { readonly ended: readonly string[] }> {
  const theirs =
    'allBut' in owners ? sql`owner <> ${owners.allBut}::text` : sql`owner = any(${owners}::text[])`;
  // The epoch grows here already, so that whoever wakes up late is refused from now on.
  const takeAway = async (which: RawBuilder<unknown>, become: RawBuilder<unknown>) => {
    const { rows } = await sql<{ id: string }>`
      with dead as (
        select id from requests where ${theirs} and status = 'RUNNING' and ${which}
        order by id for update skip locked
      )
      update requests
      set ${become}, owner = null, epoch = epoch + 1, deaths = deaths + 1
      where id in (select id from dead)
      returning id`.execute(db);
    return rows.map(row => row.id).sort();
  };
  await preferPlainIndexScans(db);
  const mayLive = sql`deaths + 1 < ${maxDeaths}::integer`;
  const cancelled = await takeAway(
    sql`cancel_wished_at is not null`,
    sql`status = 'CANCELLED', ${endedBy(CANCELLED)}`,
  );
  const requeued = await takeAway(mayLive, sql`status = 'QUEUED'`);
  const failed = await takeAway(sql`not ${mayLive}`, sql`status = 'FAILED', ${endedBy(error)}`);
  await insertLost(db, [...cancelled, ...requeued, ...failed]);
  const steps = await endSteps(db, [...cancelled, ...failed]);
  return { requeued, failed, cancelled, ended: [...cancelled, ...failed, ...steps] };
}

/**
 * The ledger says of each dead instance's call that it was made: its provider may bill it. Its number follows those
 * that were booked, and its time too: nothing else is known of it. Of two calls that raced each other when their
 * instance died the database knows only the one that was there first. Whatever they cost, it was no more than what is
 * left of the reservation of a request under budgets: that stands in the ledger, and counts as spent.
 *
 * A statement of its own, behind those that took the requests away: no booking can come any more, and it sees the last
 * one that came. So what it counts is all there is.
 */
async function insertLost(db: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    with dead as (
      select requests.*, given.lost_id, known.*
      from unnest(${ids}::uuid[], ${ids.map(() => newId())}::uuid[]) as given (id, lost_id)
      join requests on requests.id = given.id
      cross join lateral (
        select count(*)::integer as booked, coalesce(max(number), 0) as last_number,
          max(attempts.started_at + duration_ms * interval '1 millisecond') as last_end,
          coalesce(sum(coalesce(attempts.cost_nano_usd, attempts.reserved_nano_usd)), 0) as cost
        from attempts where request_id = given.id
      ) as known
    ),
    counted as (
      update requests
      set attempt_count = dead.booked + case when dead.deployment_id is null then 0 else 1 end
      from dead where requests.id = dead.id
    )
    insert into attempts (id, request_id, user_id, api_key_id, epoch, number, deployment_id, provider_id, model,
      outcome, error_code, error_message, error_retryable, started_at, duration_ms, reserved_nano_usd)
    select lost_id, id, user_id, api_key_id, epoch - 1, last_number + 1, deployment_id,
      split_part(deployment_id, '/', 1), substr(deployment_id, strpos(deployment_id, '/') + 1),
      'LOST', ${LOST.code}, ${LOST.message}, ${LOST.retryable}, coalesce(greatest(started_at, last_end), now()), 0,
      case when reserved_nano_usd > 0 then greatest(0, reserved_nano_usd - dead.cost) else reserved_nano_usd end
    from dead where deployment_id is not null`.execute(db);
}

/**
 * Of those of the requests that are workflows, and have ended: no step is left open. Requests of steps that wait end
 * here, and their ids are returned; whoever runs one is told at the next heartbeat.
 */
export async function endSteps(db: Kysely<Tables>, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const theirs = sql`any(${uuidsIn(ids)}::uuid[])`;
  const { rows } = await sql<{ id: string }>`
    with waiting as (
      select id from requests where parent_id = ${theirs} and status = 'QUEUED'
      order by id for update skip locked
    ),
    ended as (
      update requests set status = 'CANCELLED', epoch = epoch + 1, ${endedBy(WITH_WORKFLOW)}
      where id in (select id from waiting)
      returning id
    ),
    steps as (
      update workflow_steps set status = 'CANCELLED', finished_at = now()
      where workflow_id = ${theirs} and status in ('PENDING', 'RUNNING', 'WAITING')
    ),
    others as (
      insert into workflow_steps (workflow_id, step_id, item, status, tries, reused, finished_at)
      select workflows.request_id, step ->> 'id', -1, 'CANCELLED', 0, false, now()
      from workflows, jsonb_array_elements(spec -> 'steps') as step where workflows.request_id = ${theirs}
      on conflict do nothing
    )
    select id from ended`.execute(db);
  return rows.map(row => row.id);
}
