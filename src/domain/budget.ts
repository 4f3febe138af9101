// Money budgets: what a user, or a program with its API key, may spend in a period. Of each request the most that it can
// cost is reserved before it runs; when it has ended, what it did cost is spent and the rest is free again.

import { DomainError } from './errors.ts';
import { toGlobalId } from './ids.ts';
import { formatUsd } from './usage.ts';

/** DAY, WEEK (from Monday) and MONTH begin at midnight in UTC; TOTAL never begins anew. */
export const BUDGET_PERIODS = ['DAY', 'WEEK', 'MONTH', 'TOTAL'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

export interface Budget {
  readonly id: string;
  /** Who spends, or whose key does. */
  readonly userId: string;
  /** The key it was set for and those that have replaced it, the latest last; undefined: all that the user does. */
  readonly apiKeyIds: readonly string[] | undefined;
  readonly period: BudgetPeriod;
  readonly limitNanoUsd: bigint;
  /** By requests that have ended in this period. */
  readonly spentNanoUsd: bigint;
  /** By requests that have not ended. */
  readonly reservedNanoUsd: bigint;
  /** Since when `spentNanoUsd` counts: the beginning of the present period, or when a budget in TOTAL was set. */
  readonly periodStart: Date;
  readonly createdAt: Date;
}

/** How requests under a budget are carried out. */
export interface BudgetRules {
  /** Output tokens of one that asks for no number itself: so much is reserved, and more it does not get. */
  readonly outputTokens: number;
  /** May they go to deployments of unknown price? What they cost there counts as nothing. */
  readonly allowUnpriced: boolean;
}

export const DEFAULT_BUDGET_RULES: BudgetRules = { outputTokens: 4_096, allowUnpriced: false };

/** What can still be reserved; never negative. */
export function remainingOf({ limitNanoUsd, spentNanoUsd, reservedNanoUsd }: Budget): bigint {
  const left = limitNanoUsd - spentNanoUsd - reservedNanoUsd;
  return left > 0n ? left : 0n;
}

/** When the next period begins; undefined for TOTAL. */
export function resetsAt({ period, periodStart }: Pick<Budget, 'period' | 'periodStart'>): Date | undefined {
  const next = new Date(periodStart);
  if (period === 'TOTAL') return undefined;
  if (period === 'MONTH') next.setUTCMonth(next.getUTCMonth() + 1);
  else next.setUTCDate(next.getUTCDate() + (period === 'DAY' ? 1 : 7));
  return next;
}

/** What a caller is told whose request would take `neededNanoUsd`, and what can be done. */
export function budgetExceeded(budget: Budget, neededNanoUsd: bigint): DomainError {
  const { apiKeyIds, period, limitNanoUsd, spentNanoUsd, reservedNanoUsd } = budget;
  const id = toGlobalId('budget', budget.id);
  const whose = apiKeyIds ? 'API key' : 'user';
  const until = resetsAt(budget)?.toISOString();
  const usd = (nanoUsd: bigint) => `$${formatUsd(nanoUsd)}`;
  const remaining = remainingOf(budget);
  const sentences = [
    `Budget ${id} of the ${whose} (${period}, ${usd(limitNanoUsd)}) has ${usd(remaining)} left, and this request may cost ${usd(neededNanoUsd)}.`,
    `${usd(spentNanoUsd)} are spent, ${usd(reservedNanoUsd)} reserved by requests that have not ended.`,
    until === undefined ? 'It does not reset.' : `It resets at ${until}.`,
    'Ask for fewer maxOutputTokens or a cheaper model, or for a larger budget.',
  ];
  return new DomainError('BUDGET_EXCEEDED', sentences.join(' '), {
    details: {
      budgetId: id,
      period,
      limit: formatUsd(limitNanoUsd),
      remaining: formatUsd(remaining),
      required: formatUsd(neededNanoUsd),
      ...(until !== undefined && { resetsAt: until }),
    },
  });
}
