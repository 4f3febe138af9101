// The path of one prompt: accept, run, follow, cancel. Start reading here.

import { type Actor, authorize } from '../domain/access.ts';
import type { BreakerSnapshot, BreakerTransition } from '../domain/breaker.ts';
import type { Budget } from '../domain/budget.ts';
import type { DeploymentControl } from '../domain/deployment-control.ts';
import type { Provider } from '../domain/model.ts';
import type { RateLimitState } from '../domain/rate-limit.ts';
import type { ModelRequest, RequestSpec } from '../domain/request.ts';
import type { RoutingDecision, RoutingStrategy } from '../domain/routing.ts';
import type { StreamEvent } from '../domain/stream.ts';
import type { Submission, SubmissionLimits } from '../domain/submission.ts';
import type { WorkflowSpec } from '../domain/workflow.ts';
import type { Signals } from '../events/signals.ts';
import type { CallerLimits, RateLimitHolder } from '../limits/limits.ts';
import type { RequestFilter } from '../store/store.ts';
import { createAcceptance } from './acceptance.ts';
import { createActiveRequests } from './active-requests.ts';
import type { Admission } from './admission.ts';
import { callerOf } from './admitting.ts';
import { cancelRequest } from './cancellation.ts';
import type { CapacityLoad } from './capacity.ts';
import { createContent } from './content.ts';
import { createDuties } from './duties.ts';
import type { ExecutionDeps } from './execution.ts';
import { createFollowing } from './following.ts';
import { createOwnership } from './ownership.ts';
import { createProviderStatus } from './provider-status.ts';
import { createQueue } from './queue.ts';
import { createRequestNews } from './request-news.ts';
import { createStepRequests, type StepRequests } from './steps.ts';
import { createSubmitting } from './submitting.ts';

/** An event as a subscriber gets it. */
export interface FollowedEvent {
  readonly requestId: string;
  /** Hand it back as `after` to continue behind this event. */
  readonly cursor: string;
  readonly event: StreamEvent;
}

/** The same for whoever submits a request by subscribing: first of all that it was accepted, which is in no log. */
export interface SubmittedEvent extends Omit<FollowedEvent, 'event'> {
  readonly event: StreamEvent | { readonly type: 'accepted' };
}

/** What one deployment would take for a request. */
export interface CostEstimate {
  readonly deploymentId: string;
  readonly inputTokens: number;
  /** The most the answer may take; the cost is for this many. */
  readonly maxOutputTokens: number;
  /** Undefined: the price is unknown. */
  readonly costNanoUsd: bigint | undefined;
  /** For an answer of typical length. */
  readonly typicalCostNanoUsd: bigint | undefined;
  /** Why routing would not take it; undefined when it would. */
  readonly rejection: string | undefined;
}

/** A deployment, or all that a provider has at the moment: exactly one of the two. */
export interface OperatorTarget {
  readonly deploymentId?: string;
  readonly providerId?: string;
}

export interface Gateway {
  /**
   * Validates and makes the request durable; resolves after the commit. The answer is made whoever listens.
   * `address`: where it came from, for the limits of addresses.
   */
  submit(actor: Actor, submission: Submission, address?: string): Promise<ModelRequest>;
  /**
   * Submits, and follows from the beginning: first that it was accepted, then as `follow`. BAD_USER_INPUT without an
   * idempotency key: clients that lost their connection subscribe again by themselves, and would submit again.
   */
  submitAndFollow(
    actor: Actor,
    submission: Submission,
    address?: string,
  ): Promise<AsyncIterableIterator<SubmittedEvent>>;
  /** As `submit`, for a workflow that is known already, such as one that is run again. */
  submitWorkflow(
    actor: Actor,
    spec: RequestSpec,
    idempotencyKey: string | undefined,
    address?: string,
  ): Promise<ModelRequest>;
  /** The same for a submission whose steps are known already; they are given its input. */
  submitWorkflowOf(
    actor: Actor,
    submission: Submission,
    workflowOf: (input: string) => WorkflowSpec,
    address?: string,
  ): Promise<ModelRequest>;
  /**
   * Ends a request that is not terminal yet; resolves with its state afterwards. NOT_FOUND when it is foreign, unless
   * for ADMIN, whose doing so is audited.
   */
  cancel(actor: Actor, requestId: string): Promise<ModelRequest>;
  /**
   * Deletes what was said in a request that has ended, of a workflow with its steps. NOT_FOUND as for `cancel`; CONFLICT
   * of a step, and while it or a step of it has not ended. Of somebody else's it is audited.
   */
  deleteContent(actor: Actor, requestId: string): Promise<ModelRequest>;
  /** The same of all requests of a user, whose unended ones are cancelled; whoever asks. */
  deleteContentOf(userId: string): Promise<void>;
  /** Deletes what is kept for longer than it is to be, as is done now and then anyway; resolves with of how many. */
  expireContent(): Promise<number>;
  /** One's own request, or anybody's for ADMIN; undefined when there is none to see. */
  request(actor: Actor, requestId: string): Promise<ModelRequest | undefined>;
  /**
   * To be awaited before the actor is shown what was said in a request. Somebody else's is noted in the audit log,
   * once an hour for each reader and request; undefined: there is nothing to wait for.
   */
  noteReading(actor: Actor, request: Pick<ModelRequest, 'id' | 'userId'>): Promise<void> | undefined;
  /**
   * The events after the cursor, first those that were, then those that come, ending after the last one.
   * Throws NOT_FOUND (unknown or foreign) or BAD_USER_INPUT (not a cursor of this request) before anything else.
   */
  follow(
    actor: Actor,
    requestId: string,
    after: string | undefined,
  ): Promise<AsyncIterableIterator<FollowedEvent>>;
  /** Requests as they change: all for ADMIN, one's own for others. */
  feed(actor: Actor, filter: RequestFilter): AsyncIterableIterator<ModelRequest>;
  /** One value whenever a request of anybody has ended: that figures are to be counted again. */
  endings(actor: Actor): AsyncIterableIterator<unknown>;
  /** How much of their limits a user or API key has used. One's own, or anybody's for ADMIN; else FORBIDDEN. */
  rateLimits(actor: Actor, holder: RateLimitHolder & { readonly userId: string }): Promise<RateLimitState[]>;
  estimateCost(actor: Actor, submission: Submission): CostEstimate[];
  simulateRoute(actor: Actor, submission: Submission): RoutingDecision;
  providers(): readonly Provider[];
  /** Undefined for an unknown deployment. */
  breaker(deploymentId: string): BreakerSnapshot | undefined;
  breakerHistory(deploymentIds: readonly string[]): Promise<BreakerTransition[][]>;
  /** Takes up the breakers' last stored states, so that a restart does not run into a provider that was known broken. */
  restoreBreakers(): Promise<void>;
  /** Does here what administrators have done to breakers on other instances since. */
  followBreakerOrders(): Promise<void>;
  /** Providers whenever they, one of their deployments or breakers change. */
  providerUpdates(): AsyncIterableIterator<Provider>;
  /** Closes breakers. ADMIN; audited. NOT_FOUND, BAD_USER_INPUT; so with the next three. */
  resetBreaker(actor: Actor, target: OperatorTarget, reason: string): Promise<Provider>;
  /** Opens breakers and holds them open, without probes, until they are reset. */
  openBreaker(actor: Actor, target: OperatorTarget, reason: string): Promise<Provider>;
  /** Lets no new call through, also when the deployment is named; running ones finish. */
  drainDeployment(actor: Actor, target: OperatorTarget, reason: string): Promise<Provider>;
  /** Ends a drain. The breaker stays as it is. */
  enableDeployment(actor: Actor, target: OperatorTarget, reason: string): Promise<Provider>;
  /** How many calls a deployment has under way, and how many requests wait for room there. */
  capacityLoad(deploymentId: string): CapacityLoad;
  /** Undefined while the deployment is not drained. */
  drainOf(deploymentId: string): DeploymentControl | undefined;
  /** Takes up what administrators have drained and enabled, before the start or on other instances. */
  restoreDrains(): Promise<void>;
  /** The incarnation under which this process owns what it runs; see engine/instances.ts. */
  instanceId(): string;
  /** Requests that run here now, and those that wait for a slot. */
  load(): { readonly running: number; readonly queued: number };
  /** This process has a living owner: it runs what waits, and what comes. */
  start(): void;
  /** What each heartbeat has to look after: wishes to cancel, rows that nobody holds, and how many wait. */
  review(): Promise<void>;
  /** Requests that others changed: tells those who watch them, and looks into the queue, where they may wait now. */
  changedElsewhere(requestIds: readonly string[]): Promise<void>;
  /** For the steps of workflows. */
  readonly steps: StepRequests;
  /** Refuses new work, lets what runs finish for `graceMs`, then lets the rest wait again; resolves when nothing is left. */
  drain(graceMs: number): Promise<void>;
  /** This process lost its requests to others: stops all work without writing anything, until the next start. */
  fence(): void;
  /** The same for one request. */
  fenceRequest(requestId: string): void;
}

export interface GatewayDeps extends Omit<ExecutionDeps, 'onFinished' | 'onWaiting' | 'announce'> {
  readonly admission: Admission;
  /** Absent: nobody is limited. */
  readonly limits?: CallerLimits | undefined;
  /** Hints from and to the other instances. */
  readonly signals: Signals;
  /** In the queue, over all instances. */
  readonly maxQueued: number;
  /** A request with which so many instances have died is not run again. */
  readonly maxDeaths: number;
  /** What was said is kept for so many days after the end of a request; absent: for ever. */
  readonly contentRetentionDays?: number | undefined;
  readonly submissionLimits: SubmissionLimits;
  readonly defaultStrategy: RoutingStrategy;
  /** The incarnation that owns what is accepted here. */
  readonly owner: () => string;
  readonly onFinished?: ExecutionDeps['onFinished'];
  /** A submission was refused for lack of money. */
  readonly onBudgetExceeded?: ((budget: Budget) => void) | undefined;
}

export function createGateway(deps: GatewayDeps): Gateway {
  const { store, planning } = deps;
  const news = createRequestNews(deps);
  const { announce } = news;
  const active = createActiveRequests({
    ...deps,
    announce,
    onWaiting: waiting => (waiting ? deps.admission.park() : deps.admission.unpark()),
    onFinished(request, attempts, exchange) {
      announce(request);
      deps.onFinished?.(request, attempts, exchange);
    },
  });
  const acceptance = createAcceptance({ ...deps, announce }, active);
  const queue = createQueue({ ...deps, news }, active);
  const status = createProviderStatus(deps);
  const find = async (requestId: string) =>
    active.get(requestId)?.request ?? (await store.requests.byIds([requestId]))[0];
  const { visible, toCancel, toDelete, noteReading } = createOwnership({ ...deps, find });
  const cancel = (request: ModelRequest) => cancelRequest(request, { ...deps, active, queue, news });
  const { review: reviewContent, ...content } = createContent(deps, { toDelete, cancel });
  const duties = createDuties(deps, { active, acceptance, queue, news, status, reviewContent });

  const { open, openAccepted, ...following } = createFollowing({
    ...deps,
    news,
    visible,
    noteReading,
    momentsOf: id => active.get(id)?.moments,
  });

  const { parse, ...submitting } = createSubmitting(deps, {
    acceptance,
    visible,
    openAccepted,
    isDraining: duties.isDraining,
  });
  const asked = (actor: Actor, submission: Submission) => {
    authorize(actor, 'request:estimate');
    return parse(submission);
  };

  return {
    ...submitting,
    async cancel(actor, requestId) {
      const request = await toCancel(actor, requestId);
      await cancel(request);
      return (await find(requestId)) ?? request;
    },
    async request(actor, requestId) {
      authorize(actor, 'request:read');
      return visible(actor, requestId);
    },
    ...content,
    noteReading,
    instanceId: deps.owner,
    ...following,
    steps: createStepRequests({ ...deps, acceptance, active, queue, news, open, find }),
    ...status,
    async rateLimits(actor, holder) {
      if (holder.userId !== actor.userId) authorize(actor, 'member:manage');
      return (await deps.limits?.look(holder)) ?? [];
    },
    estimateCost: (actor, submission) => planning.estimate(asked(actor, submission)),
    simulateRoute: (actor, submission) =>
      planning.decide(asked(actor, submission), { budgeted: store.budgets.concern(callerOf(actor)) }),
    ...duties,
  };
}
