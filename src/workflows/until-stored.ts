// Statements that a run cannot go on without: tried until the database carries them out, or nobody wants it any more.

import { DomainError } from '../domain/errors.ts';
import { pause } from '../lib/clock.ts';
import type { WorkflowsDeps } from './workflows.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** Of what is tried at the end of a run: some seconds, which a stop of the server waits for at the worst. */
const LAST_TRIES = 6;

type Deps = Pick<WorkflowsDeps, 'clock' | 'log'>;

/** Of errors that are not known to pass, so many in a row are one too many. */
const MAX_TRIES = 10;

/** Throws when the signal is aborted, or when it is no outage that keeps it from being done. */
export async function untilStored<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
  { clock, log }: Deps,
): Promise<Result> {
  let tries = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      if (!(error instanceof DomainError && error.retryable)) tries += 1;
      if (tries >= MAX_TRIES) throw error;
      log.warn({ error }, 'a workflow waits for the database; it is asked again');
      await pause(clock, pauseMs, signal);
    }
  }
}

/** The same for what ends a run: given up after some tries, with undefined. Never throws. */
export async function tryToStore<Result>(
  work: () => Promise<Result>,
  { clock, log }: Deps,
): Promise<Result | undefined> {
  for (
    let tries = 1, pauseMs = FIRST_PAUSE_MS;
    ;
    tries += 1, pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  ) {
    try {
      return await work();
    } catch (error) {
      log.warn({ error }, 'the end of a workflow waits for the database');
      if (tries === LAST_TRIES) return undefined;
      await pause(clock, pauseMs);
    }
  }
}
