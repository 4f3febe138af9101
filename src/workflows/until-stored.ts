// Statements that a run cannot go on without: tried until the database carries them out, or nobody wants it any more.

import { DomainError } from '../domain/errors.ts';
import { pause } from '../lib/clock.ts';
import type { WorkflowsDeps } from './workflows.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Of errors that are not known to pass, so many in a row are one too many. */
const MAX_TRIES = 10;

/** Throws when the signal is aborted, or when it is no outage that keeps it from being done. */
export async function untilStored<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
  { clock, log }: Pick<WorkflowsDeps, 'clock' | 'log'>,
): Promise<Result> {
  let tries = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DomainError && error.retryable)) tries += 1;
      if (tries >= MAX_TRIES) throw error;
      log.warn({ error }, 'a workflow could not be written yet; it is tried again');
      await pause(clock, pauseMs);
    }
  }
}
