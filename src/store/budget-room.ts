// How much room some locked budgets have, and who gets it. Pure: what was taken is written afterwards.

import type { Budget } from '../domain/budget.ts';
import type { Holding } from './accept-rows.ts';
import type { AcceptResult, NewRequest } from './store.ts';

type Bounded = Pick<NewRequest, 'userId' | 'apiKeyId' | 'reservation'>;

export interface Room {
  /**
   * What the request wants of every budget that it falls under, or the least that it can do with. Without such a budget
   * it gets in with nothing.
   */
  take(request: Bounded): { readonly holding: Holding | undefined } | 'refused';
  giveBack(holding: Holding | undefined): void;
  /** Takes so much of all; of none when one has not so much, which is returned. */
  takeOfAll(nanoUsd: bigint): Budget | undefined;
  /** For one that `take` refused. */
  refusalOf(request: Bounded): AcceptResult;
  taken(): readonly { readonly id: string; readonly nanoUsd: bigint }[];
}

interface Purse {
  readonly budget: Budget;
  taken: bigint;
}

export function createRoom(budgets: readonly Budget[]): Room {
  const purses = budgets.map((budget): Purse => ({ budget, taken: 0n }));
  const byUser = Map.groupBy(purses, ({ budget }) => budget.userId);
  const byId = new Map(purses.map(purse => [purse.budget.id, purse]));

  function over({ userId, apiKeyId }: Bounded): readonly Purse[] {
    const isOver = ({ budget: { apiKeyIds } }: Purse) =>
      apiKeyIds === undefined || (apiKeyId !== undefined && apiKeyIds.includes(apiKeyId));
    return byUser.get(userId)?.filter(isOver) ?? [];
  }

  return {
    take(request) {
      const all = over(request);
      if (all.length === 0) return { holding: undefined };
      const { wantedNanoUsd, leastNanoUsd } = request.reservation ?? NOTHING;
      const reservedNanoUsd = [wantedNanoUsd, leastNanoUsd].find(
        nanoUsd => !all.some(purse => lacks(purse, nanoUsd)),
      );
      if (reservedNanoUsd === undefined) return 'refused';
      for (const purse of all) purse.taken += reservedNanoUsd;
      return { holding: { reservedNanoUsd, budgetIds: all.map(({ budget }) => budget.id) } };
    },
    giveBack(holding) {
      for (const id of holding?.budgetIds ?? []) byId.get(id)!.taken -= holding!.reservedNanoUsd;
    },
    takeOfAll(nanoUsd) {
      const full = purses.find(purse => lacks(purse, nanoUsd));
      if (!full) for (const purse of purses) purse.taken += nanoUsd;
      return full?.budget;
    },
    refusalOf(request) {
      const { leastNanoUsd } = request.reservation ?? NOTHING;
      const [tightest] = over(request).toSorted((a, b) => compare(roomIn(a), roomIn(b)));
      const { budget, taken } = tightest!;
      const now = { ...budget, reservedNanoUsd: budget.reservedNanoUsd + taken };
      return { outcome: 'refused', budget: now, neededNanoUsd: leastNanoUsd };
    },
    taken: () =>
      purses
        .filter(({ taken }) => taken > 0n)
        .map(({ budget, taken }) => ({ id: budget.id, nanoUsd: taken })),
  };
}

const NOTHING = { wantedNanoUsd: 0n, leastNanoUsd: 0n };

function roomIn({ budget: { limitNanoUsd, spentNanoUsd, reservedNanoUsd }, taken }: Purse): bigint {
  return limitNanoUsd - spentNanoUsd - reservedNanoUsd - taken;
}

/** What costs nothing needs no room, also where more was spent than there was. */
function lacks(purse: Purse, nanoUsd: bigint): boolean {
  return nanoUsd > 0n && nanoUsd > roomIn(purse);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
