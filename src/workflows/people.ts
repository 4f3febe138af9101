// What people do to a run: they pause it, resume it, and decide about steps that wait for them. It is looked for when
// somebody tells of it, and now and then in case nobody does.

import { requestError } from '../domain/request.ts';
import type { StepState } from '../domain/workflow.ts';
import type { Decision, StoredRun } from '../store/workflows.ts';
import { untilStored } from './until-stored.ts';
import type { WorkflowsDeps } from './workflows.ts';

/** How often they are looked for: while the run waits for somebody, and otherwise. */
const WATCH_MS = 2_000;
const IDLE_WATCH_MS = 10_000;
/** Who tells of them is listened to all the time. */
const LISTEN_MS = 3_600_000;

interface Surroundings {
  readonly runId: string;
  /** Aborted when the run is not carried on here. */
  readonly signal: AbortSignal;
  /** Rings when somebody may have acted. */
  readonly bell: { ring(): void };
}

export class People {
  /** As it was known last. */
  isPaused: boolean;
  readonly #surroundings: Surroundings;
  readonly #deps: WorkflowsDeps;
  #mayHaveActed = true;

  constructor({ pausedAt }: StoredRun, surroundings: Surroundings, deps: WorkflowsDeps) {
    this.isPaused = pausedAt !== undefined;
    this.#surroundings = surroundings;
    this.#deps = deps;
  }

  /** Resolves when the run is over. */
  async listen(): Promise<void> {
    const { runId, signal } = this.#surroundings;
    while (!signal.aborted) {
      await this.#deps.steps().nextChange(runId, LISTEN_MS, signal);
      this.#lookAgain();
    }
  }

  /** Looks again after a while; what is returned takes it back. */
  watch(isWaiting: boolean): () => void {
    const watchMs = isWaiting || this.isPaused ? WATCH_MS : IDLE_WATCH_MS;
    return this.#deps.clock.after(watchMs, () => this.#lookAgain());
  }

  /** The steps that somebody has decided on since the last look. */
  async decided(states: Iterable<StepState>, now: Date): Promise<StepState[]> {
    if (!this.#mayHaveActed) return [];
    this.#mayHaveActed = false;
    const { runId, signal } = this.#surroundings;
    const { workflows } = this.#deps.store;
    const waiting = [...states].filter(({ status }) => status === 'WAITING');
    const [[run], decisions] = await untilStored(
      () =>
        Promise.all([workflows.specsByIds([runId]), waiting.length > 0 ? workflows.decisions(runId) : []]),
      signal,
      this.#deps,
    );
    this.isPaused = run?.pausedAt !== undefined;
    return decidedStates(waiting, decisions, now);
  }

  #lookAgain(): void {
    this.#mayHaveActed = true;
    this.#surroundings.bell.ring();
  }
}

/** The steps on which somebody decided, as they are from then on. A no is an end that was wanted: nothing is retried. */
function decidedStates(
  waiting: readonly StepState[],
  decisions: readonly Decision[],
  finishedAt: Date,
): StepState[] {
  return decisions.flatMap(({ stepId, approved, by, comment }): StepState[] => {
    const state = waiting.find(each => each.stepId === stepId);
    if (!state) return [];
    const said = comment === undefined ? '' : `: ${comment}`;
    if (approved)
      return [
        {
          ...state,
          status: 'SUCCEEDED',
          output: comment ?? '',
          note: `approved by ${by}${said}`,
          finishedAt,
        },
      ];
    const note = `rejected by ${by}${said}`;
    return [{ ...state, status: 'FAILED', error: requestError('CANCELLED', note), note, finishedAt }];
  });
}
