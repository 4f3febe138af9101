// Runs of workflows: the states of their steps. They are moved on by the owner of the workflow's request alone: every
// write holds that request's row at the owner's epoch, and what has ended is never written again. A run in which only
// people can act has no owner; what they do gives it back to the queue.

import { type Kysely, sql } from 'kysely';
import {
  hasEnded,
  pendingState,
  type StepSpec,
  type StepState,
  type WorkflowSpec,
} from '../domain/workflow.ts';
import { byId, uuidsIn } from './ids.ts';
import { toJson } from './json.ts';
import type { Tables } from './tables.ts';
import { type PeopleRepository, peopleIn } from './workflow-people.ts';
import { type StepRequestReads, stepRequestsIn } from './workflow-requests.ts';
import { ownership, type RunOwnership, toStepState, upsertSteps } from './workflow-rows.ts';

export type { Acts, Decision, Parking } from './workflow-people.ts';
export type { Spending } from './workflow-requests.ts';
export type { RunOwnership } from './workflow-rows.ts';

export interface StoredRun {
  readonly spec: WorkflowSpec;
  readonly pausedAt: Date | undefined;
  /** How often people have acted on it. */
  readonly acts: number;
  readonly steps: readonly StepState[];
  /** On whose behalf its steps are requested. */
  readonly userId: string;
  readonly apiKeyId: string | undefined;
}

export interface StoredStep {
  readonly spec: StepSpec;
  readonly state: StepState;
}

export interface RunChange extends RunOwnership {
  readonly steps: readonly StepState[];
  /** The steps that were planned; absent: they stay as they are. */
  readonly spec?: WorkflowSpec | undefined;
}

export interface WorkflowRepository extends StepRequestReads, PeopleRepository {
  /**
   * The run as it is, begun with these when it had not begun; results of an earlier run that are to be reused are
   * taken over. Undefined: somebody else owns it.
   */
  begin(run: RunOwnership, spec: WorkflowSpec): Promise<StoredRun | undefined>;
  /**
   * Writes states, all or none, and tells whether the run is paused. States that have ended stay as they are.
   * Undefined: somebody else owns it, and nothing was written.
   */
  advance(change: RunChange): Promise<Pick<StoredRun, 'pausedAt' | 'acts'> | undefined>;
  /** Undefined for what is no workflow, or has not begun. */
  specsByIds(ids: readonly string[]): Promise<(Pick<StoredRun, 'spec' | 'pausedAt'> | undefined)[]>;
  /** One step, without its items. Undefined: the run has not begun, or has no such step. */
  step(id: string, stepId: string): Promise<StoredStep | undefined>;
  /** The steps of each in no order, without the items of lists. */
  stepsByIds(ids: readonly string[]): Promise<StepState[][]>;
  /** Items of one step from number `from` on, in their order. */
  items(id: string, stepId: string, from: number, limit: number): Promise<StepState[]>;
  /** Of each fan-out of a run, how many items there are and how many have ended. */
  itemCounts(id: string): Promise<ReadonlyMap<string, { readonly total: number; readonly ended: number }>>;
}

export function workflowsIn(db: Kysely<Tables>): WorkflowRepository {
  return {
    begin: (run, spec) => begin(db, run, spec),

    async advance({ id, epoch, steps, spec }) {
      const json = toJson(spec);
      const { rows } = await sql<{ paused_at: Date | null; acts: number }>`
        with ${ownership({ id, epoch })},
        alive as (
          update requests set deaths = 0 from owned
          where requests.id = owned.id and deaths > 0 and ${steps.some(({ status }) => hasEnded(status))}::boolean
        ),
        planned as (
          update workflows set spec = ${json}::text::jsonb from owned
          where request_id = owned.id and ${json}::text is not null
        ),
        written as (${upsertSteps(id, steps)})
        select paused_at, acts from workflows join owned on owned.id = request_id`.execute(db);
      return rows[0] && { pausedAt: rows[0].paused_at ?? undefined, acts: rows[0].acts };
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
    ...peopleIn(db),
    ...stepRequestsIn(db),
  };
}

function stepReadsIn(db: Kysely<Tables>) {
  return {
    async step(id, stepId) {
      const [specs, row] = await Promise.all([
        sql<{ spec: StepSpec }>`
          select each.spec from workflows, jsonb_array_elements(workflows.spec -> 'steps') as each (spec)
          where request_id = ${id}::uuid and each.spec ->> 'id' = ${stepId}`.execute(db),
        db
          .selectFrom('workflow_steps')
          .selectAll()
          .where('workflow_id', '=', id)
          .where('step_id', '=', stepId)
          .where('item', '=', -1)
          .executeTakeFirst(),
      ]);
      const [found] = specs.rows;
      return found && { spec: found.spec, state: row ? toStepState(row) : pendingState(stepId) };
    },

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
  // How often people have acted is read before what they did: an act between the two is looked for later.
  const stored = await db
    .selectFrom('workflows')
    .select(['spec', 'paused_at', 'acts'])
    .where('request_id', '=', run.id)
    .executeTakeFirstOrThrow();
  const steps = await db.selectFrom('workflow_steps').selectAll().where('workflow_id', '=', run.id).execute();
  return {
    spec: stored.spec as WorkflowSpec,
    pausedAt: stored.paused_at ?? undefined,
    acts: stored.acts,
    steps: steps.map(toStepState),
    userId: owned.user_id,
    apiKeyId: owned.api_key_id ?? undefined,
  };
}
