// The acceptance of a submission: route, take a place, commit, hand over to those that run.

import { type Budget, budgetExceeded } from '../domain/budget.ts';
import { DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import { redactSpec } from '../domain/redacted.ts';
import type { RedactText } from '../domain/redaction.ts';
import type { ModelRequest } from '../domain/request.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Signals } from '../events/signals.ts';
import { atMost, type Clock } from '../lib/clock.ts';
import type { AcceptResult, KnownRequest, NewRequest, Store } from '../store/store.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import type { ActiveRequests } from './active-requests.ts';
import type { Place } from './admission.ts';
import {
  type AdmittingDeps,
  callerOf,
  createAdmitting,
  hashOf,
  type Plan,
  plan,
  type Submitted,
} from './admitting.ts';
import type { Active } from './execution.ts';
import { createMoments } from './moments.ts';

export type Accepted =
  | { readonly request: ModelRequest }
  | { readonly requestId: string; readonly conflict: boolean };

export interface Acceptance {
  /** Route, take of the limits, take a place, commit, run: in this order nothing is promised that cannot be kept. */
  accept(submitted: Submitted): Promise<Accepted>;
  /** Waits for those that are on their way into the store; resolves with what is left of the time. */
  settle(graceMs: number): Promise<number>;
}

interface AcceptanceDeps extends AdmittingDeps {
  readonly events: EventLog;
  readonly clock: Clock;
  readonly signals: Signals;
  /** The incarnation that owns what is accepted here. */
  readonly owner: () => string;
  /** Replaces personal data before anything is stored or sent; absent: nothing is replaced. */
  readonly redact?: RedactText | undefined;
  readonly announce: (request: ModelRequest) => void;
  readonly onBudgetExceeded?: ((budget: Budget) => void) | undefined;
}

export function createAcceptance(deps: AcceptanceDeps, active: ActiveRequests): Acceptance {
  const { events, admission, limits, clock } = deps;
  const admit = createAdmitting(deps);
  const underWay = new Set<Promise<Accepted>>();

  async function accept(submitted: Submitted): Promise<Accepted> {
    const receivedAtMs = clock.monotonic();
    const now = new Date(clock.now());
    const id = submitted.id ?? newId(now.getTime());
    const { planned: first, place, known } = await admit(id, submitted);
    if (known) return toAccepted(known);
    const request = newRequest(submitted, { id, now, place });
    const entry = (reservedNanoUsd: bigint | undefined, { decision }: Plan) => {
      const moments = createMoments(receivedAtMs, clock.monotonic());
      const { spec } = submitted;
      return takeOver({ request: { ...request, reservedNanoUsd }, spec, decision, moments }, events);
    };
    const row = newRow(submitted, request);
    const told = Promise.withResolvers<boolean>();
    active.arriving.set(id, told.promise);
    const storing = write(place === 'running' ? { ...row, owner: deps.owner() } : row, first, deps);
    const { accepted, planned } = await storing.catch(error => {
      admission.withdraw(place);
      limits?.end(id, 0);
      // Who knows its key or id comes again and shall find it: should the row turn up, nobody holds it, and it is queued.
      const isFindable = submitted.idempotencyKey !== undefined || submitted.id !== undefined;
      told.resolve(isFindable);
      active.arriving.delete(id);
      if (!isFindable && !neverRan(error)) void active.disown(entry(0n, first));
      throw error;
    });
    told.resolve(accepted.outcome === 'accepted');
    active.arriving.delete(id);
    if (accepted.outcome !== 'accepted') {
      admission.withdraw(place);
      limits?.end(id, 0);
      return refuse(accepted, deps);
    }
    if (place === 'running') active.add(entry(accepted.reservedNanoUsd, planned));
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
      const { redact } = deps;
      const accepting = accept(
        redact ? { ...submitted, spec: redactSpec(submitted.spec, redact) } : submitted,
      );
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
  return error instanceof StoreUnavailable ? !error.mayHaveRun : error instanceof DomainError;
}

/** Nobody owns what waits, and who serves it is decided when it has its turn. A workflow calls nobody itself. */
function withPlan(row: NewRequest, { decision, reservation }: Plan): NewRequest {
  const isCalling = row.owner !== undefined && !row.spec.workflow;
  return { ...row, reservation, deploymentId: isCalling ? decision.chosen : undefined };
}

function newRow({ actor, spec, idempotencyKey }: Submitted, request: ModelRequest): NewRequest {
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
    reservedNanoUsd: undefined,
  };
}
