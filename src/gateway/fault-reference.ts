// What happens when a provider fails, in words for the README: a row for each rule of outcome.ts.

import { PROVIDER_FAULTS, type ProviderFault } from '../providers/provider-error.ts';
import { DEADLINE_RULES, FAULT_RULES, type FaultRule } from './outcome.ts';

export interface FaultDescription {
  /** Follows on "the provider …". */
  readonly meaning: string;
  readonly error: string;
  /** Whether waiting helps. */
  readonly retryable: string;
  readonly next: string;
  readonly counted: string;
}

export function describeFaults(): FaultDescription[] {
  const faults = PROVIDER_FAULTS.map(fault => describeFault(fault, FAULT_RULES[fault]));
  const deadlines = Object.entries(DEADLINE_RULES).map(([name, { code, meaning }]) => ({
    meaning,
    error: code,
    retryable: 'yes',
    next: name === 'total' ? 'nobody' : 'the next candidate',
    counted:
      name === 'total'
        ? 'yes, if it had nearly all of the configured time to itself'
        : 'yes, unless the caller had set the deadline tighter',
  }));
  return [...faults, ...deadlines];
}

function describeFault(fault: ProviderFault, rule: FaultRule): FaultDescription {
  return {
    meaning: rule.meaning,
    error: rule.code,
    retryable: rule.retryable ? 'yes' : 'no',
    next: nextOf(fault, rule),
    counted: countedOf(fault, rule),
  };
}

function nextOf(fault: ProviderFault, { final, retrySameTarget }: FaultRule): string {
  if (final) return 'nobody';
  if (fault === 'rate-limit')
    return 'the next candidate; the last one once more after its Retry-After, if that is at most `MCPLANE_MAX_RETRY_AFTER_MS`';
  // A wrong answer is known for one at its end only.
  if (fault === 'schema-mismatch')
    return 'the next candidate; the last one once more, unless its answer was too long';
  return retrySameTarget
    ? 'before the first token the same once more, then the next candidate; the last one once more'
    : 'the next candidate';
}

function countedOf(fault: ProviderFault, { counted, providerWide }: FaultRule): string {
  if (fault === 'rate-limit') return 'no; a cooldown keeps calls away';
  if (fault === 'connection') return "yes; when nobody is there, all the provider's breakers open at once";
  if (providerWide) return "yes; all the provider's breakers open at once";
  return counted ? 'yes' : 'no';
}
