// What the attempts of a request took together.

import type { Attempt } from '../domain/request.ts';
import { addUsage, type Usage } from '../domain/usage.ts';

export function totalUsage(attempts: readonly Attempt[]): Usage | undefined {
  const known = attempts.flatMap(attempt => (attempt.usage ? [attempt.usage] : []));
  return known.length === 0 ? undefined : known.reduce(addUsage);
}

/**
 * Unknown as soon as one part is unpriced: a sum that leaves something out would be a lie. Only what a call cost whose
 * instance died nobody can know; the ledger shows it as LOST.
 */
export function totalCost(attempts: readonly Attempt[]): bigint | undefined {
  let total = 0n;
  for (const { outcome, costNanoUsd } of attempts) {
    if (outcome === 'LOST') continue;
    if (costNanoUsd === undefined) return undefined;
    total += costNanoUsd;
  }
  return total;
}
