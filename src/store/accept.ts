// The acceptance of a request: row, body and idempotency key in one statement, so that they are durable together.
// The statement may be sent again after an unclear end: what exists already is recognised, not doubled.

import { type Kysely, sql } from 'kysely';
import { promptOf } from '../domain/request.ts';
import { toJson } from './json.ts';
import type { AcceptResult, KeyUse, KnownRequest, NewRequest } from './store.ts';
import type { Tables } from './tables.ts';

/** Expired keys removed by each request that brings one: the table never holds more than a day's keys for long. */
const PURGED_PER_KEY = 10;
/** A key that was met may expire or be removed before it is read; then it is free and the insert is tried again. */
const TRIES = 5;

export async function acceptRequest(db: Kysely<Tables>, request: NewRequest): Promise<AcceptResult> {
  for (let tries = 1; tries <= TRIES; tries++) {
    if (await insert(db, request)) return { outcome: 'accepted' };
    const known = await explainRefusal(db, request);
    if (known) return known;
  }
  throw new Error(`The request ${request.id} could neither be inserted nor found`);
}

async function insert(db: Kysely<Tables>, request: NewRequest): Promise<boolean> {
  const { id, userId, spec, idempotencyKey } = request;
  const keyed = idempotencyKey !== undefined;
  const takeKey = sql`
    purged as (
      delete from idempotency_keys where (user_id, key) in (
        select user_id, key from idempotency_keys
        where expires_at < now() and (user_id, key) <> (${userId}::uuid, ${idempotencyKey}::text)
        limit ${sql.lit(PURGED_PER_KEY)} for update skip locked
      )
    ),
    taken as (
      insert into idempotency_keys as held (user_id, key, input_hash, request_id, expires_at)
      values (${userId}::uuid, ${idempotencyKey}::text, ${request.inputHash}::text, ${id}::uuid, now() + interval '24 hours')
      on conflict (user_id, key) do update
        set input_hash = excluded.input_hash, request_id = excluded.request_id, expires_at = excluded.expires_at
        where held.expires_at < now()
      returning request_id
    ),`;
  const { rows } = await sql<{ id: string }>`
    with ${keyed ? takeKey : sql``}
    accepted as (
      insert into requests (id, user_id, api_key_id, status, task_type, priority, prefer_local, strategy,
        requested_model, owner, epoch, created_at, started_at)
      select ${id}::uuid, ${userId}::uuid, ${request.apiKeyId ?? null}::uuid, ${request.status}::text,
        ${spec.taskType}::text, ${spec.priority}::smallint, ${spec.preferLocal}::boolean, ${spec.strategy}::text,
        ${spec.model ?? null}::text, ${request.owner ?? null}::text, ${request.epoch}::integer, ${request.createdAt}::timestamptz,
        ${request.status === 'RUNNING' ? request.createdAt : null}::timestamptz
      ${keyed ? sql`where exists (select from taken)` : sql``}
      on conflict (id) do nothing
      returning id
    ),
    body as (
      insert into request_bodies (request_id, spec, prompt)
      select id, ${toJson(spec)}::text::jsonb, ${promptOf(spec.messages)}::text from accepted
    )
    select id from accepted`.execute(db);
  return rows.length > 0;
}

/** Why the insert made no row: it was made before, or the key belongs to an earlier request. */
async function explainRefusal(db: Kysely<Tables>, request: NewRequest): Promise<AcceptResult | undefined> {
  const same = await db
    .selectFrom('requests')
    .select(['user_id', 'owner', 'epoch', 'finished_at'])
    .where('id', '=', request.id)
    .executeTakeFirst();
  if (same) {
    if (same.user_id !== request.userId) throw new Error(`The id ${request.id} belongs to another request`);
    // Sent again: as it was accepted only while nobody else took it and it has not ended.
    const untouched =
      same.owner === (request.owner ?? null) && same.epoch === request.epoch && same.finished_at === null;
    return untouched ? { outcome: 'accepted' } : { outcome: 'duplicate', requestId: request.id };
  }
  return request.idempotencyKey === undefined
    ? undefined
    : requestOfKey(db, { ...request, idempotencyKey: request.idempotencyKey });
}

/** The request that the caller's key made, and whether from the same input; undefined while the key is free. */
export async function requestOfKey(db: Kysely<Tables>, use: KeyUse): Promise<KnownRequest | undefined> {
  const held = await db
    .selectFrom('idempotency_keys')
    .select(['input_hash', 'request_id'])
    .where('user_id', '=', use.userId)
    .where('key', '=', use.idempotencyKey)
    .where('expires_at', '>=', sql<Date>`now()`)
    .executeTakeFirst();
  if (!held) return undefined;
  const outcome = held.input_hash === use.inputHash ? 'duplicate' : 'conflict';
  return { outcome, requestId: held.request_id };
}
