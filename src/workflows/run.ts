// One workflow in the hands of this process. It looks at the states of its steps, writes down what follows, and only
// then acts; so whoever takes it over finds the same states and goes on from there. What runs are ordinary requests,
// on whichever instance has room: the run itself waits for their ends.

import { requestError } from '../domain/request.ts';
import {
  hasEnded,
  pendingState,
  type StepSpec,
  type StepState,
  stateKey,
  type WorkflowSpec,
} from '../domain/workflow.ts';
import { afterFailure, progress } from '../domain/workflow-progress.ts';
import { endOf } from '../domain/workflow-result.ts';
import type { WorkflowArrival, WorkflowJourney } from '../gateway/steps.ts';
import { createBell } from '../lib/abort.ts';
import type { StoredRun } from '../store/workflows.ts';
import type { Account } from './account.ts';
import { decidedStates } from './people.ts';
import { takePlan } from './plan.ts';
import { cancelSteps, carryOutStep, isUnderWay, type StepEnd, stepSpecOf } from './step.ts';
import { untilStored } from './until-stored.ts';
import type { WorkflowsDeps } from './workflows.ts';

/** How often people's acts are looked for when nobody tells of them: while one is waited for, and otherwise. */
const WATCH_MS = 2_000;
const IDLE_WATCH_MS = 10_000;

export const CANCELLED: WorkflowArrival = { status: 'CANCELLED', output: undefined, error: undefined };
const OUT_OF_TIME = requestError('TIMEOUT', 'The deadline of the workflow passed.', { retryable: false });

/** Somebody else owns the request: this process is about to hear of it. */
export async function untilTold(signal: AbortSignal): Promise<WorkflowArrival> {
  await createBell(signal).wait();
  return CANCELLED;
}

export class Run {
  readonly #journey: WorkflowJourney;
  readonly #stored: StoredRun;
  readonly #deps: WorkflowsDeps;
  readonly #account: Account;
  readonly #states: Map<string, StepState>;
  readonly #deadline = new AbortController();
  /** The run ends here, whatever becomes of its steps. */
  readonly #signal: AbortSignal;
  readonly #bell: ReturnType<typeof createBell>;
  /** Ends of steps that are not written down yet. */
  #ends: StepEnd[] = [];
  #spec: WorkflowSpec;
  #isPaused: boolean;
  #isWaiting = false;
  /** Somebody may have decided, paused or resumed. */
  #mayHaveActed = true;
  #wakeAt: Date | undefined;

  constructor(journey: WorkflowJourney, stored: StoredRun, account: Account, deps: WorkflowsDeps) {
    this.#journey = journey;
    this.#stored = stored;
    this.#deps = deps;
    this.#account = account;
    this.#spec = stored.spec;
    this.#isPaused = stored.pausedAt !== undefined;
    this.#states = new Map(stored.steps.map(state => [stateKey(state), state]));
    this.#signal = AbortSignal.any([journey.signal, this.#deadline.signal]);
    this.#bell = createBell(this.#signal);
  }

  async toItsEnd(): Promise<WorkflowArrival> {
    const stopTimer = this.#startDeadline();
    this.#tellResults(this.#states.values());
    for (const state of this.#states.values()) if (isUnderWay(state)) this.#carryOut(state);
    try {
      while (!this.#signal.aborted) {
        if (await this.#advance()) continue;
        const end = endOf(this.#spec, this.#states);
        if (end) return end;
        await this.#somethingToHappen();
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      stopTimer?.();
      this.#bell.dispose();
    }
    return this.#endEarly();
  }

  #startDeadline(): (() => void) | undefined {
    const { deadlineMs } = this.#spec.limits;
    if (deadlineMs === undefined) return undefined;
    const { clock } = this.#deps;
    const leftMs = this.#journey.request.createdAt.getTime() + deadlineMs - clock.now();
    return clock.after(Math.max(0, leftMs), () => this.#deadline.abort('deadline'));
  }

  /** Takes in what has come, writes down what follows, and then does it. False: nothing follows for now. */
  async #advance(): Promise<boolean> {
    const now = new Date(this.#deps.clock.now());
    const planned = this.#spec;
    const changed = new Map<string, StepState>();
    const note = (states: readonly StepState[]) => {
      for (const state of states) changed.set(stateKey(state), state);
    };
    note(this.#ends.splice(0).map(end => this.#take(end, now)));
    note(await this.#actsOfPeople(now));
    const moment = { now, maxItems: this.#deps.bounds.maxItems, held: this.#isPaused };
    const next = progress(this.#spec, new Map([...this.#states, ...changed]), moment);
    note(next.changed);
    note(this.#admitted(next.starts, changed, now));
    this.#wakeAt = next.wakeAt;
    const waiting = this.#waitsForPeople(new Map([...this.#states, ...changed]));
    const spec = planned === this.#spec ? undefined : this.#spec;
    if (changed.size === 0 && !spec && waiting === this.#isWaiting) return false;
    await this.#write([...changed.values()], spec, waiting);
    for (const [key, state] of changed) this.#states.set(key, state);
    this.#tell([...changed.values()], spec);
    for (const state of changed.values()) if (isUnderWay(state)) this.#carryOut(state);
    return true;
  }

  /** Those that may be begun under the limits of the run, with the id of their request; the others fail. */
  #admitted(starts: readonly StepState[], changed: ReadonlyMap<string, StepState>, now: Date): StepState[] {
    const states = new Map([...this.#states, ...changed]);
    return starts.map(state => {
      const step = this.#stepOf(state);
      const built = stepSpecOf(state, { step, states, workflow: this.#spec, ...this.#journey }, this.#deps);
      const error = 'error' in built ? built.error : this.#account.admit(state, step, built.spec);
      return error ? afterFailure(step, state, { error, now }) : { ...state, requestId: this.#deps.newId() };
    });
  }

  /** What the end of a step's request makes of its state. */
  #take(end: StepEnd, now: Date): StepState {
    const state = this.#states.get(end.key)!;
    const step = this.#stepOf(state);
    this.#account.settle(end.key, end.request);
    if ('error' in end) return afterFailure(step, state, { error: end.error, now });
    const succeeded = {
      ...state,
      status: 'SUCCEEDED',
      output: end.output,
      error: undefined,
      finishedAt: now,
    } as const;
    const planned = takePlan(this.#spec, succeeded, this.#deps.bounds);
    if ('error' in planned) return afterFailure(step, state, { error: planned.error, now });
    this.#spec = planned.spec;
    return succeeded;
  }

  async #actsOfPeople(now: Date): Promise<StepState[]> {
    if (!this.#mayHaveActed) return [];
    this.#mayHaveActed = false;
    const { id } = this.#journey.request;
    const { workflows } = this.#deps.store;
    const waits = [...this.#states.values()].filter(({ status }) => status === 'WAITING');
    const [[run], decisions] = await untilStored(
      () => Promise.all([workflows.specsByIds([id]), waits.length > 0 ? workflows.decisions(id) : []]),
      this.#signal,
      this.#deps,
    );
    this.#isPaused = run?.pausedAt !== undefined;
    return decidedStates(waits, decisions, now);
  }

  #waitsForPeople(states: ReadonlyMap<string, StepState>): boolean {
    const all = [...states.values()];
    const isBusy = this.#wakeAt !== undefined || all.some(isUnderWay);
    return !isBusy && (this.#isPaused || all.some(({ status }) => status === 'WAITING'));
  }

  async #write(steps: readonly StepState[], spec: WorkflowSpec | undefined, waiting: boolean): Promise<void> {
    const { id, epoch } = this.#journey.request;
    const change = { id, epoch, steps, spec, waiting };
    const { workflows } = this.#deps.store;
    const written = await untilStored(() => workflows.advance(change), this.#signal, this.#deps);
    if (!written) {
      await untilTold(this.#signal);
      throw this.#signal.reason;
    }
    // Who pauses a run tells it; the answer of a write only says it sooner.
    this.#isPaused = written.pausedAt !== undefined;
    this.#isWaiting = waiting;
  }

  #carryOut(state: StepState): void {
    const step = this.#stepOf(state);
    const { emit, request } = this.#journey;
    const built = stepSpecOf(
      state,
      { step, states: this.#states, workflow: this.#spec, ...this.#journey },
      this.#deps,
    );
    const place = {
      state,
      spec: built,
      actor: this.#stored,
      requestId: request.id,
      emit,
      signal: this.#signal,
    };
    void carryOutStep(place, this.#deps).then(end => {
      if (!end) return;
      this.#ends.push(end);
      this.#bell.ring();
    });
  }

  async #somethingToHappen(): Promise<void> {
    const { clock, steps } = this.#deps;
    const left = new AbortController();
    const watchMs = this.#isWaiting || this.#isPaused ? WATCH_MS : IDLE_WATCH_MS;
    const changed = steps().nextChange(
      this.#journey.request.id,
      watchMs,
      AbortSignal.any([this.#signal, left.signal]),
    );
    void changed.then(() => {
      if (left.signal.aborted) return;
      this.#mayHaveActed = true;
      this.#bell.ring();
    });
    const wakeMs = this.#wakeAt && Math.max(1, this.#wakeAt.getTime() - clock.now());
    const stopTimer = wakeMs === undefined ? undefined : clock.after(wakeMs, () => this.#bell.ring());
    await this.#bell.wait();
    stopTimer?.();
    left.abort();
  }

  /** A shutdown or a loss leaves the steps to whoever takes the run over; a cancel and the deadline end them. */
  async #endEarly(): Promise<WorkflowArrival> {
    const { signal, request } = this.#journey;
    if (signal.aborted && signal.reason !== 'cancelled') return CANCELLED;
    const { store, clock, log, steps } = this.#deps;
    const pending = this.#spec.steps
      .filter(({ id }) => !this.#states.has(id))
      .map(({ id }) => pendingState(id));
    const open = [...this.#states.values(), ...pending].filter(({ status }) => !hasEnded(status));
    await cancelSteps(open, steps());
    const finishedAt = new Date(clock.now());
    const cancelled = open.map((state): StepState => ({ ...state, status: 'CANCELLED', finishedAt }));
    const { id, epoch } = request;
    // The request ends all the same, and what it says is what counts.
    await store.workflows
      .advance({ id, epoch, steps: cancelled, waiting: false })
      .catch(error => log.warn({ error, requestId: id }, 'the steps of an ended workflow keep their states'));
    this.#tell(cancelled, undefined);
    return signal.aborted ? CANCELLED : { status: 'FAILED', output: undefined, error: OUT_OF_TIME };
  }

  #stepOf({ stepId }: StepState): StepSpec {
    return this.#spec.steps.find(({ id }) => id === stepId)!;
  }

  #tell(changed: readonly StepState[], planned: WorkflowSpec | undefined): void {
    const { emit } = this.#journey;
    const steps = new Set([
      ...(planned?.steps.map(({ id }) => id) ?? []),
      ...changed.map(({ stepId }) => stepId),
    ]);
    for (const step of steps) emit({ type: 'step-updated', step });
    for (const { status, item } of changed)
      if (item === undefined && hasEnded(status)) this.#deps.onStepEnded(status);
    // What a model answered has been streamed; what was made here has not.
    this.#tellResults(changed.filter(({ requestId, item }) => requestId === undefined && item === undefined));
  }

  /** Results that nobody streams: they were there before, or need no model. */
  #tellResults(states: Iterable<StepState>): void {
    for (const { status, stepId, item, output } of states)
      if (status === 'SUCCEEDED' && item === undefined && output)
        this.#journey.emit({ type: 'token', text: output, step: stepId });
  }
}
