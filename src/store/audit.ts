// The record of administrative and security-relevant acts: appended, read in pages, never changed.

import { type Kysely, type Selectable, sql } from 'kysely';
import type { AuditEvent } from '../domain/audit.ts';
import { toJson } from './json.ts';
import { keysetPage } from './keyset.ts';
import type { AuditRepository } from './store.ts';
import type { AuditEventsTable, Tables } from './tables.ts';

export function auditIn(db: Kysely<Tables>): AuditRepository {
  return {
    async append(event) {
      await db
        .insertInto('audit_events')
        .values({
          id: event.id,
          at: event.at,
          actor_id: event.actorId ?? null,
          actor_name: event.actorName ?? null,
          action: event.action,
          subject: event.subject ?? null,
          reason: event.reason ?? null,
          data: sql<string | null>`${toJson(event.data)}::text::jsonb`,
        })
        .execute();
    },

    async page({ action, actorId }, query) {
      const page = await keysetPage(query, (condition, direction, limit) =>
        db
          .selectFrom('audit_events')
          .selectAll()
          .where(condition)
          .$if(action !== undefined, rows => rows.where('action', '=', action!))
          .$if(actorId !== undefined, rows => rows.where('actor_id', '=', actorId!))
          .orderBy('id', direction)
          .limit(limit)
          .execute(),
      );
      return { ...page, rows: page.rows.map(toAuditEvent) };
    },
  };
}

function toAuditEvent(row: Selectable<AuditEventsTable>): AuditEvent {
  return {
    id: row.id,
    at: row.at,
    actorId: row.actor_id ?? undefined,
    actorName: row.actor_name ?? undefined,
    action: row.action,
    subject: row.subject ?? undefined,
    reason: row.reason ?? undefined,
    data: row.data ?? undefined,
  };
}
