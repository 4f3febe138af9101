// Each entry of the audit log carries a hash over itself and the entry before it, so that whoever changes, removes or
// inserts one later has to change all that follow, and the head. The database itself refuses changes of entries.

import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';

const BEFORE = [
  `create table audit_chain (
    only_one boolean primary key default true check (only_one),
    sequence bigint not null,
    hash text not null
  )`,
  'alter table audit_events add column sequence bigint, add column hash text',
];

const AFTER = [
  'alter table audit_events alter column sequence set not null, alter column hash set not null',
  'create unique index audit_events_by_sequence on audit_events (sequence)',
  `create function refuse_audit_change() returns trigger language plpgsql as $$
    begin raise exception 'the audit log is append-only' using errcode = 'integrity_constraint_violation'; end $$`,
  `create trigger audit_events_append_only before update or delete on audit_events
    for each row execute function refuse_audit_change()`,
];

interface Entry {
  readonly id: string;
  readonly at: Date;
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly action: string;
  readonly subject: string | null;
  readonly reason: string | null;
  readonly data: unknown;
}

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of BEFORE) await sql.raw(statement).execute(db);
  let head = { sequence: 0, hash: '0'.repeat(64) };
  // Read whole: what there is of it comes from people and logins, and this runs once.
  const { rows } = await sql<Entry>`select * from audit_events order by id`.execute(db);
  for (const entry of rows) {
    const sequence = head.sequence + 1;
    head = { sequence, hash: hashOf(head.hash, sequence, entry) };
    await sql`update audit_events set sequence = ${sequence}, hash = ${head.hash} where id = ${entry.id}`.execute(
      db,
    );
  }
  await sql`insert into audit_chain (sequence, hash) values (${head.sequence}, ${head.hash})`.execute(db);
  for (const statement of AFTER) await sql.raw(statement).execute(db);
}

/** As domain/audit-chain.ts had it when this migration was written: a migration does not change with the code. */
function hashOf(previous: string, sequence: number, entry: Entry): string {
  const { id, at, actor_id, actor_name, action, subject, reason, data } = entry;
  const said = [
    previous,
    sequence,
    id,
    at.toISOString(),
    actor_id,
    actor_name,
    action,
    subject,
    reason,
    data ?? null,
  ];
  return createHash('sha256')
    .update(JSON.stringify(sorted(said)))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map(name => [name, sorted((value as Record<string, unknown>)[name])]));
}
