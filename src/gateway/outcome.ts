// What a fault of a provider means: which code the caller sees, whether the breaker counts it, whether another try
// of the same deployment makes sense, and whether it condemns the whole provider. One table, no conditions elsewhere.

import type { ErrorCode } from '../domain/errors.ts';
import { ProviderError, type ProviderFault } from '../providers/provider-error.ts';

export interface FaultRule {
  readonly code: ErrorCode;
  /** A failure of the provider in the eyes of its breaker. The rest is the caller's doing, or a matter of pace. */
  readonly counted: boolean;
  /** As long as nothing was sent to the caller, the same deployment may be asked again. */
  readonly retrySameTarget: boolean;
  readonly providerWide: boolean;
}

const FAILED = {
  code: 'PROVIDER_FAILED',
  counted: true,
  retrySameTarget: false,
  providerWide: false,
} as const;

const RULES: Record<ProviderFault, FaultRule> = {
  connection: { ...FAILED, retrySameTarget: true },
  certificate: { ...FAILED, providerWide: true },
  server: { ...FAILED, retrySameTarget: true },
  // A cooldown answers this, not the breaker.
  'rate-limit': { ...FAILED, counted: false },
  // In a gateway it is our key that was refused.
  credentials: { ...FAILED, providerWide: true },
  'unknown-model': { ...FAILED, counted: false },
  'bad-request': { ...FAILED, counted: false },
  'context-length': { ...FAILED, code: 'CONTEXT_TOO_LONG', counted: false },
  'content-policy': { ...FAILED, code: 'CONTENT_REFUSED', counted: false },
  truncated: { ...FAILED, code: 'STREAM_TRUNCATED', retrySameTarget: true },
  'bad-response': { ...FAILED, code: 'BAD_RESPONSE' },
};

/** What is thrown and is no ProviderError is a fault of an adapter. It counts: the deployment does not work. */
const UNKNOWN: FaultRule = FAILED;

/** Nobody is there, or not to be found: it is the same for each of the provider's deployments. */
const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

export function ruleOf(error: unknown): FaultRule {
  if (!(error instanceof ProviderError)) return UNKNOWN;
  const rule = RULES[error.fault];
  return error.fault === 'connection' && isUnreachable(error) ? { ...rule, providerWide: true } : rule;
}

function isUnreachable(error: Error): boolean {
  let cause: unknown = error.cause;
  // Four levels: ProviderError ← SDK's error ← fetch's TypeError ← system error. A bound, lest causes form a ring.
  for (let depth = 0; depth < 8 && cause instanceof Error; depth += 1, cause = cause.cause) {
    if (UNREACHABLE.has(String((cause as NodeJS.ErrnoException).code))) return true;
    if (cause instanceof AggregateError && cause.errors.some(inner => UNREACHABLE.has(inner?.code)))
      return true;
  }
  return false;
}
