// The queue is the rows that are QUEUED: no second record of the work that could disagree with the first. Taking and
// giving back are single guarded statements and recovering is one transaction, so that a crash loses nothing.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import { newId } from '../domain/ids.ts';
import { requestError } from '../domain/request.ts';
import { uuidsIn } from './ids.ts';
import { toJson } from './json.ts';
import { LEDGER, toLedger } from './ledger.ts';
import { toModelRequest } from './request-rows.ts';
import {
  ledgerCost,
  type SettledJson,
  type Settlements,
  settledJson,
  settleEnded,
  settling,
} from './settle.ts';
import type { HeldRequest, QueueRepository, Recovered } from './store.ts';
import type { Tables } from './tables.ts';

/** Positions further back are not told: counting them all for each request would cost more than it says. */
const LAST_POSITION = 10_000;
/** No request is run for the last time. */
const NO_LAST_DEATH = 2_147_483_647;
const LOST = requestError('INTERNAL', 'The instance that made this call died; what came of it is unknown.');

export function queueIn(db: Kysely<Tables>, settlements: Settlements): QueueRepository {
  return {
    async claim(owner, limit, lastDeath = NO_LAST_DEATH) {
      const take = async (which: RawBuilder<unknown>, atMost: number) => {
        const { rows } = await sql<RequestRow>`
          update requests set status = 'RUNNING', owner = ${owner}, epoch = epoch + 1, deployment_id = null,
            provider_id = null, started_at = coalesce(started_at, greatest(clock_timestamp(), created_at))
          where id in (
            select id from requests where status = 'QUEUED' and ${which}
            order by ${rankIn('requests')}, id limit ${atMost} for update skip locked
          )
          returning *`.execute(db);
        return rows;
      };
      const rows = await take(sql`deaths < ${lastDeath}::integer`, limit);
      if (rows.length < limit && lastDeath !== NO_LAST_DEATH)
        rows.push(
          ...(await take(
            sql`deaths >= ${lastDeath}::integer and not exists (
              select from requests as held
              where held.owner = ${owner} and held.status = 'RUNNING' and held.deaths >= ${lastDeath}::integer
            )`,
            1,
          )),
        );
      return rows
        .map(row => toModelRequest(row))
        .sort((a, b) => rankOf(a) - rankOf(b) || (a.id < b.id ? -1 : 1));
    },

    async routed(choices) {
      if (choices.length === 0) return;
      await sql`
        update requests set deployment_id = choice.deployment_id
        from unnest(${choices.map(choice => choice.id)}::uuid[], ${choices.map(choice => choice.deploymentId)}::text[])
          as choice (id, deployment_id)
        where requests.id = choice.id and status = 'RUNNING'`.execute(db);
    },

    async cancel(id, error) {
      const settledRequest = sql`
        select budget_ids, reserved_nano_usd, ${ledgerCost(sql`attempts.request_id = cancelled.id`)} as spent
        from cancelled where budget_ids is not null`;
      const { rows } = await sql<{ settled: SettledJson }>`
        with cancelled as (
          update requests set status = 'CANCELLED', owner = null, epoch = epoch + 1, ${endedBy(error)}
          where id = ${id}::uuid and status = 'QUEUED'
          returning id, budget_ids, reserved_nano_usd
        ),
        ${settling(settledRequest)}
        select ${settledJson} as settled from cancelled`.execute(db);
      settlements.tell(rows[0]?.settled ?? null);
      return rows.length > 0;
    },

    async giveBack({ id, epoch, attempts }) {
      const { rows } = await sql`
        with given as (
          update requests set status = 'QUEUED', owner = null,
            attempt_count = attempt_count + ${attempts.length}
          where id = ${id}::uuid and epoch = ${epoch} and status = 'RUNNING'
          returning id, user_id, api_key_id, epoch
        ),
        ledger as (
          insert into attempts (request_id, user_id, api_key_id, epoch, ${LEDGER.names})
          select given.id, given.user_id, given.api_key_id, given.epoch, ${LEDGER.values}
          from given, jsonb_to_recordset(${toJson(attempts.map(toLedger))}::text::jsonb) as attempt (${LEDGER.types})
          on conflict (id) do nothing
        )
        select id from given`.execute(db);
      return rows.length > 0;
    },

    recover: async (owners, maxDeaths, error) => {
      const recovered = await recover(db, owners, { maxDeaths, error });
      await settleEnded(db, recovered.failed, settlements);
      return recovered;
    },

    async heldBy(owner) {
      const { rows } = await sql<HeldRequest>`
        select id, cancel_wished_at is not null as "cancelWished" from requests
        where owner = ${owner} and status in ('QUEUED', 'RUNNING') order by id`.execute(db);
      return rows;
    },

    async length(atMost) {
      const { rows } = await sql<{ length: number }>`
        select count(*)::integer as length
        from (select from requests where status = 'QUEUED' limit ${atMost}) as waiting`.execute(db);
      return rows[0]!.length;
    },

    async positions(ids) {
      const { rows } = await sql<{ id: string; position: number }>`
        select mine.id, (
          select count(*)::integer from (
            select from requests as other
            where other.status = 'QUEUED' and (${rankIn('other')}, other.id) <= (${rankIn('mine')}, mine.id)
            limit ${LAST_POSITION}
          ) as before
        ) as position
        from requests as mine
        where mine.id = any(${uuidsIn(ids)}::uuid[]) and mine.status = 'QUEUED'`.execute(db);
      const positions = new Map(rows.map(row => [row.id, row.position]));
      return ids.map(id => positions.get(id));
    },
  };
}

type RequestRow = Parameters<typeof toModelRequest>[0];

function rankOf({ createdAt, priority }: { createdAt: Date; priority: number }): number {
  return createdAt.getTime() / 1_000 - priority;
}

/** As in the index requests_queue. */
function rankIn(table: string): RawBuilder<number> {
  return sql.raw(`extract(epoch from ${table}.created_at at time zone 'UTC') - ${table}.priority`);
}

/** The columns of an end that no instance reached with an answer. Its failure is the only event of the new epoch. */
function endedBy(error: ReturnType<typeof requestError>): RawBuilder<unknown> {
  return sql`finished_at = greatest(now(), created_at), error_code = ${error.code}, error_message = ${error.message},
    error_retryable = ${error.retryable}, error_retry_after_ms = ${error.retryAfterMs ?? null}, last_sequence = 1`;
}

async function recover(
  db: Kysely<Tables>,
  owners: Parameters<QueueRepository['recover']>[0],
  { maxDeaths, error }: { maxDeaths: number; error: ReturnType<typeof requestError> },
): Promise<Recovered> {
  const theirs =
    'allBut' in owners
      ? sql`owner is distinct from ${owners.allBut}::text`
      : sql`owner = any(${owners}::text[])`;
  // The epoch grows here already, so that whoever wakes up late is refused from now on.
  const takeAway = async (which: RawBuilder<unknown>, become: RawBuilder<unknown>) => {
    const { rows } = await sql<{ id: string }>`
      with dead as (
        select id from requests where ${theirs} and status = 'RUNNING' and ${which}
        order by id for update skip locked
      )
      update requests set ${become}, owner = null, epoch = epoch + 1, deaths = deaths + 1
      where id in (select id from dead)
      returning id`.execute(db);
    return rows.map(row => row.id).sort();
  };
  const mayLive = sql`deaths + 1 < ${maxDeaths}::integer`;
  const requeued = await takeAway(mayLive, sql`status = 'QUEUED'`);
  const failed = await takeAway(sql`not (${mayLive})`, sql`status = 'FAILED', ${endedBy(error)}`);
  await insertLost(db, [...requeued, ...failed]);
  return { requeued, failed };
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
