// Setting and removing budgets. How requests are held to them: store/reserve.ts and gateway/allowance.ts.

import { authorize } from '../domain/access.ts';
import type { Budget, BudgetPeriod } from '../domain/budget.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { newId, toGlobalId } from '../domain/ids.ts';
import { formatUsd } from '../domain/usage.ts';
import type { Store } from '../store/store.ts';
import type { MemberContext } from './member-context.ts';
import type { Members } from './members.ts';
import { userOrNotFound } from './users.ts';

type Budgets = Pick<Members, 'setBudget' | 'removeBudget' | 'budgets'>;

/** Exactly one of the two ids. */
export interface BudgetInput {
  readonly userId?: string | undefined;
  readonly apiKeyId?: string | undefined;
  readonly period: BudgetPeriod;
  readonly limitNanoUsd: bigint;
}

/** A thousand million USD: sums stay far below what a column holds. */
const MAX_LIMIT_NANO_USD = 10n ** 18n;

export function createBudgets(context: MemberContext): Budgets {
  return {
    async setBudget(actor, input) {
      authorize(actor, 'budget:manage');
      const { period, limitNanoUsd } = input;
      if (limitNanoUsd < 0n || limitNanoUsd > MAX_LIMIT_NANO_USD)
        throw badInput('limit', `must be 0 to ${formatUsd(MAX_LIMIT_NANO_USD)}`);
      const budget = await context.store.transaction(async store => {
        const owner = await ownerOf(store, input);
        const set = await store.budgets.set({ id: newId(), ...owner, period, limitNanoUsd });
        await context.remember(store, {
          action: 'budget.set',
          actor,
          subject: { kind: 'budget', id: set.budget.id },
          data: {
            ...factsOf(set.budget),
            before: set.limitBefore === undefined ? null : { limit: formatUsd(set.limitBefore) },
            after: { limit: formatUsd(limitNanoUsd) },
          },
        });
        return set.budget;
      });
      await context.store.budgets.refresh();
      return budget;
    },

    async removeBudget(actor, budgetId) {
      authorize(actor, 'budget:manage');
      const removed = await context.store.transaction(async store => {
        const budget = await store.budgets.remove(budgetId);
        if (!budget) throw new DomainError('NOT_FOUND', 'There is no budget with that id.');
        await context.remember(store, {
          action: 'budget.remove',
          actor,
          subject: { kind: 'budget', id: budgetId },
          data: {
            ...factsOf(budget),
            limit: formatUsd(budget.limitNanoUsd),
            spent: formatUsd(budget.spentNanoUsd),
            reserved: formatUsd(budget.reservedNanoUsd),
          },
        });
        return budget;
      });
      await context.store.budgets.refresh();
      return removed;
    },

    async budgets(actor, query) {
      authorize(actor, 'budget:manage');
      return context.store.budgets.page(query);
    },
  };
}

/** Also of a key that has ended: what it did is still paid for. */
async function ownerOf(store: Store, { userId, apiKeyId }: BudgetInput) {
  if ((userId === undefined) === (apiKeyId === undefined))
    throw badInput('userId', 'and apiKeyId exclude each other: send exactly one of them');
  if (userId !== undefined) {
    await userOrNotFound(store, userId);
    return { userId, apiKeyId };
  }
  const key = await store.members.apiKeyById(apiKeyId!);
  if (!key) throw new DomainError('NOT_FOUND', 'There is no API key with that id.');
  return { userId: key.userId, apiKeyId };
}

function factsOf({ userId, apiKeyIds, period }: Budget) {
  const apiKeyId = apiKeyIds?.at(-1);
  return {
    userId: toGlobalId('user', userId),
    ...(apiKeyId !== undefined && { apiKeyId: toGlobalId('apiKey', apiKeyId) }),
    period,
  };
}
