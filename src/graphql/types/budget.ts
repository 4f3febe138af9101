// Money budgets, and reading them.

import { authorize } from '../../domain/access.ts';
import { type Budget, remainingOf, resetsAt } from '../../domain/budget.ts';
import { toGlobalId } from '../../domain/ids.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf, type Context } from '../context.ts';
import { pageCost } from '../cost.ts';
import { loading } from '../loading.ts';
import { toConnection, toPageQuery } from '../pagination.ts';
import { BudgetPeriodEnum } from './enums.ts';
import { ApiKeyType, maySee, UserType } from './member.ts';

export const BudgetType = builder.objectRef<Budget>('Budget');

builder.node(BudgetType, {
  description:
    'What a user, or what comes with an API key, may spend in a period. Of each request the most that it can cost is reserved before it is accepted; when it has ended, what it did cost is spent and the rest is free again.',
  id: { description: 'Opaque; starts with `bud_`.', resolve: budget => budget.id },
  loadOne: async (id, context) => {
    const [budget] = await context.store.budgets.byIds([id]);
    return budget && maySee(actorOf(context), budget.userId) ? budget : null;
  },
  fields: t => ({
    user: t.loadable({
      type: UserType,
      nullable: true,
      description: 'Who spends, or whose key does.',
      ...loading((ids, context) => context.members.usersByIds(ids)),
      resolve: budget => budget.userId,
    }),
    apiKeyId: t.id({
      nullable: true,
      description:
        'Id of the key that it is for; of one that was rotated, the latest, while those before it fall under it too. Null: it is for all that the user does.',
      resolve: ({ apiKeyIds }) => apiKeyIds && toGlobalId('apiKey', apiKeyIds.at(-1)!),
    }),
    period: t.field({
      type: BudgetPeriodEnum,
      description: 'When it begins anew.',
      resolve: budget => budget.period,
    }),
    limit: t.field({
      type: 'Decimal',
      description: 'USD that may be spent in a period.',
      resolve: budget => budget.limitNanoUsd,
    }),
    spent: t.field({
      type: 'Decimal',
      description:
        'USD spent in this period: the cost of the requests that have ended in it, all their attempts included. Of an attempt that is LOST, the most that it can have cost.',
      resolve: budget => budget.spentNanoUsd,
    }),
    reserved: t.field({
      type: 'Decimal',
      description:
        'USD reserved by requests that have not ended, also by those accepted in an earlier period.',
      resolve: budget => budget.reservedNanoUsd,
    }),
    remaining: t.field({
      type: 'Decimal',
      description: '`limit` without `spent` and `reserved`, in USD; 0 when they exceed it.',
      resolve: remainingOf,
    }),
    resetsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the next period begins; null for TOTAL.',
      resolve: resetsAt,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was set first.' }),
  }),
});

/** Throws FORBIDDEN for somebody else's. */
function visible(userId: string, id: string, context: Context): string {
  const actor = actorOf(context);
  if (!maySee(actor, userId)) authorize(actor, 'budget:manage');
  return id;
}

const WHOSE = "One's own, or anybody's for ADMIN; else FORBIDDEN.";

builder.objectField(UserType, 'budgets', t =>
  t.loadableList({
    type: BudgetType,
    description: `The budgets for all that the user does. ${WHOSE}`,
    complexity: { field: 1, multiplier: 4 },
    ...loading((ids, context) => context.store.budgets.ofUsers(ids)),
    resolve: (user, _args, context) => visible(user.id, user.id, context),
  }),
);

builder.objectField(ApiKeyType, 'budgets', t =>
  t.loadableList({
    type: BudgetType,
    description: `The budgets for what comes with this key; those of its user apply besides. ${WHOSE}`,
    complexity: { field: 1, multiplier: 4 },
    ...loading((ids, context) => context.store.budgets.ofApiKeys(ids)),
    resolve: (key, _args, context) => visible(key.userId, key.id, context),
  }),
);

builder.queryField('budgets', t =>
  t.connection(
    {
      ...permitted('budget:manage'),
      type: BudgetType,
      description: 'All budgets, newest first.',
      complexity: pageCost,
      resolve: async (_root, args, context) => {
        const page = await context.members.budgets(actorOf(context), toPageQuery('budgets', args));
        return toConnection('budgets', page);
      },
    },
    { name: 'BudgetConnection', description: 'A page of budgets.' },
    { name: 'BudgetEdge', description: 'A budget and its place in the page.' },
  ),
);
