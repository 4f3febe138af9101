// The tables as the migrations leave them, one interface each. Rows become domain objects in the files of the
// repositories; nothing outside this folder sees these names.

import type { ColumnType, Generated } from 'kysely';
import type { ApiKeyScope, Role } from '../domain/access.ts';
import type { BreakerState } from '../domain/breaker.ts';
import type { BudgetPeriod } from '../domain/budget.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { AttemptFault } from '../domain/fault.ts';
import type { ProviderKind } from '../domain/model.ts';
import type { AttemptOutcome, FinishReason, RequestStatus, TaskType } from '../domain/request.ts';
import type { RoutingStrategy } from '../domain/routing.ts';
import type { RateLimitColumns } from './rate-limits.ts';
import type { WorkflowDefinitionsTable, WorkflowStepsTable, WorkflowsTable } from './workflow-tables.ts';

/** Drivers disagree on what a bigint column reads as, so every reader converts with BigInt() or Number(). */
export type Int8 = ColumnType<bigint | number | string, bigint | number, bigint | number>;
/** Written as text by json.ts, read parsed. */
export type Json = ColumnType<unknown, string | null, string | null>;

export interface Tables {
  requests: RequestsTable;
  request_bodies: { request_id: string; spec: Json; prompt: string };
  request_results: { request_id: string; output: string | null; routing: Json };
  attempts: AttemptsTable;
  idempotency_keys: IdempotencyKeysTable;
  users: UsersTable;
  sessions: SessionsTable;
  api_keys: ApiKeysTable;
  external_identities: ExternalIdentitiesTable;
  setup_tokens: { only_one: Generated<boolean>; hash: string; expires_at: Date };
  audit_events: AuditEventsTable;
  audit_chain: AuditChainTable;
  breaker_transitions: BreakerTransitionsTable;
  budget_changes: { only_one: Generated<boolean>; version: Int8; removals: Int8 };
  budgets: BudgetsTable;
  deployment_controls: DeploymentControlsTable;
  instances: InstancesTable;
  workflows: WorkflowsTable;
  workflow_steps: WorkflowStepsTable;
  workflow_definitions: WorkflowDefinitionsTable;
  stored_providers: StoredProvidersTable;
  provider_keys: ProviderKeysTable;
}

/** Columns that requests and attempts have in common. */
export interface OutcomeColumns {
  deployment_id: string | null;
  provider_id: string | null;
  served_model: string | null;
  finish_reason: FinishReason | null;
  error_code: ErrorCode | null;
  error_message: string | null;
  error_retryable: boolean | null;
  error_retry_after_ms: number | null;
  input_tokens: Int8 | null;
  cached_input_tokens: Int8 | null;
  cache_write_tokens: Int8 | null;
  output_tokens: Int8 | null;
  usage_estimated: boolean | null;
  cost_nano_usd: Int8 | null;
}

export interface RequestsTable extends OutcomeColumns {
  id: string;
  user_id: string;
  api_key_id: string | null;
  parent_id: Generated<string | null>;
  step: Generated<string | null>;
  status: RequestStatus;
  task_type: TaskType;
  priority: number;
  prefer_local: boolean;
  strategy: RoutingStrategy;
  requested_model: string | null;
  /** The instance that runs it; null once it is finished. */
  owner: string | null;
  epoch: number;
  cancel_wished_at: Date | null;
  created_at: Date;
  started_at: Date | null;
  first_token_at: Date | null;
  finished_at: Date | null;
  overhead_ms: number | null;
  attempt_count: Generated<number>;
  failed_attempts_cost_nano_usd: Int8 | null;
  /** How many instances died with it in hand. */
  deaths: Generated<number>;
  last_sequence: Int8 | null;
  restart_sequence: Int8 | null;
  /** What it holds, and held when it ended, of each of these budgets; null without one. */
  reserved_nano_usd: Int8 | null;
  budget_ids: string[] | null;
  content_deleted_at: Generated<Date | null>;
}

export interface AttemptsTable extends OutcomeColumns {
  id: string;
  request_id: string;
  user_id: string;
  api_key_id: string | null;
  epoch: number;
  number: number;
  deployment_id: string;
  provider_id: string;
  model: string;
  outcome: AttemptOutcome;
  fault: AttemptFault | null;
  provider_response_id: string | null;
  price_source: string | null;
  started_at: Date;
  time_to_first_token_ms: number | null;
  duration_ms: number;
  created_at: Generated<Date>;
  /** Of one that is LOST: what was reserved for it. */
  reserved_nano_usd: Int8 | null;
}

export interface IdempotencyKeysTable {
  user_id: string;
  key: string;
  input_hash: string;
  request_id: string;
  expires_at: Date;
}

export interface UsersTable extends RateLimitColumns {
  id: string;
  username: string;
  role: Role;
  disabled: boolean;
  password_hash: string | null;
  must_change_password: boolean;
  token_version: number;
  created_at: Date;
  deleted_at: Generated<Date | null>;
  /** Nothing is left of what a deleted user had said. */
  content_deleted_at: Generated<Date | null>;
}

export interface SessionsTable {
  id: string;
  user_id: string;
  created_at: Generated<Date>;
  expires_at: Date;
  revoked_at: Date | null;
}

export interface ApiKeysTable extends RateLimitColumns {
  id: string;
  user_id: string;
  name: string;
  prefix: string;
  secret_hash: string;
  /** Null: everything that the owner's role allows. */
  scopes: ApiKeyScope[] | null;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface ExternalIdentitiesTable {
  issuer: string;
  subject: string;
  user_id: string;
  /** As the newest token had it. */
  role: Role;
  /** Of that token. */
  issued_at: Date;
  created_at: Generated<Date>;
}

export interface AuditEventsTable {
  id: string;
  at: Date;
  actor_id: string | null;
  actor_name: string | null;
  action: string;
  subject: string | null;
  reason: string | null;
  data: Json;
  sequence: string;
  hash: string;
}

/** One row: where the chain of audit_events ends. */
export interface AuditChainTable {
  only_one: Generated<boolean>;
  sequence: string;
  hash: string;
}

export interface BreakerTransitionsTable {
  id: string;
  deployment_id: string;
  from_state: BreakerState;
  to_state: BreakerState;
  at: Date;
  cause: 'automatic' | 'manual';
  detail: string | null;
  retry_at: Date | null;
}

export interface DeploymentControlsTable {
  deployment_id: string;
  drained: boolean;
  reason: string;
  actor_id: string;
  at: Date;
}

export interface BudgetsTable {
  id: string;
  user_id: string;
  api_key_ids: string[] | null;
  period: BudgetPeriod;
  limit_nano_usd: Int8;
  /** Since period_start: nothing, when a later period has begun. */
  spent_nano_usd: Int8;
  reserved_nano_usd: Int8;
  period_start: Date;
  created_at: Date;
  version: Int8;
}

export interface InstancesTable {
  id: string;
  version: string;
  hostname: string | null;
  pid: number | null;
  started_at: Generated<Date>;
  beat_at: Generated<Date>;
  dead_at: Date | null;
}
export interface StoredProvidersTable {
  id: string;
  kind: ProviderKind;
  base_url: string | null;
  settings: Json;
  revision: string;
  key_version: number;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface ProviderKeysTable {
  provider_id: string;
  version: number;
  master_key_id: string;
  data_key: string;
  ciphertext: string;
  created_at: Generated<Date>;
}
