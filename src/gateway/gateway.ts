// The path of one prompt: accept, run, follow, cancel. Start reading here.

import { createHash } from 'node:crypto';
import { type Actor, authorize, can } from '../domain/access.ts';
import type { BreakerSnapshot, BreakerTransition } from '../domain/breaker.ts';
import { DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { Provider } from '../domain/model.ts';
import { isTerminal, type ModelRequest, type RequestSpec } from '../domain/request.ts';
import type { RoutingDecision, RoutingStrategy } from '../domain/routing.ts';
import type { StreamEvent } from '../domain/stream.ts';
import { parseSubmission, type Submission, type SubmissionLimits } from '../domain/submission.ts';
import { createTopic } from '../lib/topic.ts';
import type { RequestFilter } from '../store/store.ts';
import { type ActiveRequests, createActiveRequests } from './active-requests.ts';
import type { Admission } from './admission.ts';
import type { ExecutionDeps } from './execution.ts';
import { createFollowing } from './following.ts';
import { createProviderStatus } from './provider-status.ts';

/** An event as a subscriber gets it. */
export interface FollowedEvent {
  readonly requestId: string;
  /** Hand it back as `after` to continue behind this event. */
  readonly cursor: string;
  readonly event: StreamEvent;
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

export interface Gateway {
  /** Validates and makes the request durable; resolves after the commit. The answer is made whoever listens. */
  submit(actor: Actor, submission: Submission): Promise<ModelRequest>;
  /** Ends a request that is not terminal yet; resolves with its state afterwards. NOT_FOUND when it is foreign. */
  cancel(actor: Actor, requestId: string): Promise<ModelRequest>;
  /** One's own request, or anybody's for ADMIN; undefined when there is none to see. */
  request(actor: Actor, requestId: string): Promise<ModelRequest | undefined>;
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
  estimateCost(actor: Actor, submission: Submission): CostEstimate[];
  simulateRoute(actor: Actor, submission: Submission): RoutingDecision;
  providers(): readonly Provider[];
  /** Undefined for an unknown deployment. */
  breaker(deploymentId: string): BreakerSnapshot | undefined;
  breakerHistory(deploymentIds: readonly string[]): Promise<BreakerTransition[][]>;
  /** Takes up the breakers' last stored states, so that a restart does not run into a provider that was known broken. */
  restoreBreakers(): Promise<void>;
  /** Providers whenever they, one of their deployments or breakers change. */
  providerUpdates(): AsyncIterableIterator<Provider>;
  /** Closes the breakers of a deployment or of all deployments of a provider. ADMIN; audited. NOT_FOUND. */
  resetBreaker(
    actor: Actor,
    target: { deploymentId?: string; providerId?: string },
    reason: string,
  ): Promise<Provider>;
  /** Requests that run here now, and those that wait for a slot. */
  load(): { readonly running: number; readonly queued: number };
  /** Requests of this process that somebody wants cancelled through another one. */
  cancelWished(requestIds: readonly string[]): void;
  /** Requests that were ended by somebody else: tells the feed. */
  endedElsewhere(requestIds: readonly string[]): Promise<void>;
  /** Refuses new work, lets what runs finish for `graceMs`, then ends the rest; resolves when nothing is left. */
  drain(graceMs: number): Promise<void>;
  /** This process lost its requests to others: stops all work without writing anything. */
  fence(): void;
}

export interface GatewayDeps extends Omit<ExecutionDeps, 'onFinished'> {
  readonly admission: Admission;
  readonly submissionLimits: SubmissionLimits;
  readonly defaultStrategy: RoutingStrategy;
  /** The incarnation that owns what is accepted here. */
  readonly owner: () => string;
  readonly onFinished?: ExecutionDeps['onFinished'];
}

export function createGateway(deps: GatewayDeps): Gateway {
  const { store, events, planning } = deps;
  const changes = createTopic<ModelRequest>();
  const announce = (request: ModelRequest): void => changes.publish(request.id, request);
  const active = createActiveRequests({
    ...deps,
    announce,
    onFinished(request, attempts) {
      announce(request);
      deps.onFinished?.(request, attempts);
    },
  });
  const parse = (submission: Submission) =>
    parseSubmission(submission, deps.submissionLimits, deps.defaultStrategy);
  let draining = false;

  async function visible(actor: Actor, requestId: string): Promise<ModelRequest | undefined> {
    const request = active.get(requestId)?.request ?? (await store.requests.byIds([requestId]))[0];
    const allowed = request && (request.userId === actor.userId || can(actor, 'request:read-any'));
    return allowed ? request : undefined;
  }

  return {
    async submit(actor, submission) {
      authorize(actor, 'request:submit');
      if (draining)
        throw new DomainError('SHUTTING_DOWN', 'This instance is stopping; submit again.', {
          retryAfterMs: 1_000,
        });
      const accepted = await accept(actor, parse(submission), {
        idempotencyKey: submission.idempotencyKey,
        deps,
        active,
      });
      const request = 'request' in accepted ? accepted.request : await visible(actor, accepted.requestId);
      if (!request || ('conflict' in accepted && accepted.conflict))
        throw new DomainError(
          'IDEMPOTENCY_CONFLICT',
          'idempotencyKey was used before with another input; use a new key.',
        );
      return request;
    },
    async cancel(actor, requestId) {
      const request = await visible(actor, requestId);
      if (!request) throw new DomainError('NOT_FOUND', 'There is no such request.');
      const entry = active.get(requestId);
      if (entry) return active.stop(entry, 'cancelled');
      if (!isTerminal(request.status)) await store.requests.wishCancel(requestId);
      return (await visible(actor, requestId)) ?? request;
    },
    request: visible,
    ...createFollowing({ store, events, changes, visible }),
    ...createProviderStatus(deps),
    estimateCost: (_actor, submission) => planning.estimate(parse(submission)),
    simulateRoute: (_actor, submission) => planning.decide(parse(submission)),
    load: deps.admission.load,
    cancelWished(requestIds) {
      for (const id of requestIds) {
        const entry = active.get(id);
        if (entry) void active.stop(entry, 'cancelled');
      }
    },
    async endedElsewhere(requestIds) {
      for (const request of await store.requests.byIds(requestIds)) if (request) announce(request);
    },
    async drain(graceMs) {
      draining = true;
      await active.drain(graceMs);
    },
    fence: active.fence,
  };
}

type Accepted =
  | { readonly request: ModelRequest }
  | { readonly requestId: string; readonly conflict: boolean };

/** Route, take a place, commit, run: in this order nothing is promised that cannot be kept. */
async function accept(
  actor: Actor,
  spec: RequestSpec,
  {
    idempotencyKey,
    deps,
    active,
  }: { idempotencyKey: string | null | undefined; deps: GatewayDeps; active: ActiveRequests },
): Promise<Accepted> {
  const { store, events, admission, planning, clock } = deps;
  const receivedAtMs = clock.monotonic();
  const decision = planning.decide(spec);
  planning.refuseHopeless(decision);
  const place = admission.enter();
  const giveBack = () => (place === 'running' ? admission.leave() : admission.withdraw());
  const request = newRequest(actor, spec, { now: new Date(clock.now()), running: place === 'running' });
  const row = {
    id: request.id,
    userId: actor.userId,
    createdAt: request.createdAt,
    apiKeyId: apiKeyOf(actor),
    owner: deps.owner(),
  };
  const status = place === 'running' ? 'RUNNING' : 'QUEUED';
  const key = { idempotencyKey: idempotencyKey ?? undefined, inputHash: hashOf(spec) };
  const accepted = await store.requests.accept({ ...row, ...key, status, spec }).catch(error => {
    giveBack();
    throw error;
  });
  if (accepted.outcome !== 'accepted') {
    giveBack();
    return { requestId: accepted.requestId, conflict: accepted.outcome === 'conflict' };
  }
  const writer = events.open(request.id, request.epoch);
  const controller = new AbortController();
  const done = Promise.withResolvers<ModelRequest>();
  active.add({ request, spec, decision, writer, controller, receivedAtMs, queuedMs: 0, done }, place);
  return { request };
}

function newRequest(
  actor: Actor,
  spec: RequestSpec,
  { now, running }: { now: Date; running: boolean },
): ModelRequest {
  return {
    id: newId(now.getTime()),
    userId: actor.userId,
    status: running ? 'RUNNING' : 'QUEUED',
    taskType: spec.taskType,
    priority: spec.priority,
    preferLocal: spec.preferLocal,
    strategy: spec.strategy,
    requestedModel: spec.model,
    createdAt: now,
    startedAt: running ? now : undefined,
    firstTokenAt: undefined,
    finishedAt: undefined,
    deploymentId: undefined,
    providerId: undefined,
    servedModel: undefined,
    finishReason: undefined,
    error: undefined,
    usage: undefined,
    costNanoUsd: undefined,
    overheadMs: undefined,
    attemptCount: 0,
    epoch: 1,
    lastSequence: undefined,
  };
}

function apiKeyOf({ credential }: Actor): string | undefined {
  return credential.kind === 'apiKey' ? credential.id : undefined;
}

/** Equal specs have equal hashes: parseSubmission builds them with their fields in one order. */
function hashOf(spec: RequestSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex');
}
