// What a fault of a provider means: which code the caller sees, whether the breaker counts it, whether another try
// of the same deployment makes sense, and whether it condemns the whole provider. One table, no conditions elsewhere.

import type { ErrorCode } from '../domain/errors.ts';
import type { DeadlineFault } from '../domain/fault.ts';
import { ProviderError, type ProviderFault } from '../providers/provider-error.ts';

export interface FaultRule {
  readonly code: ErrorCode;
  /** A failure of the provider in the eyes of its breaker. The rest is the caller's doing, or a matter of pace. */
  readonly counted: boolean;
  /** It may pass: the same deployment may be asked once more, and may go on with an answer that it broke off. */
  readonly retrySameTarget: boolean;
  /** Asking somebody else would not help, or is not to be tried: a refusal is no reason to shop around. */
  readonly final: boolean;
  /** Waiting helps: the same call may succeed later although nobody has done anything. For the caller to see. */
  readonly retryable: boolean;
  readonly providerWide: boolean;
  /** The provider itself says that it would not, or could not, do the work: without text nothing is billed. */
  readonly declined: boolean;
  /** For the README: what the provider does. */
  readonly meaning: string;
}

const FAILED = {
  code: 'PROVIDER_FAILED',
  counted: true,
  retrySameTarget: false,
  final: false,
  retryable: true,
  providerWide: false,
  declined: false,
} as const;

export const FAULT_RULES: Readonly<Record<ProviderFault, FaultRule>> = {
  connection: {
    ...FAILED,
    retrySameTarget: true,
    meaning: 'refuses the connection, cannot be found, or breaks off before its answer begins',
  },
  certificate: {
    ...FAILED,
    retryable: false,
    providerWide: true,
    meaning: 'shows a certificate that is not trusted',
  },
  server: {
    ...FAILED,
    declined: true,
    retrySameTarget: true,
    meaning:
      'answers 408, 409 or 5xx, or another 4xx with `x-should-retry: true`, or sends an error event at the beginning or in the middle',
  },
  // A cooldown answers this, not the breaker.
  'rate-limit': { ...FAILED, counted: false, declined: true, meaning: 'answers 429: too many calls' },
  // In a gateway it is our key that was refused.
  credentials: {
    ...FAILED,
    declined: true,
    retryable: false,
    providerWide: true,
    meaning: 'answers 401, 402 or 403: it refuses our key, or our account is empty',
  },
  'unknown-model': {
    ...FAILED,
    declined: true,
    counted: false,
    retryable: false,
    meaning: 'answers 404: it does not have the model',
  },
  'bad-request': {
    ...FAILED,
    declined: true,
    counted: false,
    final: true,
    retryable: false,
    meaning: 'answers 400, 413, 422 or another 4xx: the call itself is wrong',
  },
  'context-length': {
    ...FAILED,
    code: 'CONTEXT_TOO_LONG',
    declined: true,
    counted: false,
    retryable: false,
    meaning: 'finds the prompt too long for its model',
  },
  'content-policy': {
    ...FAILED,
    code: 'CONTENT_REFUSED',
    counted: false,
    final: true,
    retryable: false,
    meaning: 'refuses the content, at once or by ending an empty answer with a refusal',
  },
  truncated: {
    ...FAILED,
    code: 'STREAM_TRUNCATED',
    retrySameTarget: true,
    meaning: 'breaks off its answer, or ends it without saying why',
  },
  'bad-response': {
    ...FAILED,
    code: 'BAD_RESPONSE',
    meaning:
      'sends HTML, other JSON, nothing or its end marker alone, a malformed event, a line over 1 MB, an endless answer, or a redirect',
  },
  // The provider works, and has answered; what its model makes of a schema is a matter of luck.
  'schema-mismatch': {
    ...FAILED,
    code: 'BAD_RESPONSE',
    counted: false,
    retrySameTarget: true,
    meaning:
      'was asked for JSON of a schema and answers in anything else: prose, a code fence, JSON of another form, or JSON that ends at the longest answer',
  },
};

/** What missing a deadline means. It is never asked again, for that would cost the same wait once more. */
export const DEADLINE_RULES = {
  connect: { fault: 'connect-deadline', code: 'TIMEOUT', meaning: 'does not accept the connection in time' },
  firstToken: {
    fault: 'first-token-deadline',
    code: 'TIMEOUT',
    meaning: 'sends no token in time, whether silent or with keep-alives',
  },
  idle: { fault: 'idle-deadline', code: 'STREAM_STALLED', meaning: 'stops in the middle of its answer' },
  rate: {
    fault: 'rate-deadline',
    code: 'STREAM_STALLED',
    meaning: 'answers more slowly than the minimum speed',
  },
  total: {
    fault: 'total-deadline',
    code: 'TIMEOUT',
    meaning: 'is still at it when the total deadline of the request passes',
  },
} as const satisfies Record<string, { fault: DeadlineFault; code: ErrorCode; meaning: string }>;

/** What is thrown and is no ProviderError is a fault of an adapter. It counts: the deployment does not work. */
const UNKNOWN: Omit<FaultRule, 'meaning'> = FAILED;

/** Nobody is there, or not to be found: it is the same for each of the provider's deployments. */
const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

export function ruleOf(error: unknown): Omit<FaultRule, 'meaning'> {
  if (!(error instanceof ProviderError)) return UNKNOWN;
  const rule = FAULT_RULES[error.fault];
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
