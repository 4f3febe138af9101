// Settings of money budgets. The budgets themselves are set through the API.

import { DEFAULT_BUDGET_RULES } from '../domain/budget.ts';
import { setting } from './setting.ts';
import { flag, integer } from './values.ts';

export const BUDGET_SETTINGS = {
  MCPLANE_BUDGET_OUTPUT_TOKENS: setting(
    'budgets.outputTokens',
    integer(1, 10_000_000),
    DEFAULT_BUDGET_RULES.outputTokens,
    'Output tokens that a model request under a budget may take when it does not ask for a number itself.',
  ),
  MCPLANE_BUDGET_ALLOW_UNPRICED: setting(
    'budgets.allowUnpriced',
    flag(),
    DEFAULT_BUDGET_RULES.allowUnpriced,
    'Lets requests under a budget go to deployments of unknown price; what they cost there counts as nothing.',
  ),
  MCPLANE_BUDGET_WARNING_PERCENT: setting(
    'budgets.warningPercent',
    integer(1, 100),
    80,
    'A budget of which so much is spent is told of in the log and in `mcplane_budget_warnings_total`, once in a period.',
  ),
} as const;
