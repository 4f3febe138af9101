// Workflows: what callers do with them. How one is carried out is in run.ts.

import { type Actor, authorize, can } from '../domain/access.ts';
import { type Act, auditEvent } from '../domain/audit.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { toGlobalId } from '../domain/ids.ts';
import type { RedactText } from '../domain/redaction.ts';
import { isTerminal, type ModelRequest } from '../domain/request.ts';
import type { Submission } from '../domain/submission.ts';
import type { StepState, StepStatus, WorkflowDefinition, WorkflowSpec } from '../domain/workflow.ts';
import type { WorkflowInput } from '../domain/workflow-input.ts';
import type { WorkflowBounds } from '../domain/workflow-step-input.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { RunWorkflow, StepRequests } from '../gateway/steps.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { StoredStep } from '../store/workflows.ts';
import { createDefinitions } from './definitions.ts';
import { createDescriptions } from './descriptions.ts';
import { type Remaining, remainingOf } from './remaining.ts';
import { reuseOf } from './rerun.ts';
import { runWorkflow } from './run-workflow.ts';

const MAX_COMMENT_LENGTH = 2_000;

export interface WorkflowsDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** The gateway runs workflows and they run on it: each gets the other when it is first used. */
  readonly gateway: () => Gateway;
  readonly steps: () => StepRequests;
  readonly bounds: WorkflowBounds;
  readonly maxPromptBytes: number;
  /** Replaces personal data before anything is stored; absent: nothing is replaced. */
  readonly redact?: RedactText | undefined;
  readonly log: { warn(fields: object, message: string): void };
  readonly newId: () => string;
  readonly onStepEnded: (status: StepStatus) => void;
}

export interface NewDefinition {
  readonly name: string;
  readonly description?: string | null | undefined;
  /** For everybody to read and run; ADMIN. */
  readonly shared?: boolean | null | undefined;
  readonly workflow: WorkflowInput;
}

export interface DefinitionRun {
  readonly definitionId?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly version?: number | null | undefined;
  readonly parameters?: unknown;
  /** Everything but the workflow. */
  readonly submission: Submission;
  /** Where it came from, for the limits of addresses. */
  readonly address?: string | undefined;
}

export interface Workflows {
  /** For the gateway. */
  readonly run: RunWorkflow;
  /** Decides on a step that waits for it. CONFLICT when it does not. */
  decide(
    actor: Actor,
    decision: { requestId: string; stepId: string; approved: boolean; comment?: string | null | undefined },
  ): Promise<ModelRequest>;
  /** Begins no further step until it is resumed; those that run go on. CONFLICT when it has ended. */
  setPaused(actor: Actor, requestId: string, paused: boolean): Promise<ModelRequest>;
  /**
   * Runs an ended workflow again, as a new request: `fromStep` and what depends on it, or else whatever did not
   * succeed. All other results are taken over, and not paid again.
   */
  rerun(
    actor: Actor,
    again: {
      requestId: string;
      fromStep?: string | null | undefined;
      idempotencyKey?: string | null | undefined;
      address?: string | undefined;
    },
  ): Promise<ModelRequest>;
  /** Keeps a workflow under a name: a new one, or the next version of it. */
  createDefinition(actor: Actor, definition: NewDefinition): Promise<WorkflowDefinition>;
  /** All versions of the name. NOT_FOUND when one has none. Runs of it are not touched. */
  deleteDefinition(actor: Actor, name: string): Promise<void>;
  /** One's own or a shared one, or anybody's for ADMIN. */
  definition(actor: Actor, id: string): Promise<WorkflowDefinition | undefined>;
  /** Submits a run of a definition that one may see. NOT_FOUND when there is none. */
  runDefinition(actor: Actor, run: DefinitionRun): Promise<ModelRequest>;
  /** The steps of a run in their order, and what it was asked for. Undefined: the request is no workflow. */
  describe(request: ModelRequest): Promise<RunDescription | undefined>;
  /** One step, read without the others. */
  step(request: ModelRequest, stepId: string): Promise<StoredStep | undefined>;
  /** Estimates for what is left of it. */
  remaining(run: RunDescription): Remaining;
}

export interface RunDescription {
  readonly request: ModelRequest;
  readonly spec: WorkflowSpec;
  readonly pausedAt: Date | undefined;
  readonly steps: readonly StepState[];
}

export function createWorkflows(deps: WorkflowsDeps): Workflows {
  const { store } = deps;
  const { describe, step } = createDescriptions(store);

  /** One's own, or anybody's for those who may also cancel it. */
  async function reach(actor: Actor, requestId: string): Promise<RunDescription> {
    authorize(actor, 'request:submit');
    const request = await deps.steps().request(requestId);
    const isReached = request?.userId === actor.userId || can(actor, 'request:cancel-any');
    const run = request && isReached ? await describe(request) : undefined;
    if (isReached && request?.contentDeletedAt) throw contentDeleted();
    if (!run) throw new DomainError('NOT_FOUND', 'There is no such workflow.');
    return run;
  }

  async function changed({ request }: RunDescription): Promise<ModelRequest> {
    await deps.steps().changed(request.id);
    return (await deps.steps().request(request.id)) ?? request;
  }

  return {
    run: journey => runWorkflow(journey, deps),
    describe,
    step,
    remaining: run => remainingOf(run, deps.steps()),

    async decide(actor, { requestId, stepId, approved, comment }) {
      const run = await reach(actor, requestId);
      if (comment != null && comment.length > MAX_COMMENT_LENGTH)
        throw badInput('comment', `must have at most ${MAX_COMMENT_LENGTH} characters`);
      const said = comment == null ? undefined : (deps.redact?.(comment) ?? comment);
      const decision = { stepId, approved, by: actor.username, comment: said };
      const decided = await store.transaction(async inside => {
        const done = await inside.workflows.decide(requestId, decision);
        if (done)
          await remember(inside, {
            actor,
            requestId,
            action: 'workflow.decide',
            data: { stepId, approved },
            nowMs: deps.clock.now(),
          });
        return done;
      });
      if (!decided) throw new DomainError('CONFLICT', `The step "${stepId}" does not wait for a decision.`);
      return changed(run);
    },

    async setPaused(actor, requestId, paused) {
      const run = await reach(actor, requestId);
      if (isTerminal(run.request.status)) throw new DomainError('CONFLICT', 'The workflow has ended.');
      await store.transaction(async inside => {
        const action = paused ? 'workflow.pause' : 'workflow.resume';
        if (await inside.workflows.setPaused(requestId, paused))
          await remember(inside, { actor, requestId, action, nowMs: deps.clock.now() });
      });
      return changed(run);
    },

    async rerun(actor, { requestId, fromStep, idempotencyKey, address }) {
      const run = await reach(actor, requestId);
      if (!isTerminal(run.request.status))
        throw new DomainError('CONFLICT', 'The workflow has not ended. Cancel it, or wait.');
      const [body] = await store.requests.bodiesByIds([requestId]);
      if (!body) throw contentDeleted();
      const spec = { ...body.spec, workflow: { ...run.spec, reuse: reuseOf(run, fromStep ?? undefined) } };
      // What comes of it is the actor's, with all that somebody else asked for.
      if (run.request.userId !== actor.userId)
        await remember(store, { actor, requestId, action: 'workflow.rerun', nowMs: deps.clock.now() });
      return deps.gateway().submitWorkflow(actor, spec, idempotencyKey ?? undefined, address);
    },

    ...createDefinitions(deps),
  };
}

function contentDeleted(): DomainError {
  return new DomainError('CONFLICT', 'What the workflow was asked for is deleted: it cannot be run again.');
}

/** In the transaction of what was done. */
function remember(
  inside: Store,
  { requestId, nowMs, ...act }: Act & { requestId: string; nowMs: number },
): Promise<void> {
  return inside.audit.append(auditEvent({ ...act, subject: toGlobalId('request', requestId) }, nowMs));
}
