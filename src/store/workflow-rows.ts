// States of steps as rows, and back.

import { type RawBuilder, type Selectable, sql } from 'kysely';
import { requestError } from '../domain/request.ts';
import type { StepState } from '../domain/workflow.ts';
import { toJson } from './json.ts';
import type { WorkflowStepsTable } from './workflow-tables.ts';

const STEP_TYPES = {
  step_id: 'text',
  item: 'integer',
  status: 'text',
  request_id: 'uuid',
  tries: 'integer',
  input: 'text',
  output: 'text',
  error_code: 'text',
  error_message: 'text',
  error_retryable: 'boolean',
  note: 'text',
  not_before: 'timestamptz',
  reused: 'boolean',
  started_at: 'timestamptz',
  finished_at: 'timestamptz',
} satisfies { [Column in keyof WorkflowStepsTable]?: string };
const STEP_COLUMNS = Object.keys(STEP_TYPES);
const COLUMN_LIST = sql.raw(STEP_COLUMNS.join(', '));
const RECORD = sql.raw(
  Object.entries(STEP_TYPES)
    .map(([name, type]) => `${name} ${type}`)
    .join(', '),
);
const REPLACED = sql.raw(
  STEP_COLUMNS.filter(name => name !== 'step_id' && name !== 'item')
    .map(name => `${name} = excluded.${name}`)
    .join(', '),
);

/** Who may move a run on: the owner of its request, at this epoch. */
export interface RunOwnership {
  readonly id: string;
  readonly epoch: number;
}

/** Locked until the end of the statement, so that nobody takes the request over meanwhile. */
export function ownership({ id, epoch }: RunOwnership): RawBuilder<unknown> {
  return sql`owned as (
    select id, user_id, api_key_id from requests
    where id = ${id}::uuid and epoch = ${epoch} and status = 'RUNNING' for no key update
  )`;
}

/** Writes the states under what the statement calls `owned`. */
export function upsertSteps(id: string, steps: readonly StepState[]): RawBuilder<unknown> {
  return sql`
    insert into workflow_steps as held (workflow_id, ${COLUMN_LIST})
    select ${id}::uuid, ${COLUMN_LIST} from jsonb_to_recordset(${toJson(steps.map(toRow))}::text::jsonb) as row (${RECORD}), owned
    on conflict (workflow_id, step_id, item) do update set ${REPLACED}
      where held.status in ('PENDING', 'RUNNING', 'WAITING')`;
}

function toRow(state: StepState) {
  return {
    step_id: state.stepId,
    item: state.item ?? -1,
    status: state.status,
    request_id: state.requestId,
    tries: state.tries,
    input: state.input,
    output: state.output,
    error_code: state.error?.code,
    error_message: state.error?.message,
    error_retryable: state.error?.retryable,
    note: state.note,
    not_before: state.notBefore,
    reused: state.reused,
    started_at: state.startedAt,
    finished_at: state.finishedAt,
  } satisfies { [Column in keyof typeof STEP_TYPES]: unknown };
}

export function toStepState(row: Selectable<WorkflowStepsTable>): StepState {
  return {
    stepId: row.step_id,
    item: row.item < 0 ? undefined : row.item,
    status: row.status,
    requestId: row.request_id ?? undefined,
    tries: row.tries,
    input: row.input ?? undefined,
    output: row.output ?? undefined,
    error:
      row.error_code === null
        ? undefined
        : requestError(row.error_code, row.error_message ?? '', { retryable: row.error_retryable ?? false }),
    note: row.note ?? undefined,
    notBefore: row.not_before ?? undefined,
    reused: row.reused,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  };
}
