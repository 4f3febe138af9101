// What a running request may still cost that holds a reservation of budgets. No call is made that could cost more than
// is left of it: before such a call more is reserved, or it is not made.

import { type Budget, type BudgetRules, remainingOf, resetsAt } from '../domain/budget.ts';
import { toGlobalId } from '../domain/ids.ts';
import type { Deployment } from '../domain/model.ts';
import type { Attempt, ModelRequest } from '../domain/request.ts';
import type { RoutingRejection } from '../domain/routing.ts';
import { formatUsd } from '../domain/usage.ts';
import { type Clock, pause } from '../lib/clock.ts';
import type { ProviderCall } from '../providers/provider.ts';
import type { Store } from '../store/store.ts';
import { maxCostOfCall } from './call.ts';

export interface IntendedCall {
  readonly call: ProviderCall;
  readonly deployment: Deployment;
}

export interface Allowance {
  /** Output tokens of a request that asks for no number itself. */
  readonly outputTokens: number;
  /**
   * Sees to it that the call is covered, after these attempts: undefined, else why it must not be made. Waits for the
   * database, as long as the request may.
   */
  cover(intended: IntendedCall, attempts: readonly Attempt[]): Promise<RoutingRejection | undefined>;
  /** Are all of these covered by what the request holds already? */
  covers(intended: readonly IntendedCall[]): boolean;
}

interface AllowanceDeps {
  readonly store: Pick<Store, 'budgets'>;
  readonly rules: BudgetRules;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
  /** What the request holds now. */
  readonly onExtended: (reservedNanoUsd: bigint) => void;
}

interface Holder {
  readonly request: Pick<ModelRequest, 'id' | 'epoch' | 'reservedNanoUsd'>;
  /** Made by instances that had it before. */
  readonly earlier: readonly Attempt[];
  readonly signal: AbortSignal;
  /** Monotonic instant of the total deadline. */
  readonly endsAtMs: number;
}

/** Undefined for a request that falls under no budget. */
export function createAllowance(holder: Holder, deps: AllowanceDeps): Allowance | undefined {
  const { request, earlier } = holder;
  const { rules } = deps;
  if (request.reservedNanoUsd === undefined) return undefined;
  let reservedNanoUsd = request.reservedNanoUsd;
  const spentBefore = costOfAll(earlier);

  function mostOf({ call, deployment }: IntendedCall): bigint | undefined {
    return maxCostOfCall(call, deployment) ?? (rules.allowUnpriced ? 0n : undefined);
  }

  return {
    outputTokens: rules.outputTokens,
    async cover(intended, attempts) {
      const deploymentId = intended.deployment.id;
      const mostNanoUsd = mostOf(intended);
      if (mostNanoUsd === undefined)
        return { deploymentId, reason: 'UNPRICED', detail: 'its price is unknown, and a budget applies' };
      const missing = spentBefore + costOfAll(attempts) + mostNanoUsd - reservedNanoUsd;
      if (missing <= 0n || mostNanoUsd === 0n) return undefined;
      const extended = await extend(missing, holder, deps);
      if (extended?.outcome === 'extended') {
        reservedNanoUsd = extended.reservedNanoUsd;
        deps.onExtended(reservedNanoUsd);
        return undefined;
      }
      const most = `another call may cost $${formatUsd(mostNanoUsd)}`;
      const why = extended?.outcome === 'refused' ? leftOf(extended.budget) : 'the budget could not be asked';
      return { deploymentId, reason: 'BUDGET', detail: `${most}, and ${why}` };
    },
    covers: intended => {
      const most = intended.map(mostOf).map(each => each ?? reservedNanoUsd + 1n);
      return most.reduce((sum, each) => sum + each, spentBefore) <= reservedNanoUsd;
    },
  };
}

/** Of a call that died nobody knows what it cost: then what was reserved for it. */
function costOfAll(attempts: readonly Attempt[]): bigint {
  return attempts.reduce((sum, each) => sum + (each.costNanoUsd ?? each.reservedNanoUsd ?? 0n), 0n);
}

/** Asks until the database answers; undefined when the request has ended before. */
async function extend(
  byNanoUsd: bigint,
  { request, signal, endsAtMs }: Holder,
  { store, clock, log }: AllowanceDeps,
) {
  for (let delayMs = 100; !signal.aborted; delayMs = Math.min(delayMs * 2, 2_000)) {
    try {
      return await store.budgets.extend(request, byNanoUsd);
    } catch (error) {
      if (clock.monotonic() + delayMs >= endsAtMs) break;
      log.warn({ error, requestId: request.id }, 'no more could be reserved yet; it is tried again');
      await pause(clock, delayMs);
    }
  }
  return undefined;
}

function leftOf(budget: Budget): string {
  const until = resetsAt(budget);
  const limit = `${budget.period}, $${formatUsd(budget.limitNanoUsd)}`;
  const left = `budget ${toGlobalId('budget', budget.id)} (${limit}) has $${formatUsd(remainingOf(budget))} left`;
  return until ? `${left} until ${until.toISOString()}` : left;
}
