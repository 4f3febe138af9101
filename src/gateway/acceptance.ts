// The acceptance of a submission: route, take a place, commit, hand over to those that run.

import { createHash } from 'node:crypto';
import type { Catalog } from '../control/catalog.ts';
import type { Actor } from '../domain/access.ts';
import { newId } from '../domain/ids.ts';
import type { ModelRequest, RequestSpec } from '../domain/request.ts';
import { outputLimit, type RoutingDecision } from '../domain/routing.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Signals } from '../events/signals.ts';
import { atMost, type Clock } from '../lib/clock.ts';
import type { CallerLimits, Demand } from '../limits/limits.ts';
import type { AcceptResult, KnownRequest, NewRequest, Store } from '../store/store.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import type { ActiveRequests } from './active-requests.ts';
import type { Admission, Place } from './admission.ts';
import type { Active } from './execution.ts';
import { createMoments } from './moments.ts';
import type { Planning } from './planning.ts';

export type Accepted =
  | { readonly request: ModelRequest }
  | { readonly requestId: string; readonly conflict: boolean };

/** A submission that has been found sound. */
export interface Submitted {
  readonly actor: Actor;
  readonly spec: RequestSpec;
  readonly idempotencyKey: string | undefined;
  /** Where it came from; undefined: from this process itself. */
  readonly address: string | undefined;
  /** Chosen, and written down, before the request is made; absent: a new one. */
  readonly id?: string | undefined;
}

export interface Acceptance {
  /** Route, take of the limits, take a place, commit, run: in this order nothing is promised that cannot be kept. */
  accept(submitted: Submitted): Promise<Accepted>;
  /** Waits for those that are on their way into the store; resolves with what is left of the time. */
  settle(graceMs: number): Promise<number>;
}

interface AcceptanceDeps {
  readonly store: Store;
  readonly events: EventLog;
  readonly admission: Admission;
  readonly limits?: CallerLimits | undefined;
  readonly catalog: Catalog;
  readonly planning: Planning;
  readonly clock: Clock;
  readonly signals: Signals;
  /** The incarnation that owns what is accepted here. */
  readonly owner: () => string;
  readonly announce: (request: ModelRequest) => void;
}

export function createAcceptance(deps: AcceptanceDeps, active: ActiveRequests): Acceptance {
  const { store, events, admission, limits, clock } = deps;
  const admit = createAdmitting(deps);
  const underWay = new Set<Promise<Accepted>>();

  async function accept(submitted: Submitted): Promise<Accepted> {
    const receivedAtMs = clock.monotonic();
    const now = new Date(clock.now());
    const id = submitted.id ?? newId(now.getTime());
    const { decision, place, known } = await admit(id, submitted);
    if (known) return known;
    const request = newRequest(submitted, { id, now, place });
    const entry = () => {
      const moments = createMoments(receivedAtMs, clock.monotonic());
      return takeOver({ request, spec: submitted.spec, decision, moments }, events);
    };
    const row = newRow(submitted, request);
    // A workflow calls nobody itself.
    const taking = {
      owner: deps.owner(),
      deploymentId: submitted.spec.workflow ? undefined : decision.chosen,
    };
    const told = Promise.withResolvers<boolean>();
    active.arriving.set(id, told.promise);
    const storing = acceptSurely(store, place === 'running' ? { ...row, ...taking } : row);
    const accepted = await storing.catch(error => {
      admission.withdraw(place);
      limits?.end(id, 0);
      // Who knows its key or id comes again and shall find it: should the row turn up, nobody holds it, and it is queued.
      const isFindable = submitted.idempotencyKey !== undefined || submitted.id !== undefined;
      told.resolve(isFindable);
      active.arriving.delete(id);
      if (!isFindable && !neverRan(error)) void active.disown(entry());
      throw error;
    });
    told.resolve(accepted.outcome === 'accepted');
    active.arriving.delete(id);
    if (accepted.outcome !== 'accepted') {
      admission.withdraw(place);
      limits?.end(id, 0);
      return toAccepted(accepted);
    }
    if (place === 'running') active.add(entry());
    else {
      limits?.wait(id);
      deps.announce(request);
      admission.queued();
      deps.signals.send({ type: 'work-queued' });
    }
    return { request };
  }

  return {
    accept(submitted) {
      const accepting = accept(submitted);
      underWay.add(accepting);
      return accepting.finally(() => underWay.delete(accepting));
    },
    async settle(graceMs) {
      const endsAtMs = clock.monotonic() + graceMs;
      await atMost(clock, graceMs, Promise.allSettled(underWay));
      return Math.max(0, endsAtMs - clock.monotonic());
    },
  };
}

/** Finds a way and a place, or what an earlier use of the key made: a resend is never turned away for lack of room. */
function createAdmitting({ store, admission, limits, planning, catalog }: AcceptanceDeps) {
  return async (requestId: string, { actor, spec, idempotencyKey, address }: Submitted) => {
    try {
      const decision = planning.decide(spec);
      if (!spec.workflow) planning.refuseHopeless(decision);
      if (limits) {
        const tokens = tokensOf(spec, decision, catalog);
        const asking = limits.admit({ requestId, actor, address, part: partOf(spec), ...tokens });
        if (asking !== undefined) await asking;
      }
      return { decision, place: admission.enter() };
    } catch (error) {
      limits?.end(requestId, 0);
      if (idempotencyKey === undefined) throw error;
      const use = { userId: actor.userId, idempotencyKey, inputHash: hashOf(spec) };
      const known = await store.requests.requestOfKey(use);
      if (!known) throw error;
      return { known: toAccepted(known) };
    }
  };
}

/** What of a workflow its request is, and what its steps are. */
function partOf({ workflow, step }: RequestSpec): Demand['part'] {
  return workflow ? 'workflow' : step ? 'step' : 'whole';
}

function takeOver(
  taken: Pick<Active, 'request' | 'spec' | 'decision' | 'moments'>,
  events: EventLog,
): Active {
  return {
    ...taken,
    writer: events.open(taken.request.id, taken.request.epoch),
    controller: new AbortController(),
    earlier: [],
    done: Promise.withResolvers(),
  };
}

function toAccepted({ requestId, outcome }: KnownRequest): Accepted {
  return { requestId, conflict: outcome === 'conflict' };
}

/** Sent again when it fails: a connection that breaks behind the commit leaves a row, which is recognised by its id. */
async function acceptSurely({ requests }: Store, row: NewRequest): Promise<AcceptResult> {
  try {
    return await requests.accept(row);
  } catch (first) {
    return requests.accept(row).catch(second => {
      throw neverRan(second) ? first : second;
    });
  }
}

/** Nothing was stored and nothing will be; of any other failure this is not known. */
function neverRan(error: unknown): boolean {
  return error instanceof StoreUnavailable && !error.mayHaveRun;
}

function newRow({ actor, spec, idempotencyKey }: Submitted, request: ModelRequest): NewRequest {
  return {
    id: request.id,
    userId: actor.userId,
    apiKeyId: apiKeyOf(actor),
    createdAt: request.createdAt,
    owner: undefined,
    epoch: request.epoch,
    status: request.status === 'RUNNING' ? 'RUNNING' : 'QUEUED',
    deploymentId: undefined,
    idempotencyKey,
    // Compared when the key is met again; without a key nobody asks for it.
    inputHash: idempotencyKey === undefined ? '' : hashOf(spec),
    spec,
  };
}

function newRequest(
  { actor, spec }: Submitted,
  { id, now, place }: { id: string; now: Date; place: Place },
): ModelRequest {
  const running = place === 'running';
  return {
    id,
    userId: actor.userId,
    parentId: spec.step?.workflowId,
    step: spec.step?.step,
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
    failedAttemptsCostNanoUsd: undefined,
    overheadMs: undefined,
    attemptCount: 0,
    epoch: running ? 1 : 0,
    lastSequence: undefined,
    restartSequence: undefined,
  };
}

/** What it may take: as asked for, as far as the model goes; else what is usual. */
function tokensOf({ maxOutputTokens }: RequestSpec, decision: RoutingDecision, catalog: Catalog) {
  const { chosen, estimatedInputTokens: inputTokens, estimatedOutputTokens } = decision;
  if (maxOutputTokens === undefined)
    return { inputTokens, outputTokens: estimatedOutputTokens, outputIsAsked: false };
  const capabilities = chosen === undefined ? undefined : catalog.deployment(chosen)?.capabilities;
  const outputTokens = capabilities
    ? outputLimit(capabilities, maxOutputTokens, inputTokens)
    : maxOutputTokens;
  return { inputTokens, outputTokens, outputIsAsked: true };
}

function apiKeyOf({ credential }: Actor): string | undefined {
  return credential.kind === 'apiKey' ? credential.id : undefined;
}

/** Equal specs have equal hashes: parseSubmission builds them with their fields in one order. */
function hashOf(spec: RequestSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex');
}
