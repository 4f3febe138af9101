// Definitions of workflows that are kept to be run again. A version is never changed: a change is the next version.

import { type Kysely, type Selectable, sql } from 'kysely';
import type { WorkflowDefinition } from '../domain/workflow.ts';
import { byId, uuidsIn } from './ids.ts';
import { toJson } from './json.ts';
import { keysetPage } from './keyset.ts';
import type { Page, PageQuery } from './store.ts';
import type { Tables } from './tables.ts';
import type { WorkflowDefinitionsTable } from './workflow-tables.ts';

export interface WorkflowDefinitionRepository {
  /** Stores it as the next version of its owner's name; resolves with it, its version filled in. */
  create(definition: Omit<WorkflowDefinition, 'version'>): Promise<WorkflowDefinition>;
  byIds(ids: readonly string[]): Promise<(WorkflowDefinition | undefined)[]>;
  /**
   * The latest version of the name, or the one that is asked for: among the user's own, or, where the user has none of
   * that name, among those that are shared.
   */
  byName(userId: string, name: string, version: number | undefined): Promise<WorkflowDefinition | undefined>;
  /** Newest first; all versions of everybody, or those that one user has and that are shared. */
  page(userId: string | undefined, query: PageQuery): Promise<Page<WorkflowDefinition>>;
  /** All versions of that name; false: there were none. */
  delete(userId: string, name: string): Promise<boolean>;
}

export function workflowDefinitionsIn(db: Kysely<Tables>): WorkflowDefinitionRepository {
  return {
    async create({ id, userId, name, description, shared, workflow, createdAt }) {
      // Two at once want the same number: the second finds it taken and counts again.
      for (;;) {
        const { rows } = await sql<Selectable<WorkflowDefinitionsTable>>`
          insert into workflow_definitions (id, user_id, name, version, description, shared, spec, created_at)
          select ${id}::uuid, ${userId}::uuid, ${name}, coalesce(max(version), 0) + 1, ${description ?? null}::text,
            ${shared}::boolean, ${toJson(workflow)}::text::jsonb, ${createdAt}::timestamptz
          from workflow_definitions where user_id = ${userId}::uuid and name = ${name}
          on conflict (user_id, name, version) do nothing
          returning *`.execute(db);
        if (rows[0]) return toDefinition(rows[0]);
      }
    },

    async byIds(ids) {
      const rows = await db
        .selectFrom('workflow_definitions')
        .selectAll()
        .where(sql<boolean>`id = any(${uuidsIn(ids)}::uuid[])`)
        .execute();
      return byId(ids, rows, row => row.id, toDefinition);
    },

    async byName(userId, name, version) {
      const { rows } = await sql<Selectable<WorkflowDefinitionsTable>>`
        select * from workflow_definitions
        where name = ${name} and (
          user_id = ${userId}::uuid or shared and not exists (
            select from workflow_definitions as own where own.user_id = ${userId}::uuid and own.name = ${name}
          )
        ) and version = coalesce(${version ?? null}::integer, version)
        order by case when user_id = ${userId}::uuid then version end desc nulls last, created_at desc, id desc
        limit 1`.execute(db);
      return rows[0] && toDefinition(rows[0]);
    },

    async page(userId, query) {
      const page = await keysetPage(query, (condition, direction, limit) =>
        db
          .selectFrom('workflow_definitions')
          .selectAll()
          .where(condition)
          .$if(userId !== undefined, select =>
            select.where(either => either.or([either('user_id', '=', userId!), either('shared', '=', true)])),
          )
          .orderBy('id', direction)
          .limit(limit)
          .execute(),
      );
      return { ...page, rows: page.rows.map(toDefinition) };
    },

    async delete(userId, name) {
      const { numDeletedRows } = await db
        .deleteFrom('workflow_definitions')
        .where('user_id', '=', userId)
        .where('name', '=', name)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}

function toDefinition(row: Selectable<WorkflowDefinitionsTable>): WorkflowDefinition {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    version: row.version,
    description: row.description ?? undefined,
    shared: row.shared,
    workflow: row.spec as WorkflowDefinition['workflow'],
    createdAt: row.created_at,
  };
}
