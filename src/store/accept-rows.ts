// The statements of the acceptance: what inserts requests, and what says why one was not inserted.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import { promptOf } from '../domain/request.ts';
import { texts, timestamps, uuids } from './binary.ts';
import type { Row } from './group-commit.ts';
import { specAsJson, toJson } from './json.ts';
import { prepared } from './prepared.ts';
import type { AcceptResult, KeyUse, KnownRequest, NewRequest } from './store.ts';
import type { Tables } from './tables.ts';

export type NewRow = Row<NewRequest>;

/** What a request is to hold of each of these budgets. */
export interface Holding {
  readonly reservedNanoUsd: bigint;
  readonly budgetIds: readonly string[];
}

/** What is not an id or a time. The prompt is nearly always the last message, and then not said twice. */
export function encode({ spec, ...request }: NewRequest): string {
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

/** The places of those that were not inserted, from 1 on: hardly ever any. None is, unless budgets are as of `version`. */
export function insert(
  db: Kysely<Tables>,
  rows: readonly NewRow[],
  version: bigint,
): Promise<ReadonlySet<number>> {
  const isCurrent = sql`coalesce((select version from budget_changes), 0) = ${version}::bigint`;
  return insertBatch(db, { name: 'accept', rows, batch: batchOf(rows), isCurrent });
}

/** The same for requests under budgets, in the transaction that has locked these. Absent: it holds nothing. */
export function insertHolding(
  db: Kysely<Tables>,
  rows: readonly NewRow[],
  holdings: readonly (Holding | undefined)[],
): Promise<ReadonlySet<number>> {
  return insertBatch(db, { name: 'accept_holding', rows, batch: batchOf(rows, holdings), holds: true });
}

interface Batch {
  readonly name: string;
  readonly rows: readonly NewRow[];
  readonly batch: RawBuilder<unknown>;
  readonly isCurrent?: RawBuilder<unknown>;
  readonly holds?: boolean;
}

async function insertBatch(
  db: Kysely<Tables>,
  { name, rows, batch, isCurrent = sql`true`, holds = false }: Batch,
): Promise<ReadonlySet<number>> {
  const keyed = rows.some(isKeyed);
  // Every instance takes keys and ids in the same order, so that two of them cannot wait for each other.
  const takeKeys = sql`
    taken as (
      insert into idempotency_keys as held (user_id, key, input_hash, request_id, expires_at)
      select distinct on (user_id, key) user_id, key, input_hash, id, now() + interval '24 hours'
      from batch where key is not null and ${isCurrent}
      order by user_id, key, ordinality
      on conflict (user_id, key) do update
        set input_hash = excluded.input_hash, request_id = excluded.request_id, expires_at = excluded.expires_at
        where held.expires_at < now()
      returning request_id
    ),`;
  const held = holds ? sql`, reserved_nano_usd, budget_ids` : sql``;
  const { rows: refused } = await sql<{ place: number }>`${prepared(keyed ? `${name}_keyed` : name)}
    with batch as (${batch}),${keyed ? takeKeys : sql``}
    accepted as (
      insert into requests (id, user_id, api_key_id, parent_id, step, status, task_type, priority, prefer_local, strategy,
        requested_model, owner, epoch, deployment_id, created_at, started_at${held})
      select id, user_id, api_key_id, parent_id, step, status, task_type, priority, prefer_local, strategy,
        requested_model, owner, epoch, deployment_id, created_at, started_at${held}
      from batch where ${isCurrent}${keyed ? sql` and (key is null or id in (select request_id from taken))` : sql``}
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
function batchOf(rows: readonly NewRow[], holdings?: readonly (Holding | undefined)[]): RawBuilder<unknown> {
  const values = rows.map(row => row.value);
  const held = holdings && {
    columns: sql`, held::bigint as reserved_nano_usd, budgets::uuid[] as budget_ids`,
    names: sql`, held, budgets`,
    values: sql`,
      ${texts(holdings.map(holding => holding?.reservedNanoUsd.toString()))}::text[],
      ${texts(holdings.map(holding => holding && `{${holding.budgetIds}}`))}::text[]`,
  };
  const nothing = sql``;
  return sql`
    select id, user_id, api_key_id, (spec -> 'step' ->> 'workflowId')::uuid as parent_id,
      spec -> 'step' ->> 'step' as step, said ->> 'status' as status, spec ->> 'taskType' as task_type,
      (spec ->> 'priority')::smallint as priority, (spec ->> 'preferLocal')::boolean as prefer_local,
      spec ->> 'strategy' as strategy, spec ->> 'model' as requested_model, said ->> 'owner' as owner,
      (said ->> 'epoch')::integer as epoch, said ->> 'to' as deployment_id, created_at,
      case said ->> 'status' when 'RUNNING' then created_at end as started_at,
      said ->> 'key' as key, said ->> 'hash' as input_hash, spec,
      coalesce(said ->> 'prompt', spec -> 'messages' -> -1 ->> 'content') as prompt,
      ordinality${held?.columns ?? nothing}
    from (
      select *, said -> 'spec' as spec from (
        select *, json::jsonb as said from unnest(
          ${uuids(values.map(value => value.id))}::uuid[],
          ${uuids(values.map(value => value.userId))}::uuid[],
          ${uuids(values.map(value => value.apiKeyId))}::uuid[],
          ${timestamps(values.map(value => value.createdAt))}::timestamptz[],
          ${texts(rows.map(row => row.json))}::text[]${held?.values ?? nothing}
        ) with ordinality as row (id, user_id, api_key_id, created_at, json${held?.names ?? nothing}, ordinality)
        offset 0
      ) as parsed
      offset 0
    ) as taken_apart`;
}

/** Why the insert made no row: it was made before, or the key belongs to an earlier request; undefined: neither. */
export async function explainRefusals(
  db: Kysely<Tables>,
  rows: readonly NewRow[],
): Promise<(AcceptResult | Error | undefined)[]> {
  if (rows.length === 0) return [];
  const asked = rows.map(({ value }) => ({ id: value.id, user_id: value.userId, key: value.idempotencyKey }));
  const { rows: found } = await sql<FoundRow>`
    select same.user_id, same.owner, same.epoch, same.finished_at, same.reserved_nano_usd,
      held.input_hash, held.request_id
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
  readonly reserved_nano_usd: bigint | number | string | null;
  readonly input_hash: string | null;
  readonly request_id: string | null;
}

function explain(request: NewRequest, found: FoundRow): AcceptResult | Error | undefined {
  if (found.user_id === null) return found.request_id === null ? undefined : knownRequest(request, found);
  if (found.user_id !== request.userId) return new Error(`The id ${request.id} belongs to another request`);
  // Sent again: as it was accepted only while nobody else took it and it has not ended.
  const untouched =
    found.owner === (request.owner ?? null) && found.epoch === request.epoch && found.finished_at === null;
  if (!untouched) return { outcome: 'duplicate', requestId: request.id };
  return acceptedWith(found.reserved_nano_usd === null ? undefined : BigInt(found.reserved_nano_usd));
}

export function acceptedWith(reservedNanoUsd: bigint | undefined): AcceptResult {
  return { outcome: 'accepted', ...(reservedNanoUsd !== undefined && { reservedNanoUsd }) };
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

export function isKeyed({ value }: NewRow): boolean {
  return value.idempotencyKey !== undefined;
}
