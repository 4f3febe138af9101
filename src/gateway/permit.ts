// The right to make one call, as the breaker hands it out and the attempt settles it.

import { DomainError } from '../domain/errors.ts';
import { ProviderError } from '../providers/provider-error.ts';

/** The first of `succeed`, `fail` and `ignore` settles it; what follows does nothing. */
export interface Permit {
  /** The provider did its part. */
  succeed(): void;
  /** The provider failed. */
  fail(error: unknown): void;
  /** Says nothing about the provider: cancelled, or the caller's own fault. */
  ignore(): void;
  /** A sign of life of a call that goes on: the time limit of a probe starts anew. */
  alive(): void;
}

/** What a breaker shows of an error. Only our own errors have texts that are fit for everybody's eyes. */
export function neutralText(error: unknown): string {
  return error instanceof ProviderError || error instanceof DomainError ? error.message : 'The call failed.';
}
