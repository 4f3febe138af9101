// What people do to runs of workflows, and runs in which only they can do anything. Each act is counted in the statement
// that carries it out, and gives a run that nobody has in hand back to the queue: no act is lost, whoever dies. Whoever
// leaves a run says how many acts it has seen, and stays when there were more.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from './tables.ts';
import { ownership, type RunOwnership } from './workflow-rows.ts';

export interface Decision {
  readonly stepId: string;
  readonly approved: boolean;
  /** Name of who decided. */
  readonly by: string;
  readonly comment: string | undefined;
}

/** What people have done to a run. */
export interface Acts {
  /** How often they have acted. */
  readonly count: number;
  readonly pausedAt: Date | undefined;
  /** On steps that wait. */
  readonly decisions: readonly Decision[];
}

export interface Parking extends RunOwnership {
  /** Acts that were looked at. */
  readonly acts: number;
  /** When it is to be taken up again, whatever people do. */
  readonly wakeAt: Date | undefined;
  /** Number of the last event that was told of it. */
  readonly lastSequence: number;
}

export interface PeopleRepository {
  acts(id: string): Promise<Acts>;
  /** False: the step does not wait for a decision, or somebody else has decided. */
  decide(id: string, decision: Decision): Promise<boolean>;
  /** Pauses it or lets it go on, also one that has not begun yet; false: it is so already. */
  setPaused(id: string, paused: boolean): Promise<boolean>;
  /**
   * Leaves a run in nobody's hands, until an act other than a pause or its time takes it up again: it waits in the queue
   * then, and so does one that is to be cancelled. False: there were more acts than those, and it is left as it is. True
   * also when somebody else owns it.
   */
  park(parking: Parking): Promise<boolean>;
}

/** The request of the run, as it is after whoever holds it has let go of it. */
function held(id: string): RawBuilder<unknown> {
  return sql`held as (
    select id, status = 'RUNNING' and owner is null as is_parked from requests where id = ${id}::uuid for no key update
  )`;
}

/** Behind an act that is called `act` in the statement, and was done to the request that it calls `held`. */
const WOKEN = sql`woken as (
  update requests set status = 'QUEUED' from held, act where requests.id = held.id and held.is_parked
)`;

interface DecisionRow {
  readonly step_id: string;
  readonly decision: 'APPROVED' | 'REJECTED';
  readonly decided_by: string | null;
  readonly comment: string | null;
}

export function peopleIn(db: Kysely<Tables>): PeopleRepository {
  return {
    async acts(id) {
      const { rows } = await sql<{ acts: number; paused_at: Date | null; decisions: DecisionRow[] }>`
        select acts, paused_at, (
          select coalesce(jsonb_agg(to_jsonb(steps)), '[]') from (
            select step_id, decision, decided_by, comment from workflow_steps
            where workflow_id = workflows.request_id and item = -1 and status = 'WAITING' and decision is not null
          ) as steps
        ) as decisions
        from workflows where request_id = ${id}::uuid`.execute(db);
      const [row] = rows;
      return {
        count: row?.acts ?? 0,
        pausedAt: row?.paused_at ?? undefined,
        decisions: (row?.decisions ?? []).map(({ step_id, decision, decided_by, comment }) => ({
          stepId: step_id,
          approved: decision === 'APPROVED',
          by: decided_by ?? '',
          comment: comment ?? undefined,
        })),
      };
    },

    async decide(id, { stepId, approved, by, comment }) {
      const { rows } = await sql`
        with ${held(id)},
        act as (
          update workflow_steps
          set decision = ${approved ? 'APPROVED' : 'REJECTED'}, decided_by = ${by}, comment = ${comment ?? null}::text
          from held
          where workflow_id = held.id and step_id = ${stepId} and item = -1
            and workflow_steps.status = 'WAITING' and decision is null
          returning workflow_id
        ),
        counted as (update workflows set acts = acts + 1 from act where request_id = act.workflow_id),
        ${WOKEN}
        select workflow_id from act`.execute(db);
      return rows.length > 0;
    },

    async setPaused(id, paused) {
      const { rows } = await (paused
        ? sql`
          with ${held(id)}
          insert into workflows as run (request_id, spec, paused_at, acts)
          select request_id, spec -> 'workflow', now(), 1 from request_bodies join held on held.id = request_id
          where spec -> 'workflow' is not null
          on conflict (request_id) do update set paused_at = now(), acts = run.acts + 1 where run.paused_at is null
          returning request_id`
        : sql`
          with ${held(id)},
          act as (
            update workflows set paused_at = null, acts = acts + 1 from held
            where request_id = held.id and paused_at is not null
            returning request_id
          ),
          ${WOKEN}
          select request_id from act`
      ).execute(db);
      return rows.length > 0;
    },

    async park({ id, epoch, acts, wakeAt, lastSequence }) {
      const { rows } = await sql<{ is_acted: boolean }>`
        with ${ownership({ id, epoch })},
        run as (
          update workflows set wake_at = ${wakeAt ?? null}::timestamptz from owned
          where request_id = owned.id and acts = ${acts}
          returning request_id
        ),
        parked as (
          update requests set owner = null, last_sequence = ${lastSequence},
            status = case when cancel_wished_at is null then 'RUNNING' else 'QUEUED' end
          from run where requests.id = run.request_id
        )
        select not exists (select from run) as is_acted from owned`.execute(db);
      return !rows[0]?.is_acted;
    },
  };
}
