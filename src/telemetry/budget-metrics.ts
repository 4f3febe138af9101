// What budgets do, as metrics: by whose they are and their period, never by owner.

import { Counter, type Registry } from 'prom-client';
import type { Budget } from '../domain/budget.ts';

export interface BudgetMetrics {
  /** A submission was refused, because the budget did not cover it. */
  exceeded(budget: Budget): void;
  /** It is nearly used up. */
  warned(budget: Budget): void;
}

export function createBudgetMetrics(registry: Registry): BudgetMetrics {
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['scope', 'period'], registers: [registry] });
  const refusals = counter(
    'mcplane_budget_refusals_total',
    'Submissions refused because a budget did not cover them, by whose it is (user, api_key) and its period.',
  );
  const warnings = counter(
    'mcplane_budget_warnings_total',
    'Budgets that were nearly used up, each once in a period.',
  );
  return {
    exceeded: budget => refusals.inc(labelsOf(budget)),
    warned: budget => warnings.inc(labelsOf(budget)),
  };
}

function labelsOf({ apiKeyIds, period }: Budget) {
  return { scope: apiKeyIds ? 'api_key' : 'user', period: period.toLowerCase() };
}
