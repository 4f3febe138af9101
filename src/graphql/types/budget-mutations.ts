// Setting and removing budgets.

import type { Budget } from '../../domain/budget.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { requireId } from '../require-id.ts';
import { BudgetType } from './budget.ts';
import { BudgetPeriodEnum } from './enums.ts';

const SetBudgetInput = builder.inputType('SetBudgetInput', {
  description: 'Whose budget, for which period, and how much. Send exactly one of `userId` and `apiKeyId`.',
  fields: t => ({
    userId: t.id({ description: 'For all that this user does, with whatever credential.' }),
    apiKeyId: t.id({ description: 'For what comes with this key, or with one that replaces it.' }),
    period: t.field({
      type: BudgetPeriodEnum,
      required: true,
      description: 'When it begins anew. There is one budget for each owner and period.',
    }),
    limit: t.field({
      type: 'Decimal',
      required: true,
      description: 'USD that may be spent in a period, 0 to 1000000000. 0: only what costs nothing.',
    }),
  }),
});

const RemoveBudgetInput = builder.inputType('RemoveBudgetInput', {
  description: 'Which budget to remove.',
  fields: t => ({ budgetId: t.id({ required: true, description: 'The id of the budget.' }) }),
});

const SetBudgetPayload = builder.objectRef<{ budget: Budget }>('SetBudgetPayload').implement({
  description: 'What `setBudget` did.',
  fields: t => ({
    budget: t.expose('budget', { type: BudgetType, description: 'The budget as it is now.' }),
  }),
});

const RemoveBudgetPayload = builder.objectRef<{ budget: Budget }>('RemoveBudgetPayload').implement({
  description: 'What `removeBudget` did.',
  fields: t => ({
    budget: t.expose('budget', { type: BudgetType, description: 'The budget as it was; it is gone.' }),
  }),
});

builder.mutationFields(t => ({
  setBudget: t.field({
    ...permitted('budget:manage'),
    type: SetBudgetPayload,
    description:
      "Sets an owner's budget for a period. A new one begins with nothing spent, and applies on every instance to what is submitted from then on; of one that exists the limit changes, and what is spent and reserved stays. NOT_FOUND when there is no such user or key.",
    args: { input: t.arg({ type: SetBudgetInput, required: true, description: 'Whose, and how much.' }) },
    resolve: async (_root, { input: { userId, apiKeyId, period, limit } }, context) => ({
      budget: await context.members.setBudget(actorOf(context), {
        userId: userId == null ? undefined : requireId('user', userId),
        apiKeyId: apiKeyId == null ? undefined : requireId('apiKey', apiKeyId),
        period,
        limitNanoUsd: limit,
      }),
    }),
  }),
  removeBudget: t.field({
    ...permitted('budget:manage'),
    type: RemoveBudgetPayload,
    description:
      'Removes a budget. Requests that were accepted under it keep to what they have reserved. NOT_FOUND when there is no such budget.',
    args: { input: t.arg({ type: RemoveBudgetInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, context) => ({
      budget: await context.members.removeBudget(actorOf(context), requireId('budget', input.budgetId)),
    }),
  }),
}));
