// When the same deployment is asked once more after a failure.

import type { AttemptFailed } from './attempt.ts';
import { FAULT_RULES } from './outcome.ts';

/** It is asked again after this, plus up to as much by chance. */
const RETRY_BASE_MS = 250;

/**
 * How long to wait before the same deployment is asked again; undefined: asking again is pointless. With somebody else
 * to ask (`maxHintMs` undefined) nobody waits for a busy provider, and an answer that began is continued elsewhere.
 */
export function retryDelay(failure: AttemptFailed, maxHintMs: number | undefined): number | undefined {
  const { fault, retryAfterMs: hintMs, tokensSent, retryForbidden } = failure;
  if (retryForbidden) return undefined;
  if (fault === 'rate-limit') {
    const delayMs = hintMs ?? RETRY_BASE_MS;
    return maxHintMs !== undefined && delayMs >= 0 && delayMs <= maxHintMs ? delayMs : undefined;
  }
  const isPassing = fault !== undefined && FAULT_RULES[fault].retrySameTarget;
  if (!isPassing || (tokensSent && maxHintMs === undefined)) return undefined;
  const delayMs = RETRY_BASE_MS * (1 + Math.random());
  if (hintMs === undefined || hintMs <= delayMs) return delayMs;
  return maxHintMs !== undefined && hintMs <= maxHintMs ? hintMs : undefined;
}
