// The acceptance of a submission: route, take a place, commit, hand over to those that run.

import { createHash } from 'node:crypto';
import type { Actor } from '../domain/access.ts';
import { newId } from '../domain/ids.ts';
import type { ModelRequest, RequestSpec } from '../domain/request.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Signals } from '../events/signals.ts';
import { atMost, type Clock } from '../lib/clock.ts';
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

/** What a request that is sent again is recognised by. */
export interface Naming {
  /** Of the caller. */
  readonly idempotencyKey?: string | undefined;
  /** Chosen, and written down, before the request is made; absent: a new one. */
  readonly id?: string | undefined;
}

export interface Acceptance {
  /** Route, take a place, commit, run: in this order nothing is promised that cannot be kept. */
  accept(actor: Actor, spec: RequestSpec, naming: Naming): Promise<Accepted>;
  /** Waits for those that are on their way into the store; resolves with what is left of the time. */
  settle(graceMs: number): Promise<number>;
}

interface AcceptanceDeps {
  readonly store: Store;
  readonly events: EventLog;
  readonly admission: Admission;
  readonly planning: Planning;
  readonly clock: Clock;
  readonly signals: Signals;
  /** The incarnation that owns what is accepted here. */
  readonly owner: () => string;
  readonly announce: (request: ModelRequest) => void;
}

export function createAcceptance(deps: AcceptanceDeps, active: ActiveRequests): Acceptance {
  const { store, events, admission, planning, clock } = deps;
  const underWay = new Set<Promise<Accepted>>();

  /** Finds a way and a place, or what an earlier use of the key made: a resend is never turned away for lack of room. */
  async function admit(actor: Actor, spec: RequestSpec, idempotencyKey: string | undefined) {
    try {
      const decision = planning.decide(spec);
      if (!spec.workflow) planning.refuseHopeless(decision);
      return { decision, place: admission.enter() };
    } catch (error) {
      if (idempotencyKey === undefined) throw error;
      const use = { userId: actor.userId, idempotencyKey, inputHash: hashOf(spec) };
      const known = await store.requests.requestOfKey(use);
      if (!known) throw error;
      return { known: toAccepted(known) };
    }
  }

  async function accept(actor: Actor, spec: RequestSpec, { idempotencyKey, id }: Naming): Promise<Accepted> {
    const receivedAtMs = clock.monotonic();
    const { decision, place, known } = await admit(actor, spec, idempotencyKey);
    if (known) return known;
    const now = clock.now();
    const request = newRequest(actor, spec, { id: id ?? newId(now), now: new Date(now), place });
    const entry = () => {
      const moments = createMoments(receivedAtMs, clock.monotonic());
      return takeOver({ request, spec, decision, moments }, events);
    };
    const row = newRow({ actor, request, spec, idempotencyKey });
    // A workflow calls nobody itself.
    const taking = { owner: deps.owner(), deploymentId: spec.workflow ? undefined : decision.chosen };
    const told = Promise.withResolvers<boolean>();
    active.arriving.set(request.id, told.promise);
    const storing = acceptSurely(store, place === 'running' ? { ...row, ...taking } : row);
    const accepted = await storing.catch(error => {
      admission.withdraw(place);
      // Who knows its key or id comes again and shall find it: should the row turn up, nobody holds it, and it is queued.
      const isFindable = idempotencyKey !== undefined || id !== undefined;
      told.resolve(isFindable);
      active.arriving.delete(request.id);
      if (!isFindable && !neverRan(error)) void active.disown(entry());
      throw error;
    });
    told.resolve(accepted.outcome === 'accepted');
    active.arriving.delete(request.id);
    if (accepted.outcome !== 'accepted') {
      admission.withdraw(place);
      return toAccepted(accepted);
    }
    if (place === 'running') active.add(entry());
    else {
      deps.announce(request);
      admission.queued();
      deps.signals.send({ type: 'work-queued' });
    }
    return { request };
  }

  return {
    accept(actor, spec, naming) {
      const accepting = accept(actor, spec, naming);
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

function newRow(accepting: {
  readonly actor: Actor;
  readonly request: ModelRequest;
  readonly spec: RequestSpec;
  readonly idempotencyKey: string | undefined;
}): NewRequest {
  const { actor, request, spec, idempotencyKey } = accepting;
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
  actor: Actor,
  spec: RequestSpec,
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

function apiKeyOf({ credential }: Actor): string | undefined {
  return credential.kind === 'apiKey' ? credential.id : undefined;
}

/** Equal specs have equal hashes: parseSubmission builds them with their fields in one order. */
function hashOf(spec: RequestSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex');
}
