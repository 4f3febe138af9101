// Before anything is stored of a submission: where it is to run, what its caller may still have accepted, what it has to
// hold of budgets, and a place.

import { hash } from 'node:crypto';
import type { Catalog } from '../control/catalog.ts';
import type { Actor } from '../domain/access.ts';
import type { RequestSpec } from '../domain/request.ts';
import { outputLimit, type RoutingDecision } from '../domain/routing.ts';
import type { CallerLimits, Demand } from '../limits/limits.ts';
import type { KnownRequest, NewRequest, Reservation, Store } from '../store/store.ts';
import type { Admission, Place } from './admission.ts';
import type { Planning } from './planning.ts';

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

/** Where a submission is to run, and what it has to hold for that when a budget applies. */
export interface Plan {
  readonly decision: RoutingDecision;
  readonly reservation: Reservation | undefined;
}

export interface AdmittingDeps {
  readonly store: Store;
  readonly admission: Admission;
  readonly limits?: CallerLimits | undefined;
  readonly catalog: Catalog;
  readonly planning: Planning;
}

/** A workflow makes no calls: its steps hold what they need. */
const NOTHING: Reservation = { wantedNanoUsd: 0n, leastNanoUsd: 0n };

type Admitted =
  | { readonly planned: Plan; readonly place: Place; readonly known?: undefined }
  | { readonly known: KnownRequest; readonly planned?: undefined; readonly place?: undefined };

/** Finds a way and a place, or what an earlier use of the key made: a resend is never turned away for lack of room. */
export function createAdmitting({ store, admission, limits, planning, catalog }: AdmittingDeps) {
  return async (requestId: string, submitted: Submitted): Promise<Admitted> => {
    const { actor, spec, idempotencyKey, address } = submitted;
    try {
      const planned = plan(spec, store.budgets.concern(callerOf(actor)), planning);
      if (limits) {
        const tokens = tokensOf(spec, planned.decision, catalog);
        const asking = limits.admit({ requestId, actor, address, part: partOf(spec), ...tokens });
        if (asking !== undefined) await asking;
      }
      return { planned, place: admission.enter() };
    } catch (error) {
      limits?.end(requestId, 0);
      if (idempotencyKey === undefined) throw error;
      const use = { userId: actor.userId, idempotencyKey, inputHash: hashOf(spec) };
      const known = await store.requests.requestOfKey(use);
      if (!known) throw error;
      return { known };
    }
  };
}

export function plan(spec: RequestSpec, budgeted: boolean, planning: Planning): Plan {
  const decision = planning.decide(spec, { budgeted: budgeted && !spec.workflow });
  if (!spec.workflow) planning.refuseHopeless(decision);
  if (!budgeted) return { decision, reservation: undefined };
  return { decision, reservation: spec.workflow ? NOTHING : planning.reservationFor(spec, decision) };
}

/** What of a workflow its request is, and what its steps are. */
function partOf({ workflow, step }: RequestSpec): Demand['part'] {
  return workflow ? 'workflow' : step ? 'step' : 'whole';
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

/** Whose budgets apply. */
export function callerOf({ userId, credential }: Actor): Pick<NewRequest, 'userId' | 'apiKeyId'> {
  return { userId, apiKeyId: credential.kind === 'apiKey' ? credential.id : undefined };
}

/** Equal specs have equal hashes: parseSubmission builds them with their fields in one order. */
export function hashOf(spec: RequestSpec): string {
  return hash('sha256', JSON.stringify(spec));
}
