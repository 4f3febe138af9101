// Runs of workflows: the states of their steps. They are moved on by the owner of the workflow's request alone: every
// write holds that request's row at the owner's epoch, and what has ended is never written again.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import { hasEnded, type StepState, type WorkflowSpec } from '../domain/workflow.ts';
import { byId, uuidsIn } from './ids.ts';
import { toJson } from './json.ts';
import type { Tables } from './tables.ts';
import { type StepRequestReads, stepRequestsIn } from './workflow-requests.ts';
import { toStepState, upsertSteps } from './workflow-rows.ts';

export type { Spending } from './workflow-requests.ts';

/** Who may move a run on: the owner of its request, at this epoch. */
export interface RunOwnership {
  readonly id: string;
  readonly epoch: number;
}

export interface StoredRun {
  readonly spec: WorkflowSpec;
  readonly pausedAt: Date | undefined;
  readonly steps: readonly StepState[];
  /** On whose behalf its steps are requested. */
  readonly userId: string;
  readonly apiKeyId: string | undefined;
}

export interface RunChange extends RunOwnership {
  readonly steps: readonly StepState[];
  /** The steps that were planned; absent: they stay as they are. */
  readonly spec?: WorkflowSpec | undefined;
  /** Nothing can be done before a person acts: the death of an instance then says nothing about the run. */
  readonly waiting: boolean;
}

export interface Decision {
  readonly stepId: string;
  readonly approved: boolean;
  /** Name of who decided. */
  readonly by: string;
  readonly comment: string | undefined;
}

export interface WorkflowRepository extends StepRequestReads {
  /**
   * The run as it is, begun with these when it had not begun; results of an earlier run that are to be reused are
   * taken over. Undefined: somebody else owns it.
   */
  begin(run: RunOwnership, spec: WorkflowSpec): Promise<StoredRun | undefined>;
  /**
   * Writes states, all or none, and tells whether the run is paused. States that have ended stay as they are.
   * Undefined: somebody else owns it, and nothing was written.
   */
  advance(change: RunChange): Promise<{ readonly pausedAt: Date | undefined } | undefined>;
  /** Undefined for what is no workflow, or has not begun. */
  specsByIds(ids: readonly string[]): Promise<(Pick<StoredRun, 'spec' | 'pausedAt'> | undefined)[]>;
  /** The steps of each in no order, without the items of lists. */
  stepsByIds(ids: readonly string[]): Promise<StepState[][]>;
  /** Items of one step from number `from` on, in their order. */
  items(id: string, stepId: string, from: number, limit: number): Promise<StepState[]>;
  /** Of each fan-out of a run, how many items there are and how many have ended. */
  itemCounts(id: string): Promise<ReadonlyMap<string, { readonly total: number; readonly ended: number }>>;
  decisions(id: string): Promise<Decision[]>;
  /** False: the step does not wait for a decision, or somebody else has decided. */
  decide(id: string, decision: Decision): Promise<boolean>;
  /** Pauses it or lets it go on, also one that has not begun yet; false: it is so already. */
  setPaused(id: string, paused: boolean): Promise<boolean>;
}

export function workflowsIn(db: Kysely<Tables>): WorkflowRepository {
  return {
    begin: (run, spec) => begin(db, run, spec),

    async advance({ id, epoch, steps, spec, waiting }) {
      const json = toJson(spec);
      const { rows } = await sql<{ paused_at: Date | null }>`
        with ${ownership({ id, epoch })},
        alive as (
          update requests set deaths = 0 from owned
          where requests.id = owned.id and deaths > 0 and ${steps.some(({ status }) => hasEnded(status))}::boolean
        ),
        flags as (
          update workflows set waiting = ${waiting}, spec = coalesce(${json}::text::jsonb, spec)
          from owned
          where request_id = owned.id and (waiting <> ${waiting}::boolean or ${json}::text is not null)
        ),
        written as (${upsertSteps(id, steps)})
        select paused_at from workflows join owned on owned.id = request_id`.execute(db);
      return rows[0] && { pausedAt: rows[0].paused_at ?? undefined };
    },

    async specsByIds(ids) {
      const rows = await db
        .selectFrom('workflows')
        .select(['request_id', 'spec', 'paused_at'])
        .where(sql<boolean>`request_id = any(${uuidsIn(ids)}::uuid[])`)
        .execute();
      return byId(
        ids,
        rows,
        row => row.request_id,
        row => ({ spec: row.spec as WorkflowSpec, pausedAt: row.paused_at ?? undefined }),
      );
    },

    ...stepReadsIn(db),
    ...decisionsIn(db),
    ...stepRequestsIn(db),
  };
}

function stepReadsIn(db: Kysely<Tables>) {
  return {
    async stepsByIds(ids) {
      const rows = await db
        .selectFrom('workflow_steps')
        .selectAll()
        .where(sql<boolean>`workflow_id = any(${uuidsIn(ids)}::uuid[])`)
        .where('item', '=', -1)
        .execute();
      const byRun = Map.groupBy(rows, row => row.workflow_id);
      return ids.map(id => (byRun.get(id) ?? []).map(toStepState));
    },

    async items(id, stepId, from, limit) {
      const rows = await db
        .selectFrom('workflow_steps')
        .selectAll()
        .where('workflow_id', '=', id)
        .where('step_id', '=', stepId)
        .where('item', '>=', Math.max(0, from))
        .orderBy('item')
        .limit(limit)
        .execute();
      return rows.map(toStepState);
    },

    async itemCounts(id) {
      const { rows } = await sql<{ step_id: string; total: number; ended: number }>`
        select step_id, count(*)::integer as total,
          (count(*) filter (where status in ('SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELLED')))::integer as ended
        from workflow_steps where workflow_id = ${id}::uuid and item >= 0 group by step_id`.execute(db);
      return new Map(rows.map(({ step_id, total, ended }) => [step_id, { total, ended }]));
    },
  } satisfies Partial<WorkflowRepository>;
}

function decisionsIn(db: Kysely<Tables>) {
  return {
    async decisions(id) {
      const rows = await db
        .selectFrom('workflow_steps')
        .select(['step_id', 'decision', 'decided_by', 'comment'])
        .where('workflow_id', '=', id)
        .where('item', '=', -1)
        .where('status', '=', 'WAITING')
        .where('decision', 'is not', null)
        .execute();
      return rows.map(row => ({
        stepId: row.step_id,
        approved: row.decision === 'APPROVED',
        by: row.decided_by ?? '',
        comment: row.comment ?? undefined,
      }));
    },

    async decide(id, { stepId, approved, by, comment }) {
      const decided = await db
        .updateTable('workflow_steps')
        .set({ decision: approved ? 'APPROVED' : 'REJECTED', decided_by: by, comment: comment ?? null })
        .where('workflow_id', '=', id)
        .where('step_id', '=', stepId)
        .where('item', '=', -1)
        .where('status', '=', 'WAITING')
        .where('decision', 'is', null)
        .returning('step_id')
        .executeTakeFirst();
      return decided !== undefined;
    },

    async setPaused(id, paused) {
      const { rows } = await (paused
        ? sql`
          insert into workflows as held (request_id, spec, paused_at)
          select request_id, spec -> 'workflow', now() from request_bodies
          where request_id = ${id}::uuid and spec -> 'workflow' is not null
          on conflict (request_id) do update set paused_at = now() where held.paused_at is null
          returning request_id`
        : sql`
          update workflows set paused_at = null where request_id = ${id}::uuid and paused_at is not null
          returning request_id`
      ).execute(db);
      return rows.length > 0;
    },
  } satisfies Partial<WorkflowRepository>;
}

async function begin(
  db: Kysely<Tables>,
  run: RunOwnership,
  spec: WorkflowSpec,
): Promise<StoredRun | undefined> {
  const { reuse } = spec;
  // A run whose content was deleted meanwhile has no results any more: what made them is run again.
  const { rows } = await sql<{ user_id: string; api_key_id: string | null }>`
    with ${ownership(run)},
    begun as (
      insert into workflows (request_id, spec) select id, ${toJson(spec)}::text::jsonb from owned
      on conflict (request_id) do nothing
    ),
    reused as (
      insert into workflow_steps (workflow_id, step_id, item, status, request_id, tries, input, output, note, reused,
        started_at, finished_at)
      select owned.id, step_id, item, status, earlier.request_id, tries, input, output, note, true,
        started_at, finished_at
      from workflow_steps as earlier, owned
      where workflow_id = ${reuse?.requestId ?? null}::uuid and exists (
        select from requests as source where source.id = workflow_id and source.content_deleted_at is null
      ) and (
        (step_id = any(${reuse?.steps ?? []}::text[]) and status in ('SUCCEEDED', 'FAILED'))
        or (step_id = any(${reuse?.items ?? []}::text[]) and item >= 0 and status = 'SUCCEEDED')
      )
      on conflict do nothing
    )
    select user_id, api_key_id from owned`.execute(db);
  const [owned] = rows;
  if (!owned) return undefined;
  const stored = await db
    .selectFrom('workflows')
    .select(['spec', 'paused_at'])
    .where('request_id', '=', run.id)
    .executeTakeFirstOrThrow();
  const steps = await db.selectFrom('workflow_steps').selectAll().where('workflow_id', '=', run.id).execute();
  return {
    spec: stored.spec as WorkflowSpec,
    pausedAt: stored.paused_at ?? undefined,
    steps: steps.map(toStepState),
    userId: owned.user_id,
    apiKeyId: owned.api_key_id ?? undefined,
  };
}

/** Locked until the end of the statement, so that nobody takes the request over meanwhile. */
function ownership({ id, epoch }: RunOwnership): RawBuilder<unknown> {
  return sql`owned as (
    select id, user_id, api_key_id from requests
    where id = ${id}::uuid and epoch = ${epoch} and status = 'RUNNING' for no key update
  )`;
}
