// The database cannot be used at the moment: what every statement throws then, so that callers are told to come again.

import { DomainError } from '../domain/errors.ts';

const RETRY_AFTER_MS = 1_000;

export class StoreUnavailable extends DomainError {
  /** Whether the statement may have been carried out all the same: its answer was lost. */
  readonly mayHaveRun: boolean;

  constructor(cause: unknown, { mayHaveRun }: { mayHaveRun: boolean }) {
    super('OVERLOADED', 'The database cannot be used at the moment; try again.', {
      cause,
      retryAfterMs: RETRY_AFTER_MS,
    });
    this.mayHaveRun = mayHaveRun;
  }
}
