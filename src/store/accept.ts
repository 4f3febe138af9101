// The acceptance of requests: rows, bodies and idempotency keys in one statement, so that they are durable together,
// and those that come at the same time in one statement too. It may be sent again after an unclear end: what exists
// already is recognised, not doubled.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import { promptOf } from '../domain/request.ts';
import { texts, timestamps, uuids } from './binary.ts';
import { groupCommit, type Row } from './group-commit.ts';
import { specAsJson, toJson } from './json.ts';
import { prepared } from './prepared.ts';
import type { AcceptResult, KeyUse, KnownRequest, NewRequest } from './store.ts';
import type { Tables } from './tables.ts';

/** Expired keys are removed once for so many new ones, twice as many: the table never holds more than a day's for long. */
const KEYS_PER_PURGE = 100;
/** A key that was met may expire or be removed before it is read; then it is free and the insert is tried again. */
const TRIES = 5;

type NewRow = Row<NewRequest>;

/** Resolves with `accepted` once the request is durable. */
export function acceptIn(db: Kysely<Tables>): (request: NewRequest) => Promise<AcceptResult> {
  // In a transaction it would keep its locks until the end, and others waiting for them.
  let newKeys = db.isTransaction ? Number.NEGATIVE_INFINITY : KEYS_PER_PURGE;

  return groupCommit(encode, async rows => {
    const results = await acceptAll(db, rows);
    newKeys += rows.filter(isKeyed).length;
    if (newKeys >= KEYS_PER_PURGE && rows.some(isKeyed)) {
      // An expired key that is still there is taken over as if it were not, so nobody has to know of a failure.
      await purgeKeys(db, newKeys * 2).catch(() => {});
      newKeys = 0;
    }
    return results;
  });
}

/** What is not an id or a time. The prompt is nearly always the last message, and then not said twice. */
function encode({ spec, ...request }: NewRequest): string {
  const prompt = promptOf(spec.messages);
  return toJson({
    spec: specAsJson(spec),
    prompt: prompt === spec.messages.at(-1)?.content ? undefined : prompt,
    status: request.status,
    owner: request.owner,
    epoch: request.epoch,
    to: request.deploymentId,
    key: request.idempotencyKey,
    hash: request.idempotencyKey === undefined ? undefined : request.inputHash,
  }) as string;
}

async function acceptAll(db: Kysely<Tables>, rows: readonly NewRow[]): Promise<(AcceptResult | Error)[]> {
  const others = new Map<NewRow, AcceptResult | Error>();
  let open = rows;
  for (let tries = 1; tries <= TRIES && open.length > 0; tries++) {
    const refused = await insert(db, open);
    open = open.filter((_, index) => refused.has(index + 1));
    for (const [index, known] of (await explainRefusals(db, open)).entries())
      if (known) others.set(open[index]!, known);
    open = open.filter(row => !others.has(row));
  }
  for (const row of open)
    others.set(row, new Error(`The request ${row.value.id} could neither be inserted nor found`));
  return rows.map(row => others.get(row) ?? { outcome: 'accepted' });
}

/** The places of those that were not inserted, from 1 on: hardly ever any. */
async function insert(db: Kysely<Tables>, rows: readonly NewRow[]): Promise<ReadonlySet<number>> {
  const keyed = rows.some(isKeyed);
  // Every instance takes keys and ids in the same order, so that two of them cannot wait for each other.
  const takeKeys = sql`
    taken as (
      insert into idempotency_keys as held (user_id, key, input_hash, request_id, expires_at)
      select distinct on (user_id, key) user_id, key, input_hash, id, now() + interval '24 hours'
      from batch where key is not null
      order by user_id, key, ordinality
      on conflict (user_id, key) do update
        set input_hash = excluded.input_hash, request_id = excluded.request_id, expires_at = excluded.expires_at
        where held.expires_at < now()
      returning request_id
    ),`;
  const { rows: refused } = await sql<{ place: number }>`${prepared(keyed ? 'accept_keyed' : 'accept')}
    with batch as (${batchOf(rows)}),${keyed ? takeKeys : sql``}
    accepted as (
      insert into requests (id, user_id, api_key_id, parent_id, step, status, task_type, priority, prefer_local, strategy,
        requested_model, owner, epoch, deployment_id, created_at, started_at)
      select id, user_id, api_key_id, parent_id, step, status, task_type, priority, prefer_local, strategy,
        requested_model, owner, epoch, deployment_id, created_at, started_at
      from batch ${keyed ? sql`where key is null or id in (select request_id from taken)` : sql``}
      order by id
      on conflict (id) do nothing
      returning id
    ),
    body as (
      insert into request_bodies (request_id, spec, prompt)
      select id, spec, prompt from batch join accepted using (id)
    )
    select ordinality::integer as place from batch where id not in (select id from accepted)`.execute(db);
  return new Set(refused.map(({ place }) => place));
}

/**
 * The rows as they are inserted. Ids and times, which cost most to read from text, come as arrays, the rest as JSON;
 * without each `offset 0` that would be read again for every column.
 */
function batchOf(rows: readonly NewRow[]): RawBuilder<unknown> {
  const values = rows.map(row => row.value);
  return sql`
    select id, user_id, api_key_id, (spec -> 'step' ->> 'workflowId')::uuid as parent_id,
      spec -> 'step' ->> 'step' as step, said ->> 'status' as status, spec ->> 'taskType' as task_type,
      (spec ->> 'priority')::smallint as priority, (spec ->> 'preferLocal')::boolean as prefer_local,
      spec ->> 'strategy' as strategy, spec ->> 'model' as requested_model, said ->> 'owner' as owner,
      (said ->> 'epoch')::integer as epoch, said ->> 'to' as deployment_id, created_at,
      case said ->> 'status' when 'RUNNING' then created_at end as started_at,
      said ->> 'key' as key, said ->> 'hash' as input_hash, spec,
      coalesce(said ->> 'prompt', spec -> 'messages' -> -1 ->> 'content') as prompt, ordinality
    from (
      select *, said -> 'spec' as spec from (
        select *, json::jsonb as said from unnest(
          ${uuids(values.map(value => value.id))}::uuid[],
          ${uuids(values.map(value => value.userId))}::uuid[],
          ${uuids(values.map(value => value.apiKeyId))}::uuid[],
          ${timestamps(values.map(value => value.createdAt))}::timestamptz[],
          ${texts(rows.map(row => row.json))}::text[]
        ) with ordinality as row (id, user_id, api_key_id, created_at, json, ordinality)
        offset 0
      ) as parsed
      offset 0
    ) as taken_apart`;
}

/** Why the insert made no row: it was made before, or the key belongs to an earlier request; undefined: neither. */
async function explainRefusals(
  db: Kysely<Tables>,
  rows: readonly NewRow[],
): Promise<(AcceptResult | Error | undefined)[]> {
  if (rows.length === 0) return [];
  const asked = rows.map(({ value }) => ({ id: value.id, user_id: value.userId, key: value.idempotencyKey }));
  const { rows: found } = await sql<FoundRow>`
    select same.user_id, same.owner, same.epoch, same.finished_at, held.input_hash, held.request_id
    from rows from (
      jsonb_to_recordset(${toJson(asked)}::text::jsonb) as (id uuid, user_id uuid, key text)
    ) with ordinality as asked
    left join requests as same on same.id = asked.id
    left join idempotency_keys as held
      on held.user_id = asked.user_id and held.key = asked.key and held.expires_at >= now()
    order by ordinality`.execute(db);
  return rows.map(({ value }, index) => explain(value, found[index]!));
}

interface FoundRow {
  readonly user_id: string | null;
  readonly owner: string | null;
  readonly epoch: number | null;
  readonly finished_at: Date | null;
  readonly input_hash: string | null;
  readonly request_id: string | null;
}

function explain(request: NewRequest, found: FoundRow): AcceptResult | Error | undefined {
  if (found.user_id === null) return found.request_id === null ? undefined : knownRequest(request, found);
  if (found.user_id !== request.userId) return new Error(`The id ${request.id} belongs to another request`);
  // Sent again: as it was accepted only while nobody else took it and it has not ended.
  const untouched =
    found.owner === (request.owner ?? null) && found.epoch === request.epoch && found.finished_at === null;
  return untouched ? { outcome: 'accepted' } : { outcome: 'duplicate', requestId: request.id };
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
  return held && knownRequest(use, held);
}

function knownRequest(
  { inputHash }: { readonly inputHash: string },
  held: { readonly input_hash: string | null; readonly request_id: string | null },
): KnownRequest {
  const outcome = held.input_hash === inputHash ? 'duplicate' : 'conflict';
  return { outcome, requestId: held.request_id! };
}

function isKeyed({ value }: NewRow): boolean {
  return value.idempotencyKey !== undefined;
}

/** A statement of its own: it waits for no lock, and locks nothing that a request waits for. */
async function purgeKeys(db: Kysely<Tables>, atMost: number): Promise<void> {
  await sql`
    delete from idempotency_keys where (user_id, key) in (
      select user_id, key from idempotency_keys where expires_at < now()
      order by expires_at limit ${atMost}::bigint for update skip locked
    )`.execute(db);
}
