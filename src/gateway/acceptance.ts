// The acceptance of a submission: route, take a place, commit, hand over to those that run.

import { createHash } from 'node:crypto';
import type { Actor } from '../domain/access.ts';
import { type Budget, budgetExceeded } from '../domain/budget.ts';
import { DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { ModelRequest, RequestSpec } from '../domain/request.ts';
import type { RoutingDecision } from '../domain/routing.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Signals } from '../events/signals.ts';
import { atMost, type Clock } from '../lib/clock.ts';
import type { AcceptResult, KnownRequest, NewRequest, Reservation, Store } from '../store/store.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import type { ActiveRequests } from './active-requests.ts';
import type { Admission, Place } from './admission.ts';
import type { Active } from './execution.ts';
import { createMoments } from './moments.ts';
import type { Planning } from './planning.ts';

export type Accepted =
  | { readonly request: ModelRequest }
  | { readonly requestId: string; readonly conflict: boolean };

export interface Acceptance {
  /** Route, take a place, commit, run: in this order nothing is promised that cannot be kept. */
  accept(actor: Actor, spec: RequestSpec, idempotencyKey: string | undefined): Promise<Accepted>;
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
  readonly onBudgetExceeded?: ((budget: Budget) => void) | undefined;
}

/** Where a submission is to run, and what it has to hold for that when a budget applies. */
interface Plan {
  readonly decision: RoutingDecision;
  readonly reservation: Reservation | undefined;
}

export function createAcceptance(deps: AcceptanceDeps, active: ActiveRequests): Acceptance {
  const { store, events, admission, planning, clock } = deps;
  const underWay = new Set<Promise<Accepted>>();

  /** Finds a way and a place, or what an earlier use of the key made: a resend is never turned away for lack of room. */
  async function admit(actor: Actor, spec: RequestSpec, idempotencyKey: string | undefined) {
    try {
      const planned = plan(spec, store.budgets.concern(callerOf(actor)), planning);
      return { planned, place: admission.enter() };
    } catch (error) {
      if (idempotencyKey === undefined) throw error;
      const use = { userId: actor.userId, idempotencyKey, inputHash: hashOf(spec) };
      const known = await store.requests.requestOfKey(use);
      if (!known) throw error;
      return { known: toAccepted(known) };
    }
  }

  async function accept(
    actor: Actor,
    spec: RequestSpec,
    idempotencyKey: string | undefined,
  ): Promise<Accepted> {
    const receivedAtMs = clock.monotonic();
    const { planned: first, place, known } = await admit(actor, spec, idempotencyKey);
    if (known) return known;
    const request = newRequest(actor, spec, { now: new Date(clock.now()), place });
    const entry = (reservedNanoUsd: bigint | undefined, { decision }: Plan) => {
      const moments = createMoments(receivedAtMs, clock.monotonic());
      return takeOver({ request: { ...request, reservedNanoUsd }, spec, decision, moments }, events);
    };
    const row = newRow({ actor, request, spec, idempotencyKey });
    const told = Promise.withResolvers<boolean>();
    active.arriving.set(request.id, told.promise);
    const storing = write(place === 'running' ? { ...row, owner: deps.owner() } : row, first, deps);
    const { accepted, planned } = await storing.catch(error => {
      admission.withdraw(place);
      // A caller with a key comes again and shall find it: should the row turn up, nobody holds it, and it is queued.
      const isFindable = idempotencyKey !== undefined;
      told.resolve(isFindable);
      active.arriving.delete(request.id);
      if (!isFindable && !neverRan(error)) void active.disown(entry(0n, first));
      throw error;
    });
    told.resolve(accepted.outcome === 'accepted');
    active.arriving.delete(request.id);
    if (accepted.outcome !== 'accepted') {
      admission.withdraw(place);
      return refuse(accepted, deps);
    }
    if (place === 'running') active.add(entry(accepted.reservedNanoUsd, planned));
    else {
      deps.announce(request);
      admission.queued();
      deps.signals.send({ type: 'work-queued' });
    }
    return { request };
  }

  return {
    accept(actor, spec, idempotencyKey) {
      const accepting = accept(actor, spec, idempotencyKey);
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

function plan(spec: RequestSpec, budgeted: boolean, planning: Planning): Plan {
  const decision = planning.decide(spec, { budgeted });
  planning.refuseHopeless(decision);
  return { decision, reservation: budgeted ? planning.reservationFor(spec, decision) : undefined };
}

/** Planned anew when a budget applies that this process had not heard of. */
async function write(
  row: NewRequest,
  planned: Plan,
  { store, planning }: Pick<AcceptanceDeps, 'store' | 'planning'>,
): Promise<{ accepted: AcceptResult; planned: Plan }> {
  const accepted = await acceptSurely(store, withPlan(row, planned));
  if (accepted.outcome !== 'budgeted') return { accepted, planned };
  const again = plan(row.spec, true, planning);
  return { accepted: await acceptSurely(store, withPlan(row, again)), planned: again };
}

function refuse(
  refused: Exclude<AcceptResult, { outcome: 'accepted' }>,
  { onBudgetExceeded }: AcceptanceDeps,
): Accepted {
  if (refused.outcome === 'budgeted')
    throw new Error('A request with a reservation was taken for one without');
  if (refused.outcome !== 'refused') return toAccepted(refused);
  onBudgetExceeded?.(refused.budget);
  throw budgetExceeded(refused.budget, refused.neededNanoUsd);
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
  return error instanceof DomainError || (error instanceof StoreUnavailable && !error.mayHaveRun);
}

/** Nobody owns what waits, and who serves it is decided when it has its turn. */
function withPlan(row: NewRequest, { decision, reservation }: Plan): NewRequest {
  return { ...row, reservation, deploymentId: row.owner === undefined ? undefined : decision.chosen };
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
    ...callerOf(actor),
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
  { now, place }: { now: Date; place: Place },
): ModelRequest {
  const running = place === 'running';
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
    failedAttemptsCostNanoUsd: undefined,
    overheadMs: undefined,
    attemptCount: 0,
    epoch: running ? 1 : 0,
    lastSequence: undefined,
    restartSequence: undefined,
    reservedNanoUsd: undefined,
  };
}

/** Whose budgets apply. */
export function callerOf(actor: Actor): Pick<NewRequest, 'userId' | 'apiKeyId'> {
  return { userId: actor.userId, apiKeyId: apiKeyOf(actor) };
}

function apiKeyOf({ credential }: Actor): string | undefined {
  return credential.kind === 'apiKey' ? credential.id : undefined;
}

/** Equal specs have equal hashes: parseSubmission builds them with their fields in one order. */
function hashOf(spec: RequestSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex');
}
