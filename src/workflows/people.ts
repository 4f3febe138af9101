// What people do to a run: they pause it, resume it, and decide about steps that wait for them. It is looked for when
// somebody tells of it; what nobody told of is found by the count of their acts, which comes with every heartbeat and
// with every write. A run in which nothing can be done but by them is left to nobody.

import { requestError } from '../domain/request.ts';
import type { StepState } from '../domain/workflow.ts';
import type { Decision, StoredRun } from '../store/workflows.ts';
import { untilStored } from './until-stored.ts';
import type { WorkflowsDeps } from './workflows.ts';

/** Who tells of them is listened to all the time. */
const LISTEN_MS = 3_600_000;

interface Surroundings {
  readonly own: { readonly id: string; readonly epoch: number };
  /** Aborted when the run is not carried on here. */
  readonly signal: AbortSignal;
  /** Rings when somebody may have acted. */
  readonly bell: { ring(): void };
  /** Number of the last event that was told of the run. */
  readonly sequence: () => number;
  /** When it is over, whatever people do. */
  readonly endsAt: Date | undefined;
}

export class People {
  /** As it was known last. */
  isPaused: boolean;
  /** How many of their acts were looked at. */
  #acts: number;
  readonly #surroundings: Surroundings;
  readonly #deps: WorkflowsDeps;
  #mayHaveActed: boolean;

  constructor({ pausedAt, acts, steps }: StoredRun, surroundings: Surroundings, deps: WorkflowsDeps) {
    this.isPaused = pausedAt !== undefined;
    this.#acts = acts;
    this.#mayHaveActed = steps.some(({ status }) => status === 'WAITING');
    this.#surroundings = surroundings;
    this.#deps = deps;
  }

  /** Resolves when the run is over. */
  async listen(): Promise<void> {
    const { own, signal, bell } = this.#surroundings;
    while (!signal.aborted) {
      await this.#deps.steps().nextChange(own.id, LISTEN_MS, signal);
      this.#mayHaveActed = true;
      bell.ring();
    }
  }

  /** What a write has said of the run. */
  told({ pausedAt, acts }: Pick<StoredRun, 'pausedAt' | 'acts'>): void {
    this.isPaused = pausedAt !== undefined;
    if (acts !== this.#acts) this.#mayHaveActed = true;
  }

  /** The steps that somebody has decided on since the last look. */
  async decided(states: Iterable<StepState>, now: Date): Promise<StepState[]> {
    if (!this.#mayHaveActed) return [];
    this.#mayHaveActed = false;
    const { own, signal } = this.#surroundings;
    const { count, pausedAt, decisions } = await untilStored(
      () => this.#deps.store.workflows.acts(own.id),
      signal,
      this.#deps,
    );
    this.isPaused = pausedAt !== undefined;
    this.#acts = count;
    const waiting = [...states].filter(({ status }) => status === 'WAITING');
    return decidedStates(waiting, decisions, now);
  }

  /** Leaves the run to nobody, unless somebody has acted meanwhile: false. */
  async park(): Promise<boolean> {
    if (this.#mayHaveActed) return false;
    const { own, signal, sequence, endsAt } = this.#surroundings;
    const parking = { ...own, acts: this.#acts, wakeAt: endsAt, lastSequence: sequence() };
    let isSent = false;
    const park = () => {
      isSent = true;
      return this.#deps.store.workflows.park(parking);
    };
    const isParked = await untilStored(park, signal, this.#deps).catch(error => {
      // Whether it is left is not known, and it may be somebody else's by now. If it is not, it is found without a holder.
      if (isSent && signal.aborted) return true;
      throw error;
    });
    this.#mayHaveActed ||= !isParked;
    return isParked;
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
