// A workflow: steps that depend on each other. Each is an ordinary routed request, a text made from earlier results, or
// the decision of a person. What is said here is what was asked for; how far a run has come is in StepState.
//
//   PENDING ──► RUNNING | WAITING ──► SUCCEEDED | FAILED          a result is never made twice
//      ▲  └───────────│─────────────► SKIPPED | CANCELLED
//      └──── retry ───┘

import type { RequestError, TaskType } from './request.ts';
import type { RoutingStrategy } from './routing.ts';

export const STEP_KINDS = ['MODEL', 'TRANSFORM', 'APPROVAL'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export const STEP_STATUSES = [
  'PENDING',
  'RUNNING',
  'WAITING',
  'SUCCEEDED',
  'FAILED',
  'SKIPPED',
  'CANCELLED',
] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

export const JOINS = ['ALL', 'ANY'] as const;
export type Join = (typeof JOINS)[number];

export const FAILURE_POLICIES = ['FAIL', 'CONTINUE'] as const;
export type FailurePolicy = (typeof FAILURE_POLICIES)[number];

export const CONDITION_OPERATORS = ['equals', 'notEquals', 'contains', 'isEmpty', 'in'] as const;

/** Compares a rendered template with something fixed: exactly one operator is given. */
export interface Condition {
  /** A template. */
  readonly value: string;
  readonly equals?: string | undefined;
  readonly notEquals?: string | undefined;
  readonly contains?: string | undefined;
  readonly isEmpty?: boolean | undefined;
  readonly in?: readonly string[] | undefined;
}

/** A step that is run once for each element of a list. */
export interface FanOut {
  /** What refers to the list, as inside a template: `steps.ID.json.topics`. */
  readonly items: string;
  readonly maxParallel: number;
  /** Put between the results; undefined: they become a JSON array. */
  readonly joinWith: string | undefined;
  readonly onItemFailure: FailurePolicy;
}

export interface RetryPolicy {
  /** Beside the attempts that each request makes by itself. */
  readonly maxRetries: number;
  /** Before the first retry; doubles with each. */
  readonly backoffMs: number;
}

export interface StepSpec {
  readonly id: string;
  readonly title: string;
  readonly kind: StepKind;
  /** All that have to end first, those that its templates refer to among them. */
  readonly dependsOn: readonly string[];
  readonly join: Join;
  readonly condition: Condition | undefined;
  readonly forEach: FanOut | undefined;
  /** MODEL: the prompt. TRANSFORM: the result. APPROVAL: what is to be decided. */
  readonly template: string;
  readonly system: string | undefined;
  readonly taskType: TaskType;
  readonly model: string | undefined;
  readonly strategy: RoutingStrategy | undefined;
  readonly preferLocal: boolean | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly temperature: number | undefined;
  /** JSON Schema of the answer, as text: a jsonb column would put its members in an order of its own. */
  readonly outputSchema: string | undefined;
  readonly deadlineMs: number | undefined;
  /** In nano-USD, as text, since it is kept as JSON. */
  readonly maxCost: string | undefined;
  readonly retry: RetryPolicy;
  readonly onFailure: FailurePolicy;
}

export interface WorkflowLimits {
  /** In nano-USD, as text. */
  readonly maxCost: string | undefined;
  /** Input and output of all steps. */
  readonly maxTokens: number | undefined;
  /** From acceptance on, decisions of people included. */
  readonly deadlineMs: number | undefined;
  /** Requests of one run at the same time. */
  readonly maxParallel: number;
}

export interface WorkflowSpec {
  /** Empty: a model is to plan them. */
  readonly steps: readonly StepSpec[];
  /** `{{input}}` in the templates. */
  readonly input: string;
  /** `{{parameters.NAME}}`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** A template for the result of the whole; undefined: that of the last step, or of several, as a JSON object. */
  readonly output: string | undefined;
  readonly limits: WorkflowLimits;
  /** A plan waits for a person before it is carried out. */
  readonly approvePlan: boolean;
  /** The stored definition that it comes from. */
  readonly definition: { readonly id: string; readonly version: number } | undefined;
  /** Results of an earlier run that stand: what made them is not run again. */
  readonly reuse:
    | {
        readonly requestId: string;
        readonly steps: readonly string[];
        /** Of these steps the items of their lists that succeeded. */
        readonly items: readonly string[];
      }
    | undefined;
}

/** The place of a request within a workflow. */
export interface StepOrigin {
  /** The request whose workflow it is. */
  readonly workflowId: string;
  /** As in stateKey. */
  readonly step: string;
}

/** How far a step, or one item of it, has come. */
export interface StepState {
  readonly stepId: string;
  /** From 0 on; undefined: the step itself. */
  readonly item: number | undefined;
  readonly status: StepStatus;
  /** The request of its latest try. */
  readonly requestId: string | undefined;
  readonly tries: number;
  /** Of an item: what `{{item}}` is, as JSON. */
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly error: RequestError | undefined;
  /** Why it was skipped, or who decided and what they said; for people. */
  readonly note: string | undefined;
  /** A retry waits until then. */
  readonly notBefore: Date | undefined;
  /** Its result comes from an earlier run. */
  readonly reused: boolean;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
}

/** The name of a state among those of its run: `research`, and `research[2]` for an item. */
export function stateKey({ stepId, item }: Pick<StepState, 'stepId' | 'item'>): string {
  return item === undefined ? stepId : `${stepId}[${item}]`;
}

/** The states of the steps in the order of their definition; of a step that has none yet, that it is pending. */
export function stepsInOrder({ steps }: WorkflowSpec, states: readonly StepState[]): StepState[] {
  const byId = new Map(states.map(state => [state.stepId, state]));
  return steps.map(({ id }) => byId.get(id) ?? pendingState(id));
}

export function pendingState(stepId: string, item?: number, input?: string): StepState {
  return {
    stepId,
    item,
    status: 'PENDING',
    requestId: undefined,
    tries: 0,
    input,
    output: undefined,
    error: undefined,
    note: undefined,
    notBefore: undefined,
    reused: false,
    startedAt: undefined,
    finishedAt: undefined,
  };
}

export function hasEnded(status: StepStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'SKIPPED' || status === 'CANCELLED';
}

/** A workflow that is kept under a name, to be run with other inputs. */
export interface WorkflowDefinition {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** 1, 2, …: a version is never changed. */
  readonly version: number;
  readonly description: string | undefined;
  /** Everybody may read and run it. */
  readonly shared: boolean;
  /** Its parameters are the defaults of a run. */
  readonly workflow: WorkflowSpec;
  readonly createdAt: Date;
}
