// The queue is the rows that are QUEUED: no second record of the work that could disagree with the first. Taking and
// giving back are single guarded statements and recovering is one transaction, so that a crash loses nothing.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import { uuidsIn } from './ids.ts';
import { toJson } from './json.ts';
import { LEDGER, toLedger } from './ledger.ts';
import { endedBy, endSteps, recover } from './recovery.ts';
import { toModelRequest } from './request-rows.ts';
import {
  ledgerCost,
  type SettledJson,
  type Settlements,
  settledJson,
  settleEnded,
  settling,
} from './settle.ts';
import type { HeldRequest, QueueRepository } from './store.ts';
import type { Tables } from './tables.ts';
import { inTransaction, preferPlainIndexScans } from './transaction.ts';

/** Positions further back are not told: counting them all for each request would cost more than it says. */
const LAST_POSITION = 10_000;
/** No request is run for the last time. */
const NO_LAST_DEATH = 2_147_483_647;

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
                and (held.task_type <> 'WORKFLOW' or held.parent_id is not null)
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
      const { rows } = await sql<{ settled: SettledJson; is_workflow: boolean }>`
        with cancelled as (
          update requests set status = 'CANCELLED', owner = null, epoch = epoch + 1, ${endedBy(error)}
          where id = ${id}::uuid and (status = 'QUEUED' or (status = 'RUNNING' and owner is null))
          returning id, task_type, budget_ids, reserved_nano_usd
        ),
        ${settling(settledRequest)}
        select ${settledJson} as settled, task_type = 'WORKFLOW' as is_workflow from cancelled`.execute(db);
      settlements.tell(rows[0]?.settled ?? null);
      if (rows[0]?.is_workflow) await settleEnded(db, await endSteps(db, [id]), settlements);
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
      const { ended, ...recovered } = await recover(db, owners, { maxDeaths, error });
      await settleEnded(db, ended, settlements);
      return recovered;
    },

    heldBy: owner =>
      inTransaction(db, async inside => {
        await preferPlainIndexScans(inside);
        const { rows } = await sql<HeldRequest>`
          select id, cancel_wished_at is not null or exists (
              select from requests as workflow where workflow.id = requests.parent_id and workflow.finished_at is not null
            ) as "cancelWished",
            case when task_type = 'WORKFLOW' then (select acts from workflows where request_id = requests.id) end as acts
          from requests
          where owner = ${owner} and status in ('QUEUED', 'RUNNING') order by id`.execute(inside);
        return rows;
      }),

    async wake() {
      const { rows } = await sql`
        with due as (
          update workflows set wake_at = null where request_id in (
            select request_id from workflows where wake_at <= now() for update skip locked
          )
          returning request_id
        )
        update requests set status = 'QUEUED' from due
        where requests.id = due.request_id and status = 'RUNNING' and owner is null
        returning requests.id`.execute(db);
      return rows.length;
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
