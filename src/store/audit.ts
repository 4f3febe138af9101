// The record of administrative and security-relevant acts: appended to a chain, read in pages, never changed.

import { type Kysely, type Selectable, type SqlBool, sql } from 'kysely';
import type { AuditEvent } from '../domain/audit.ts';
import { type ChainedAuditEvent, type ChainLink, nextLink } from '../domain/audit-chain.ts';
import { toGlobalId } from '../domain/ids.ts';
import { storableText, toJson } from './json.ts';
import { keysetPage } from './keyset.ts';
import type { AuditRepository } from './store.ts';
import type { AuditEventsTable, Tables } from './tables.ts';
import { inTransaction } from './transaction.ts';

const PAGE = 500;

export function auditIn(db: Kysely<Tables>): AuditRepository {
  const appendAll = (events: readonly AuditEvent[]) => inTransaction(db, inside => append(inside, events));
  return {
    append: event => appendAll([event]),
    appendAll,

    async page({ action, actorId, aboutUserId, subject, from, to }, query) {
      const page = await keysetPage(query, (condition, direction, limit) =>
        db
          .selectFrom('audit_events')
          .selectAll()
          .where(condition)
          .$if(action !== undefined, rows => rows.where('action', '=', action!))
          .$if(actorId !== undefined, rows => rows.where('actor_id', '=', actorId!))
          .$if(subject !== undefined, rows => rows.where('subject', '=', subject!))
          .$if(from !== undefined, rows => rows.where('at', '>=', from!))
          .$if(to !== undefined, rows => rows.where('at', '<', to!))
          .$if(aboutUserId !== undefined, rows => rows.where(isAbout(aboutUserId!)))
          .orderBy('id', direction)
          .limit(limit)
          .execute(),
      );
      return { ...page, rows: page.rows.map(toAuditEvent) };
    },

    async *chain() {
      for (let last = 0; ; ) {
        const rows = await db
          .selectFrom('audit_events')
          .selectAll()
          .where('sequence', '>', String(last))
          .orderBy('sequence')
          .limit(PAGE)
          .execute();
        yield* rows.map(toAuditEvent);
        if (rows.length < PAGE) return;
        last = Number(rows.at(-1)!.sequence);
      }
    },

    async head() {
      const row = await db.selectFrom('audit_chain').select(['sequence', 'hash']).executeTakeFirst();
      return row && toLink(row);
    },
  };
}

/** As in the indexes: an entry about a request or a key has the id of its owner among its facts. */
function isAbout(userId: string) {
  return sql<SqlBool>`(actor_id = ${userId} or subject = ${toGlobalId('user', userId)} or data ->> 'userId' = ${userId})`;
}

/** One after the other: the head stays locked until the transaction ends, so whatever else it locks must come before. */
async function append(db: Kysely<Tables>, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  const locked = await db
    .selectFrom('audit_chain')
    .select(['sequence', 'hash'])
    .forUpdate()
    .executeTakeFirst();
  // Whoever took it away shall not get away with a chain that begins anew.
  if (!locked) throw new Error('The end of the audit log is lost: run `mcplane audit verify`');
  let head = toLink(locked);
  const rows = events.map(event => {
    const json = toJson(event.data);
    head = nextLink(head, asStored(event, json));
    return toRow(event, json, head);
  });
  await db.insertInto('audit_events').values(rows).execute();
  await db
    .updateTable('audit_chain')
    .set({ sequence: String(head.sequence), hash: head.hash })
    .execute();
}

function toRow(event: AuditEvent, json: string | null, { sequence, hash }: ChainLink) {
  return {
    id: event.id,
    at: event.at,
    actor_id: event.actorId ?? null,
    actor_name: event.actorName ?? null,
    action: event.action,
    subject: event.subject ?? null,
    reason: event.reason ?? null,
    data: sql<string | null>`${json}::text::jsonb`,
    sequence: String(sequence),
    hash,
  };
}

function asStored(event: AuditEvent, json: string | null): AuditEvent {
  const text = (value: string | undefined) => value && storableText(value);
  return {
    id: event.id,
    at: event.at,
    actorId: text(event.actorId),
    actorName: text(event.actorName),
    action: storableText(event.action),
    subject: text(event.subject),
    reason: text(event.reason),
    data: json === null ? undefined : JSON.parse(json),
  };
}

function toLink({ sequence, hash }: { sequence: string | number | bigint; hash: string }): ChainLink {
  return { sequence: Number(sequence), hash };
}

function toAuditEvent(row: Selectable<AuditEventsTable>): ChainedAuditEvent {
  return {
    ...toLink(row),
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
