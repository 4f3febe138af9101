// Tells operators of budgets that are nearly used up, while there is still time to do something about it.

import type { Budget } from '../domain/budget.ts';
import { toGlobalId } from '../domain/ids.ts';
import { formatUsd } from '../domain/usage.ts';
import type { Store } from '../store/store.ts';

interface WatchDeps {
  readonly store: Pick<Store, 'budgets'>;
  /** Of the limit. */
  readonly warningPercent: number;
  readonly log: { warn(fields: object, message: string): void };
  readonly onWarning: (budget: Budget) => void;
}

/** Once in each period of a budget, by the instance where the request ended that made it so. */
export function watchBudgets({ store, warningPercent, log, onWarning }: WatchDeps): void {
  store.budgets.onSpending(({ budgetId, limitNanoUsd, spentBeforeNanoUsd, spentNanoUsd }) => {
    const isReached = (nanoUsd: bigint) => nanoUsd * 100n >= limitNanoUsd * BigInt(warningPercent);
    if (spentNanoUsd === spentBeforeNanoUsd || isReached(spentBeforeNanoUsd) || !isReached(spentNanoUsd))
      return;
    void store.budgets
      .byIds([budgetId])
      .then(([budget]) => budget && warn(budget))
      .catch(error => log.warn({ error, budgetId }, 'a budget is nearly used up, and could not be read'));
  });

  function warn(budget: Budget): void {
    onWarning(budget);
    const { period, limitNanoUsd, spentNanoUsd } = budget;
    const apiKeyId = budget.apiKeyIds?.at(-1);
    log.warn(
      {
        budgetId: toGlobalId('budget', budget.id),
        userId: toGlobalId('user', budget.userId),
        ...(apiKeyId !== undefined && { apiKeyId: toGlobalId('apiKey', apiKeyId) }),
        period,
        limit: formatUsd(limitNanoUsd),
        spent: formatUsd(spentNanoUsd),
      },
      `a budget is nearly used up: ${warningPercent} % of it are spent`,
    );
  }
}
