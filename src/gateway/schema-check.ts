// An answer that was asked for as JSON of a schema, judged when it is whole. To the breaker it is a success all the
// same: a wrong answer is no outage.

import { type JsonSchema, validateJson } from '../lib/json-schema.ts';
import type { AttemptFailed, AttemptSucceeded } from './attempt-result.ts';
import { FAULT_RULES } from './outcome.ts';

const TOO_LONG =
  'The answer ended at its greatest length, before its JSON was whole: allow more with maxOutputTokens, or ask for less.';

/** The attempt as it is, or as a failure that is billed like a success. `maxMs` for the comparison at most. */
export function holdToSchema(
  outcome: AttemptSucceeded,
  text: string,
  schema: JsonSchema,
  maxMs: number | undefined,
): AttemptSucceeded | AttemptFailed {
  const { finishReason } = outcome;
  // Whatever else was said: the provider would not.
  if (finishReason === 'content-filter')
    return failed(outcome, 'content-policy', 'The provider refused the content.');
  // Also when it happens to be JSON: a number that is cut is another number.
  if (finishReason === 'length')
    return { ...failed(outcome, 'schema-mismatch', TOO_LONG), retryForbidden: true, retryable: false };
  const checked = validateJson(schema, text, maxMs);
  if ('value' in checked) return outcome;
  const mismatch = failed(outcome, 'schema-mismatch', `The answer ${checked.problem}.`);
  // The schema is to blame, with any answer.
  return checked.isOpen ? { ...mismatch, retryForbidden: true, retryable: false } : mismatch;
}

function failed(
  { outcome: _succeeded, finishReason: _reason, rawFinishReason: _raw, ...rest }: AttemptSucceeded,
  fault: 'content-policy' | 'schema-mismatch',
  message: string,
): AttemptFailed {
  const { code, counted, retrySameTarget, retryable, providerWide, declined } = FAULT_RULES[fault];
  const tokensSent = rest.textLength > 0;
  return {
    ...rest,
    outcome: 'failed',
    code,
    message,
    fault,
    deadline: undefined,
    retryAfterMs: undefined,
    tokensSent,
    counted,
    retrySameTarget: retrySameTarget && !tokensSent,
    retryForbidden: false,
    retryable,
    providerWide,
    declined,
    cause: undefined,
  };
}
