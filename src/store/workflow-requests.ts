// What the requests that a workflow has made for its steps have taken, and which of them have not ended.

import { type Kysely, sql } from 'kysely';
import type { Usage } from '../domain/usage.ts';
import { uuidsIn } from './ids.ts';
import type { Tables } from './tables.ts';

/** What the requests of a run have taken. */
export interface Spending {
  /** Undefined: a part of it has no known price. */
  readonly costNanoUsd: bigint | undefined;
  /** Undefined: nothing was billed. */
  readonly usage: Usage | undefined;
}

export interface StepRequestReads {
  spendingByIds(ids: readonly string[]): Promise<Spending[]>;
  /** Without those requests. */
  spentBeside(id: string, requestIds: readonly string[]): Promise<Spending>;
  /** By step, items counted with it. */
  spendingOfSteps(id: string): Promise<ReadonlyMap<string, Spending>>;
  /** Requests of its steps that have not ended. */
  unfinishedRequests(id: string): Promise<string[]>;
}

interface SpendingRow {
  readonly key: string;
  readonly cost: string;
  readonly is_unpriced: boolean;
  readonly input_tokens: string | null;
  readonly cached_input_tokens: string | null;
  readonly cache_write_tokens: string | null;
  readonly output_tokens: string | null;
  readonly is_estimated: boolean | null;
}

const SPENDING = sql`
  coalesce(sum(cost_nano_usd), 0)::text as cost,
  coalesce(bool_or(finished_at is not null and input_tokens is not null and cost_nano_usd is null), false)
    as is_unpriced,
  sum(input_tokens)::text as input_tokens, sum(cached_input_tokens)::text as cached_input_tokens,
  sum(cache_write_tokens)::text as cache_write_tokens, sum(output_tokens)::text as output_tokens,
  bool_or(usage_estimated) as is_estimated`;
const NOTHING: Spending = { costNanoUsd: 0n, usage: undefined };

export function stepRequestsIn(db: Kysely<Tables>): StepRequestReads {
  return {
    async spendingByIds(ids) {
      const { rows } = await sql<SpendingRow>`
        select parent_id::text as key, ${SPENDING} from requests
        where parent_id = any(${uuidsIn(ids)}::uuid[]) group by parent_id`.execute(db);
      const found = new Map(rows.map(row => [row.key, toSpending(row)]));
      return ids.map(id => found.get(id) ?? NOTHING);
    },

    async spentBeside(id, requestIds) {
      const { rows } = await sql<SpendingRow>`
        select '' as key, ${SPENDING} from requests
        where parent_id = ${id}::uuid and id <> all(${uuidsIn(requestIds)}::uuid[])`.execute(db);
      return toSpending(rows[0]!);
    },

    async spendingOfSteps(id) {
      const { rows } = await sql<SpendingRow>`
        select split_part(step, '[', 1) as key, ${SPENDING} from requests
        where parent_id = ${id}::uuid group by 1`.execute(db);
      return new Map(rows.map(row => [row.key, toSpending(row)]));
    },

    async unfinishedRequests(id) {
      const rows = await db
        .selectFrom('requests')
        .select('id')
        .where('parent_id', '=', id)
        .where('status', 'in', ['QUEUED', 'RUNNING'])
        .orderBy('id')
        .execute();
      return rows.map(row => row.id);
    },
  };
}

function toSpending(row: SpendingRow): Spending {
  const usage = row.input_tokens !== null && {
    inputTokens: Number(row.input_tokens),
    cachedInputTokens: Number(row.cached_input_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    outputTokens: Number(row.output_tokens),
    estimated: row.is_estimated ?? false,
  };
  return { costNanoUsd: row.is_unpriced ? undefined : BigInt(row.cost), usage: usage || undefined };
}
