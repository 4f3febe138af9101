// The central noun: a model request, from acceptance to its one terminal state, and the attempts made for it.
//
//   QUEUED ──► RUNNING ──► SUCCEEDED | FAILED | CANCELLED        (a terminal state never changes)
//      └──────────────────────────────► FAILED | CANCELLED

import type { JsonSchema } from '../lib/json-schema.ts';
import { ERROR_CODES, type ErrorCode } from './errors.ts';
import type { AttemptFault } from './fault.ts';
import type { Deadlines } from './model.ts';
import type { RoutingDecision, RoutingStrategy } from './routing.ts';
import type { Usage } from './usage.ts';
import type { StepOrigin, WorkflowSpec } from './workflow.ts';

export const TASK_TYPES = ['CHAT', 'CODE', 'TRANSFORM', 'WORKFLOW'] as const;
export type TaskType = (typeof TASK_TYPES)[number];

export const REQUEST_STATUSES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type RequestStatus = (typeof REQUEST_STATUSES)[number];
export type TerminalStatus = 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export const MESSAGE_ROLES = ['SYSTEM', 'USER', 'ASSISTANT'] as const;
export type MessageRole = (typeof MESSAGE_ROLES)[number];
export interface Message {
  readonly role: MessageRole;
  readonly content: string;
}

/** What the caller asked for, validated and with defaults filled in. Stored as it is; routing reads it. */
export interface RequestSpec {
  readonly messages: readonly Message[];
  readonly system: string | undefined;
  readonly taskType: TaskType;
  readonly model: string | undefined;
  readonly strategy: RoutingStrategy;
  readonly preferLocal: boolean;
  /** 0 to 100, higher first. */
  readonly priority: number;
  readonly maxOutputTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly stop: readonly string[];
  /** The answer must be JSON of this schema; undefined: any text. */
  readonly outputSchema: JsonSchema | undefined;
  /** Nothing is shown before the whole answer is there, so that a recovery is never seen. */
  readonly buffered: boolean;
  readonly deadlines: Partial<Deadlines>;
  readonly metadata: unknown;
  /** The request is carried out as these steps, each a request of its own. */
  readonly workflow?: WorkflowSpec | undefined;
  /** The request is such a step. */
  readonly step?: StepOrigin | undefined;
}

/** Why an accepted request did not succeed. */
export interface RequestError {
  readonly code: ErrorCode;
  readonly message: string;
  /** May the same request succeed later, unchanged? A fact of what happened: the code alone does not tell. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
}

/** The normalised reason beside what the provider said. */
export const FINISH_REASONS = ['stop', 'length', 'content-filter', 'tool-calls', 'other'] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export const ATTEMPT_OUTCOMES = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'LOST'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One call of one deployment: the row that is billed. */
export interface Attempt {
  readonly id: string;
  /** 1, 2, … within the request. */
  readonly number: number;
  readonly deploymentId: string;
  readonly providerId: string;
  readonly model: string;
  readonly outcome: AttemptOutcome;
  readonly error: RequestError | undefined;
  /** What exactly went wrong; undefined unless it FAILED. */
  readonly fault: AttemptFault | undefined;
  readonly providerResponseId: string | undefined;
  readonly servedModel: string | undefined;
  readonly finishReason: FinishReason | undefined;
  readonly usage: Usage | undefined;
  /** Undefined: the price is unknown. */
  readonly costNanoUsd: bigint | undefined;
  readonly priceSource: string | undefined;
  readonly startedAt: Date;
  readonly timeToFirstTokenMs: number | undefined;
  readonly durationMs: number;
  /** Of one that is LOST, under a budget: the most that it can have cost, which counts as spent. */
  readonly reservedNanoUsd?: bigint | undefined;
}

export interface ModelRequest {
  readonly id: string;
  readonly userId: string;
  /** The request whose workflow it is a step of. */
  readonly parentId: string | undefined;
  /** Which step of that workflow: `research`, and `research[2]` for an item of a list. */
  readonly step: string | undefined;
  readonly status: RequestStatus;
  readonly taskType: TaskType;
  readonly priority: number;
  readonly preferLocal: boolean;
  readonly strategy: RoutingStrategy;
  /** The model the caller asked for; undefined when routing was free to choose. */
  readonly requestedModel: string | undefined;
  readonly createdAt: Date;
  readonly startedAt: Date | undefined;
  readonly firstTokenAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  /** Who served it (of the attempt that gave the answer, else of the last one); undefined until an attempt began. */
  readonly deploymentId: string | undefined;
  readonly providerId: string | undefined;
  readonly servedModel: string | undefined;
  readonly finishReason: FinishReason | undefined;
  readonly error: RequestError | undefined;
  readonly usage: Usage | undefined;
  /** Sum over all attempts; undefined while running, or when a part is unpriced. */
  readonly costNanoUsd: bigint | undefined;
  /** The part of it that was spent on attempts that did not succeed; undefined while running, or when it is unpriced. */
  readonly failedAttemptsCostNanoUsd: bigint | undefined;
  /** Time spent in the control plane itself, not waiting for a provider or in the queue. */
  readonly overheadMs: number | undefined;
  readonly attemptCount: number;
  /** Generation of ownership; writes of an older generation are refused. */
  readonly epoch: number;
  /** Number of the last stream event, of the terminal one or before it was parked; undefined before. */
  readonly lastSequence: number | undefined;
  /** Number of the last event that made earlier text void; undefined while there was none. */
  readonly restartSequence: number | undefined;
  /** What it holds of the budgets that it falls under, or held when it ended; undefined without one. */
  readonly reservedNanoUsd?: bigint | undefined;
  /** What was said in it is not kept any more since then; undefined while it is. */
  readonly contentDeletedAt?: Date | undefined;
  /** Of a workflow that runs: only people can do anything now, and it is in nobody's hands. Absent: no. */
  readonly isParked?: boolean | undefined;
}

/** The wide parts of a request, kept apart so that lists stay fast. */
export interface RequestBody {
  readonly spec: RequestSpec;
  readonly routing: RoutingDecision | undefined;
  readonly output: string | undefined;
}

/** The attempt that gave the answer; without an answer the last one. It need not be the last of two that ran at once. */
export function servingAttempt(attempts: readonly Attempt[]): Attempt | undefined {
  return attempts.find(({ outcome }) => outcome === 'SUCCEEDED') ?? attempts.at(-1);
}

/** The highest number in a ledger that is in order; 0 when it is empty. */
export function lastNumberOf(attempts: readonly Attempt[]): number {
  return attempts.at(-1)?.number ?? 0;
}

export function isTerminal(status: RequestStatus): status is TerminalStatus {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
}

/** `retryable` absent: what is usual for the code. `retryAfterMs` is in whole milliseconds. */
export function requestError(
  code: ErrorCode,
  message: string,
  { retryable = ERROR_CODES[code].retryable, retryAfterMs }: Partial<RequestError> = {},
): RequestError {
  return { code, message, retryable, retryAfterMs };
}

/** The prompt as one text, for lists and search: the last message of the user. */
export function promptOf(messages: readonly Message[]): string {
  return messages.findLast(message => message.role === 'USER')?.content ?? messages.at(-1)?.content ?? '';
}
