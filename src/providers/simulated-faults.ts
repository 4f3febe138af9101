// The scripted faults of the simulated provider as the errors that a real adapter would throw.

import { ProviderError } from './provider-error.ts';

/** Faults that take effect elsewhere: while waiting, or in the middle of the answer. */
const LATER = new Set(['hang', 'slow', 'cut', 'stall', 'malformed']);
const RETRY_AFTER_MS = 1_000;

/** What a call is refused with instead of an answer. */
export function faultBeforeAnswer(name: string | undefined): ProviderError | undefined {
  if (name === undefined || LATER.has(name)) return undefined;
  if (name === 'refusal')
    return new ProviderError('content-policy', 'The content was refused (simulated)', { status: 400 });
  if (name === 'context')
    return new ProviderError('context-length', 'The prompt does not fit (simulated)', { status: 400 });
  const status = /^[45]\d\d$/.test(name) ? Number(name) : undefined;
  if (status === undefined) return new ProviderError('bad-request', 'There is no such simulated fault');
  const message = `The provider answered ${status} (simulated)`;
  if (status === 429)
    return new ProviderError('rate-limit', message, { status, retryAfterMs: RETRY_AFTER_MS });
  return new ProviderError(faultOfStatus(status), message, { status });
}

function faultOfStatus(status: number): 'server' | 'credentials' | 'unknown-model' | 'bad-request' {
  if (status >= 500) return 'server';
  if (status === 401 || status === 402 || status === 403) return 'credentials';
  return status === 404 ? 'unknown-model' : 'bad-request';
}

/** What ends an answer that had begun. */
export function faultMidway(name: string | undefined): ProviderError | undefined {
  if (name === 'cut') return new ProviderError('truncated', 'The stream broke off (simulated)');
  if (name === 'malformed')
    return new ProviderError('bad-response', 'The stream became unreadable (simulated)');
  return undefined;
}
