// What workflows need of the gateway, and the gateway of them. A step is a request like any other: routed, accounted,
// recovered. It is made under an id that its workflow has written down before, so that making it twice makes one.

import type { Actor } from '../domain/access.ts';
import { DomainError } from '../domain/errors.ts';
import { isTerminal, type ModelRequest, type RequestBody, type RequestSpec } from '../domain/request.ts';
import type { StreamEvent } from '../domain/stream.ts';
import type { Store } from '../store/store.ts';
import type { Acceptance } from './acceptance.ts';
import type { Admission } from './admission.ts';
import { type CancellationDeps, cancelRequest } from './cancellation.ts';
import type { Arrival } from './failover.ts';
import type { FollowedEvent } from './gateway.ts';
import type { Planning } from './planning.ts';

/** On whose behalf: whoever submitted the workflow. */
export type StepActor = Pick<ModelRequest, 'userId'> & { readonly apiKeyId: string | undefined };

export interface StepRequests {
  /** Resolves when the request is durable, made now or before. Throws what a submission throws, CONFLICT at the end. */
  submit(actor: StepActor, requestId: string, spec: RequestSpec): Promise<void>;
  /** Undefined: it was never made. */
  request(requestId: string): Promise<ModelRequest | undefined>;
  body(requestId: string): Promise<RequestBody | undefined>;
  /** Its events from the beginning on, to the last one. */
  follow(request: ModelRequest): AsyncIterableIterator<FollowedEvent>;
  /** What the first candidate would take for an answer of typical length, in nano-USD; undefined: unknown. */
  estimate(spec: RequestSpec): bigint | undefined;
  /** Tells whoever watches or runs it, here and elsewhere, that it is no longer as it was, and may wait to be run. */
  changed(requestId: string): Promise<void>;
  /** Resolves when it has ended. */
  cancel(request: ModelRequest): Promise<void>;
  /** Resolves when the request is said to have changed, after `atMostMs`, or when the signal aborts. */
  nextChange(requestId: string, atMostMs: number, signal: AbortSignal): Promise<void>;
}

/** A workflow on its way, in the hands of this process. */
export interface WorkflowJourney {
  readonly request: ModelRequest;
  readonly spec: RequestSpec;
  /** Aborted by a cancel, a shutdown or the loss of ownership. */
  readonly signal: AbortSignal;
  /** Appends to the log of the workflow's request; never waits. */
  readonly emit: (event: StreamEvent) => void;
  /** Number of the last event in that log. */
  readonly sequence: () => number;
}

/** It makes no attempts of its own: those of its steps are theirs. */
export interface WorkflowArrival extends Pick<Arrival, 'status' | 'error'> {
  readonly output: string | undefined;
}

/** Carries a workflow out. Never throws. Undefined: it is parked, and in nobody's hands any more. */
export type RunWorkflow = (journey: WorkflowJourney) => Promise<WorkflowArrival | undefined>;

interface StepRequestsDeps extends CancellationDeps {
  readonly acceptance: Acceptance;
  readonly admission: Pick<Admission, 'wake'>;
  readonly planning: Pick<Planning, 'decide'>;
  readonly open: (request: ModelRequest) => AsyncIterableIterator<FollowedEvent>;
  /** As it stands now, wherever it is. */
  readonly find: (requestId: string) => Promise<ModelRequest | undefined>;
}

export function createStepRequests(deps: StepRequestsDeps): StepRequests {
  const { store, acceptance, active, news } = deps;
  return {
    async submit(actor, requestId, spec) {
      // As the database has the workflow: its owner may have lost it without knowing.
      const [[known], [workflow], onBehalfOf] = await Promise.all([
        store.requests.byIds([requestId]),
        store.requests.byIds([spec.step!.workflowId]),
        toActor(actor, store),
      ]);
      // Whoever has it in hand runs it; here nothing more is to be done.
      if (known || active.get(requestId)) return;
      if (!workflow || isTerminal(workflow.status))
        throw new DomainError('CONFLICT', 'The workflow has ended: no step of it is begun.');
      await acceptance.accept({
        actor: onBehalfOf,
        spec,
        id: requestId,
        idempotencyKey: undefined,
        address: undefined,
      });
    },
    request: deps.find,
    body: async requestId => (await store.requests.bodiesByIds([requestId]))[0],
    follow: deps.open,
    estimate(spec) {
      const { candidates } = deps.planning.decide(spec, { modelMayBeGone: true });
      return candidates[0]?.estimatedCostNanoUsd;
    },
    changed(requestId) {
      deps.signals.send({ type: 'request-changed', requestId });
      deps.signals.send({ type: 'work-queued' });
      deps.admission.wake();
      return news.changedElsewhere([requestId]);
    },
    cancel: step => cancelRequest(step, deps),
    nextChange: news.next,
  };
}

/**
 * The workflow was accepted for its submitter, whose credential may have ended since: its steps belong to it. The limits
 * are those that hold now.
 */
async function toActor({ userId, apiKeyId }: StepActor, { members }: Store): Promise<Actor> {
  const [[user], key] = await Promise.all([
    members.usersByIds([userId]),
    apiKeyId === undefined ? undefined : members.apiKeyById(apiKeyId),
  ]);
  return {
    userId,
    username: user?.username ?? '',
    role: user?.role ?? 'USER',
    credential: apiKeyId === undefined ? { kind: 'session', id: '' } : { kind: 'apiKey', id: apiKeyId },
    rateLimits: { user: user?.rateLimits, apiKey: key?.rateLimits },
  };
}
