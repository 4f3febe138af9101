// The wide parts of requests. A page of them can be a hundred times as large as anybody wants to hold in memory, so that
// a reader may say how much it takes: then rows come in the order of the ids, until what was read is over it, and the
// answer ends there. The first row comes always, and of those that are left out nothing is read.

import { type Kysely, sql } from 'kysely';
import type { RequestBody } from '../domain/request.ts';
import { byId, uuidsIn } from './ids.ts';
import { routingFromJson, specFromJson } from './json.ts';
import type { RequestRepository } from './store.ts';
import type { Tables } from './tables.ts';

interface BodyRow {
  readonly request_id: string;
  readonly spec: unknown;
  readonly output: string | null;
  readonly routing: unknown;
}

export function bodiesByIdsIn(db: Kysely<Tables>): RequestRepository['bodiesByIds'] {
  return async (ids, atMostBytes) => {
    if (atMostBytes !== undefined && ids.length > 1) return bodiesWithin(db, ids, atMostBytes);
    const rows: BodyRow[] = await db
      .selectFrom('request_bodies as body')
      .leftJoin('request_results as result', 'result.request_id', 'body.request_id')
      .select(['body.request_id', 'body.spec', 'result.output', 'result.routing'])
      .where(sql<boolean>`body.request_id = any(${uuidsIn(ids)}::uuid[])`)
      .execute();
    return byId(ids, rows, row => row.request_id, toBody);
  };
}

/** Row by row within the one statement, since the size of JSON is known only when it is read. */
async function bodiesWithin(db: Kysely<Tables>, ids: readonly string[], atMostBytes: number) {
  const asked = uuidsIn(ids);
  const { rows } = await sql<Record<keyof BodyRow, string | null>>`
    with recursive asked as (
      select id, place from unnest(${asked}::uuid[]) with ordinality as asked (id, place)
    ), taken as (
      select 0::bigint as place, null::uuid as request_id, null::text as spec, null::text as output,
        null::text as routing, 0::bigint as bytes
      union all
      select asked.place, body.request_id, body.spec, body.output, body.routing,
        taken.bytes + coalesce(octet_length(body.spec), 0) + coalesce(octet_length(body.output), 0)
          + coalesce(octet_length(body.routing), 0)
      from taken
      join asked on asked.place = taken.place + 1
      left join lateral (
        select body.request_id, body.spec::text as spec, result.output, result.routing::text as routing
        from request_bodies body left join request_results result using (request_id)
        where body.request_id = asked.id
        offset 0
      ) as body on true
      where taken.bytes <= ${atMostBytes}::bigint
    )
    select request_id, spec, output, routing from taken where place > 0 order by place`.execute(db);
  const bodies = byId(
    ids,
    rows.filter(row => row.request_id !== null),
    row => row.request_id!,
    ({ spec, output, routing }) => toBody({ spec: parsed(spec), output, routing: parsed(routing) }),
  );
  return untilTaken(ids, asked, rows.length, bodies);
}

export function promptsByIdsIn(db: Kysely<Tables>): RequestRepository['promptsByIds'] {
  return async (ids, atMostBytes = Number.MAX_SAFE_INTEGER) => {
    const asked = uuidsIn(ids);
    const { rows } = await sql<{ request_id: string | null; prompt: string | null }>`
      select request_id, prompt from (
        select place, request_id, prompt,
          coalesce(sum(octet_length(prompt)) over (order by place rows between unbounded preceding and 1 preceding), 0)
            as bytes_before
        from unnest(${asked}::uuid[]) with ordinality as asked (id, place)
        left join request_bodies on request_id = asked.id
      ) as sized
      where bytes_before <= ${atMostBytes}::bigint
      order by place`.execute(db);
    const prompts = byId(
      ids,
      rows.filter(row => row.request_id !== null),
      row => row.request_id!,
      row => row.prompt ?? undefined,
    );
    return untilTaken(ids, asked, rows.length, prompts);
  };
}

/** Without those behind the last id that was read. */
function untilTaken<Value>(
  ids: readonly string[],
  asked: readonly string[],
  taken: number,
  values: (Value | undefined)[],
): (Value | undefined)[] {
  return taken >= asked.length ? values : values.slice(0, ids.indexOf(asked[taken]!));
}

function toBody({ spec, output, routing }: Omit<BodyRow, 'request_id'>): RequestBody {
  return { spec: specFromJson(spec), routing: routingFromJson(routing), output: output ?? undefined };
}

function parsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
