// Statements that a run cannot go on without: tried until the database carries them out, or nobody wants it any more.

import { pause } from '../lib/clock.ts';
import type { WorkflowsDeps } from './workflows.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Throws only when the signal is aborted. */
export async function untilStored<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
  { clock, log }: Pick<WorkflowsDeps, 'clock' | 'log'>,
): Promise<Result> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      log.warn({ error }, 'a workflow could not be written yet; it is tried again');
      await pause(clock, pauseMs);
    }
  }
}
