// The tables of workflows.

import type { Generated } from 'kysely';
import type { ErrorCode } from '../domain/errors.ts';
import type { StepStatus } from '../domain/workflow.ts';
import type { Json } from './tables.ts';

/** One run of a workflow, beside its request. */
export interface WorkflowsTable {
  request_id: string;
  spec: Json;
  paused_at: Date | null;
  /** How often people have acted on it. */
  acts: Generated<number>;
  /** When it is to be taken up again if nobody has it in hand; null: when people act. */
  wake_at: Date | null;
  created_at: Generated<Date>;
}

export interface WorkflowStepsTable {
  workflow_id: string;
  step_id: string;
  /** -1: the step itself, else one of its items. */
  item: number;
  status: StepStatus;
  request_id: string | null;
  tries: number;
  input: string | null;
  output: string | null;
  error_code: ErrorCode | null;
  error_message: string | null;
  error_retryable: boolean | null;
  note: string | null;
  not_before: Date | null;
  reused: boolean;
  started_at: Date | null;
  finished_at: Date | null;
  decision: 'APPROVED' | 'REJECTED' | null;
  decided_by: string | null;
  comment: string | null;
}

export interface WorkflowDefinitionsTable {
  id: string;
  user_id: string;
  name: string;
  version: number;
  description: string | null;
  shared: boolean;
  spec: Json;
  created_at: Date;
}
