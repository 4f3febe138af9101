// Statements that a run cannot go on without: tried until the database carries them out, or nobody wants it any more.

import { DomainError } from '../domain/errors.ts';
import { keepTrying } from '../lib/keep-trying.ts';
import type { WorkflowsDeps } from './workflows.ts';

/** Of what is tried at the end of a run: some seconds, which a stop of the server waits for at the worst. */
const LAST_TRIES = 6;
/** Of errors that are not known to pass, so many are one too many. */
const MAX_FAULTS = 10;

type Deps = Pick<WorkflowsDeps, 'clock' | 'log'>;

/** Throws when the signal is aborted, or when it is no outage that keeps it from being done. */
export function untilStored<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
  { clock, log }: Deps,
): Promise<Result> {
  let faults = 0;
  const onFailure = (error: unknown) => {
    if (!(error instanceof DomainError && error.retryable)) faults += 1;
    if (signal.aborted || faults >= MAX_FAULTS) throw error;
    log.warn({ error }, 'a workflow waits for the database; it is asked again');
    return undefined;
  };
  return keepTrying(work, { clock, signal, onFailure });
}

/** The same for what ends a run: given up after some tries, with undefined. Never throws. */
export function tryToStore<Result>(
  work: () => Promise<Result>,
  { clock, log }: Deps,
): Promise<Result | undefined> {
  const onFailure = (error: unknown, tries: number) => {
    log.warn({ error }, 'the end of a workflow waits for the database');
    if (tries === LAST_TRIES) throw error;
    return undefined;
  };
  return keepTrying(work, { clock, onFailure }).catch(() => undefined);
}
