// Deleting what was said: prompts, answers, what the steps of workflows were given and made, and messages of errors, which
// may quote them. Rows, figures, attempts and routing stay. Only of requests that have ended, and of steps only with
// their workflow, or after it.

import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { isUuid } from './ids.ts';
import type { Tables } from './tables.ts';

/** Who is deleted may have something accepted for so long yet, where that is not known. */
const LATE_ACCEPTANCE = sql`interval '1 minute'`;
const DELETED_MESSAGE = 'The message was deleted with the content of the request.';

/** Each resolves with the ids of the requests whose content it has deleted. */
export interface ContentRepository {
  /** Of one request, and of the steps of its workflow. */
  delete(requestId: string): Promise<string[]>;
  /**
   * Of some that ended so long ago on the database's clock, of steps whose workflow did. What another instance is deleting
   * is left to it.
   */
  expire(afterMs: number, atMost: number): Promise<string[]>;
  /** Of some of a user's, in the order of their ids, behind one of them. */
  deleteOf(userId: string, after: string | undefined, atMost: number): Promise<string[]>;
  /** Deleted users of whose requests something may be left. */
  leavingUsers(): Promise<string[]>;
  /** Those that are none of them any more are left alone from now on. */
  settleUsers(ids: readonly string[]): Promise<void>;
}

export function contentIn(db: Kysely<Tables>): ContentRepository {
  return {
    async delete(requestId) {
      if (!isUuid(requestId)) return [];
      return erase(
        db,
        sql`
        select id from requests
        where (id = ${requestId}::uuid or parent_id = ${requestId}::uuid) and ${HAS_ENDED_WITH_CONTENT}
        order by id for update`,
      );
    },

    async expire(afterMs, atMost) {
      const due = sql`(now() - ${afterMs} * interval '1 millisecond')`;
      // The oldest bodies come first in their index, since ids begin with their time, and what is deleted has none.
      const firstIdThen = sql`(lpad(to_hex((extract(epoch from ${due}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;
      // Nearly always there is none. What deletes them would be planned as if there were many, and read whole tables.
      const { rows: old } = await sql`
        select from request_bodies where request_id <= ${firstIdThen} order by request_id limit 1`.execute(
        db,
      );
      if (old.length === 0) return [];
      return erase(
        db,
        sql`
        select requests.id from request_bodies join requests on requests.id = request_id
        where request_id <= ${firstIdThen} and requests.finished_at <= ${due} and ${HAS_ENDED_WITH_CONTENT}
          and (parent_id is null or exists (
            select from requests as workflow
            where workflow.id = requests.parent_id and workflow.finished_at <= ${due}
          ))
        order by request_id limit ${atMost} for update of requests skip locked`,
      );
    },

    deleteOf: (userId, after, atMost) =>
      erase(
        db,
        sql`
        select id from requests
        where user_id = ${userId}::uuid and ${HAS_ENDED_WITH_CONTENT}
          and (${after ?? null}::uuid is null or id > ${after ?? null}::uuid)
          and (parent_id is null or exists (
            select from requests as workflow where workflow.id = requests.parent_id and workflow.finished_at is not null
          ))
        order by id limit ${atMost} for update`,
      ),

    async leavingUsers() {
      const rows = await db
        .selectFrom('users')
        .select('id')
        .where('deleted_at', 'is not', null)
        .where('content_deleted_at', 'is', null)
        .execute();
      return rows.map(({ id }) => id);
    },

    async settleUsers(ids) {
      await sql`
        update users set content_deleted_at = now()
        where id = any(${ids}::uuid[]) and deleted_at < now() - ${LATE_ACCEPTANCE} and not exists (
          select from requests where user_id = users.id and content_deleted_at is null
        )`.execute(db);
    },
  };
}

const HAS_ENDED_WITH_CONTENT = sql<SqlBool>`requests.finished_at is not null and requests.content_deleted_at is null`;

/** `due` selects and locks the requests. In one statement: nobody reads one half of it. */
async function erase(db: Kysely<Tables>, due: RawBuilder<unknown>): Promise<string[]> {
  // As an array they are found by the index, however many the planner thinks they are; else it may read all of a table.
  const isDue = (column: string) => sql<SqlBool>`${sql.ref(column)} = any(array(select id from due))`;
  const withoutMessage = sql`error_message = case when error_message is not null then ${DELETED_MESSAGE} end`;
  const { rows } = await sql<{ id: string }>`
    with due as materialized (${due}),
    bodies as (delete from request_bodies where ${isDue('request_id')}),
    results as (update request_results set output = null where ${isDue('request_id')} and output is not null),
    calls as (update attempts set ${withoutMessage} where ${isDue('request_id')} and error_message is not null),
    runs as (update workflows set spec = ${SPEC_WITHOUT_TEXTS} where ${isDue('request_id')}),
    steps as (
      update workflow_steps set input = null, output = null, note = null, comment = null, decided_by = null, ${withoutMessage}
      where ${isDue('workflow_id')}
    )
    update requests set content_deleted_at = clock_timestamp(), ${withoutMessage}
    where ${isDue('id')} returning id`.execute(db);
  return rows.map(({ id }) => id).sort();
}

/** Which steps there are and what they depend on stays, for their states; the rest is the caller's. */
const SPEC_WITHOUT_TEXTS = sql`
  ((spec - 'output') || '{"input": "", "parameters": {}}'::jsonb) || jsonb_build_object('steps', (
    select coalesce(jsonb_agg(
      (step - '{system, condition, outputSchema}'::text[])
        || jsonb_build_object('title', step -> 'id', 'template', '')
        || case when step -> 'forEach' is null then '{}'::jsonb
          else jsonb_build_object('forEach', ((step -> 'forEach') - 'joinWith') || '{"items": ""}'::jsonb) end
      order by place), '[]'::jsonb)
    from jsonb_array_elements(spec -> 'steps') with ordinality as steps (step, place)
  ))`;
