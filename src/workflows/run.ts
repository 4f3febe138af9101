// One workflow in the hands of this process. It looks at the states of its steps, writes down what follows, and only
// then acts; so whoever takes it over finds the same states and goes on from there. What runs are ordinary requests,
// on whichever instance has room: the run itself waits for their ends.

import { type RequestError, requestError } from '../domain/request.ts';
import {
  hasEnded,
  pendingState,
  type StepSpec,
  type StepState,
  stateKey,
  type WorkflowSpec,
} from '../domain/workflow.ts';
import { afterFailure, progress } from '../domain/workflow-progress.ts';
import { endOf, type States } from '../domain/workflow-result.ts';
import type { WorkflowArrival, WorkflowJourney } from '../gateway/steps.ts';
import { createBell } from '../lib/abort.ts';
import type { StoredRun } from '../store/workflows.ts';
import type { Account } from './account.ts';
import { People } from './people.ts';
import { takePlan } from './plan.ts';
import { type BuiltSpec, cancelSteps, carryOutStep, isUnderWay, type StepEnd, stepSpecOf } from './step.ts';
import { tellAll, tellChanges } from './story.ts';
import { tryToStore, untilStored } from './until-stored.ts';
import type { WorkflowsDeps } from './workflows.ts';

export const CANCELLED: WorkflowArrival = { status: 'CANCELLED', output: undefined, error: undefined };
const BY_CALLER = requestError('CANCELLED', 'The workflow was cancelled.');
const OUT_OF_TIME = requestError('TIMEOUT', 'The deadline of the workflow passed.', { retryable: false });
const OWN_FAULT = requestError('INTERNAL', 'The workflow ended by a fault of the server.');

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
  /** Aborted by the end of the run; with an error when it ends early. */
  readonly #over = new AbortController();
  /** The run ends here, whatever becomes of its steps. */
  readonly #signal: AbortSignal;
  readonly #bell: ReturnType<typeof createBell>;
  readonly #people: People;
  readonly #endsAt: Date | undefined;
  /** Steps whose requests are made or followed here. */
  readonly #underWay = new Set<Promise<void>>();
  /** Ends of steps that are not written down yet. */
  #ends: StepEnd[] = [];
  /** States that are to be written; whether they are is not known while that goes on. */
  #draft = new Map<string, StepState>();
  #spec: WorkflowSpec;
  #storedSpec: WorkflowSpec;
  #wakeAt: Date | undefined;

  constructor(journey: WorkflowJourney, stored: StoredRun, account: Account, deps: WorkflowsDeps) {
    this.#journey = journey;
    this.#stored = stored;
    this.#deps = deps;
    this.#account = account;
    this.#spec = stored.spec;
    this.#storedSpec = stored.spec;
    this.#states = new Map(stored.steps.map(state => [stateKey(state), state]));
    this.#signal = AbortSignal.any([journey.signal, this.#over.signal]);
    this.#bell = createBell(this.#signal);
    const { id, epoch, createdAt } = journey.request;
    const { deadlineMs } = stored.spec.limits;
    this.#endsAt = deadlineMs === undefined ? undefined : new Date(createdAt.getTime() + deadlineMs);
    const surroundings = {
      own: { id, epoch },
      signal: this.#signal,
      bell: this.#bell,
      sequence: journey.sequence,
      endsAt: this.#endsAt,
    };
    this.#people = new People(stored, surroundings, deps);
  }

  /** Undefined: it is parked. Never throws. */
  async toItsEnd(): Promise<WorkflowArrival | undefined> {
    const stopTimer = this.#startDeadline();
    void this.#people.listen();
    try {
      if (!this.#signal.aborted) this.#takeUp();
      while (!this.#signal.aborted) {
        if (await this.#advance()) continue;
        const end = endOf(this.#spec, this.#states);
        if (end) return end;
        if (!this.#waitsForPeople()) await this.#somethingToHappen();
        else if (await this.#people.park()) return undefined;
      }
    } catch (error) {
      if (!this.#signal.aborted)
        this.#deps.log.warn(
          { error, requestId: this.#journey.request.id },
          'a workflow ended by a fault of ours',
        );
      this.#over.abort(OWN_FAULT);
    } finally {
      stopTimer?.();
      this.#over.abort();
      this.#bell.dispose();
    }
    return this.#endEarly();
  }

  #startDeadline(): (() => void) | undefined {
    if (!this.#endsAt) return undefined;
    const { clock } = this.#deps;
    const leftMs = this.#endsAt.getTime() - clock.now();
    const end = () => this.#over.abort(OUT_OF_TIME);
    if (leftMs > 0) return clock.after(leftMs, end);
    end();
    return undefined;
  }

  /** Goes on where the run was left. */
  #takeUp(): void {
    tellAll(this.#journey.emit, this.#states);
    for (const state of [...this.#states.values()].filter(isUnderWay)) {
      const built = this.#built(state, this.#states);
      if ('spec' in built) this.#account.resume(state, built.spec);
      this.#carryOut(state, built);
    }
  }

  /** Takes in what has come, writes down what follows, and then does it. False: nothing follows for now. */
  async #advance(): Promise<boolean> {
    const now = new Date(this.#deps.clock.now());
    const changed = new Map<string, StepState>();
    this.#draft = changed;
    const note = (states: readonly StepState[]) => {
      for (const state of states) changed.set(stateKey(state), state);
    };
    note(this.#ends.splice(0).map(end => this.#take(end, now)));
    note(await this.#people.decided(this.#states.values(), now));
    const moment = { now, maxItems: this.#deps.bounds.maxItems, held: this.#people.isPaused };
    const next = progress(this.#spec, new Map([...this.#states, ...changed]), moment);
    note(next.changed);
    const begun = new Map<string, BuiltSpec>();
    note(this.#admitted(next.starts, { changed, begun, now }));
    this.#wakeAt = next.wakeAt;
    const spec = this.#planned();
    if (changed.size === 0 && !spec) return false;
    await this.#write([...changed.values()], spec);
    for (const [key, state] of changed) {
      this.#states.set(key, state);
      if (state.item === undefined && hasEnded(state.status)) this.#deps.onStepEnded(state.status);
    }
    this.#draft = new Map();
    tellChanges(this.#journey.emit, [...changed.values()], spec);
    for (const [key, built] of begun) this.#carryOut(changed.get(key)!, built);
    return true;
  }

  /** Those that may be begun under the limits of the run, with the id of their request; the others fail. */
  #admitted(
    starts: readonly StepState[],
    { changed, begun, now }: { changed: States; begun: Map<string, BuiltSpec>; now: Date },
  ): StepState[] {
    const states = new Map([...this.#states, ...changed]);
    return starts.map(state => {
      const step = this.#stepOf(state);
      const built = this.#built(state, states);
      const error = 'error' in built ? built.error : this.#account.admit(state, step, built.spec);
      if (error) return afterFailure(step, state, { error, now });
      begun.set(stateKey(state), built);
      return { ...state, requestId: this.#deps.newId() };
    });
  }

  #built(state: StepState, states: States): BuiltSpec {
    const step = this.#stepOf(state);
    return stepSpecOf(state, { step, states, workflow: this.#spec, ...this.#journey }, this.#deps);
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

  /** Nothing follows, nothing is under way, and nothing is to come by itself. */
  #waitsForPeople(): boolean {
    return this.#wakeAt === undefined && this.#underWay.size === 0 && this.#ends.length === 0;
  }

  /** The workflow with steps that were planned and are not written yet. */
  #planned(): WorkflowSpec | undefined {
    return this.#spec === this.#storedSpec ? undefined : this.#spec;
  }

  async #write(steps: readonly StepState[], spec: WorkflowSpec | undefined): Promise<void> {
    const { id, epoch } = this.#journey.request;
    const change = { id, epoch, steps, spec };
    const { workflows } = this.#deps.store;
    const written = await untilStored(() => workflows.advance(change), this.#signal, this.#deps);
    if (!written) {
      await untilTold(this.#signal);
      throw this.#signal.reason;
    }
    this.#people.told(written);
    this.#storedSpec = this.#spec;
  }

  #carryOut(state: StepState, spec: BuiltSpec): void {
    const place = {
      state,
      spec,
      actor: this.#stored,
      emit: this.#journey.emit,
      signal: this.#signal,
    };
    const carried = carryOutStep(place, this.#deps).then(end => {
      this.#underWay.delete(carried);
      if (!end) return;
      this.#ends.push(end);
      this.#bell.ring();
    });
    this.#underWay.add(carried);
  }

  async #somethingToHappen(): Promise<void> {
    const { clock } = this.#deps;
    const wakeMs = this.#wakeAt && Math.max(1, this.#wakeAt.getTime() - clock.now());
    const stopTimer = wakeMs === undefined ? undefined : clock.after(wakeMs, () => this.#bell.ring());
    await this.#bell.wait();
    stopTimer?.();
  }

  /** A shutdown or a loss leaves the steps to whoever takes the run over; a cancel, the deadline and a fault end them. */
  async #endEarly(): Promise<WorkflowArrival> {
    const { signal } = this.#journey;
    if (signal.aborted && signal.reason !== 'cancelled') return CANCELLED;
    const why: RequestError = signal.aborted ? BY_CALLER : this.#over.signal.reason;
    // A request that is just being made is there afterwards, and can be cancelled.
    await Promise.all(this.#underWay);
    const now = new Date(this.#deps.clock.now());
    // What was being written may have been.
    const changed = new Map(this.#draft);
    const take = (ends: readonly StepEnd[]) => {
      for (const end of ends) changed.set(end.key, this.#take(end, now));
    };
    const open = () => [...new Map([...this.#states, ...changed]).values()].filter(isOpen);
    take(this.#ends.splice(0));
    take(await cancelSteps(open(), this.#deps));
    const pending = this.#spec.steps
      .filter(({ id }) => !this.#states.has(id) && !changed.has(id))
      .map(({ id }) => pendingState(id));
    for (const state of [...open(), ...pending])
      changed.set(stateKey(state), { ...state, status: 'CANCELLED', error: why, finishedAt: now });
    await this.#writeLast([...changed.values()]);
    return why === BY_CALLER ? CANCELLED : { status: 'FAILED', output: undefined, error: why };
  }

  /** The request ends all the same, and what it says is what counts. */
  async #writeLast(steps: readonly StepState[]): Promise<void> {
    const spec = this.#planned();
    const { id, epoch } = this.#journey.request;
    const { workflows } = this.#deps.store;
    await tryToStore(() => workflows.advance({ id, epoch, steps, spec }), this.#deps);
    tellChanges(this.#journey.emit, steps, spec);
  }

  #stepOf({ stepId }: StepState): StepSpec {
    return this.#spec.steps.find(({ id }) => id === stepId)!;
  }
}

function isOpen({ status }: StepState): boolean {
  return !hasEnded(status);
}
