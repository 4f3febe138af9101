// What a run does next, as a pure rule over the states of its steps. The runner carries out what is said here, writes it
// down before it acts, and says what came of it; so the same states always lead on to the same place, on any instance.

import { type RequestError, requestError } from './request.ts';
import {
  type Condition,
  hasEnded,
  pendingState,
  type StepSpec,
  type StepState,
  stateKey,
  type WorkflowSpec,
} from './workflow.ts';
import { hasFailed, isFatal, joined, type States, valuesOf } from './workflow-result.ts';
import { parseReference, render, resolveList, TemplateError, type Values } from './workflow-template.ts';

export interface Moment {
  readonly now: Date;
  /** Elements that a list may have. */
  readonly maxItems: number;
  /** Nothing new is begun: a person has paused the run, or a limit of the whole is used up. */
  readonly held: boolean;
}

/** A request that is to be made; its state is RUNNING, and lacks only the id of the request. */
export type Start = StepState;

export interface Progress {
  /** States that change without anybody doing anything. */
  readonly changed: readonly StepState[];
  /** What is to be begun now. */
  readonly starts: readonly Start[];
  /** When something may be begun that waits for its retry. */
  readonly wakeAt: Date | undefined;
}

/** What follows from the states: those that change by themselves, and what may be begun. */
export function progress(spec: WorkflowSpec, states: States, moment: Moment): Progress {
  const course = new Course(spec, states, moment);
  // A step that ends by itself may let others go on; each pass settles at least one, or is the last.
  while (course.pass());
  return course.result();
}

/** After a try that failed: it waits for the next one, or has failed for good. */
export function afterFailure(
  step: StepSpec,
  state: StepState,
  failed: { error: RequestError; now: Date },
): StepState {
  const { error, now } = failed;
  const { maxRetries, backoffMs } = step.retry;
  const isOver = !error.retryable || state.tries > maxRetries;
  if (isOver) return { ...state, status: 'FAILED', error, finishedAt: now, notBefore: undefined };
  const waitMs = Math.max(backoffMs * 2 ** (state.tries - 1), error.retryAfterMs ?? 0);
  return { ...state, status: 'PENDING', error, notBefore: new Date(now.getTime() + waitMs) };
}

class Course {
  readonly #spec: WorkflowSpec;
  readonly #moment: Moment;
  readonly #states: Map<string, StepState>;
  readonly #changed = new Map<string, StepState>();
  readonly #starts: Start[] = [];
  readonly #items = new Map<string, StepState[]>();
  #wakeAt: Date | undefined;
  #running: number;

  constructor(spec: WorkflowSpec, states: States, moment: Moment) {
    this.#spec = spec;
    this.#moment = moment;
    this.#states = new Map(states);
    this.#running = 0;
    for (const state of states.values()) {
      if (state.status === 'RUNNING' && state.requestId !== undefined) this.#running += 1;
      if (state.item !== undefined)
        this.#items.set(state.stepId, [...(this.#items.get(state.stepId) ?? []), state]);
    }
    for (const items of this.#items.values()) items.sort((a, b) => a.item! - b.item!);
  }

  result(): Progress {
    return { changed: [...this.#changed.values()], starts: this.#starts, wakeAt: this.#wakeAt };
  }

  /** True when a step has ended by itself, or began to be run item by item, which others may depend on. */
  pass(): boolean {
    let settled = false;
    for (const step of this.#spec.steps) {
      const state = this.#states.get(step.id) ?? pendingState(step.id);
      if (state.status === 'PENDING') settled = this.#begin(step, state) || settled;
      else if (state.status === 'RUNNING' && step.forEach) settled = this.#goOn(step, state) || settled;
      else if (state.status === 'WAITING' && this.#isFailing()) {
        this.#cancel(state);
        settled = true;
      }
    }
    return settled;
  }

  #set(state: StepState): void {
    this.#states.set(stateKey(state), state);
    this.#changed.set(stateKey(state), state);
  }

  /** For the sake of another step, whatever an earlier try of its own came to. */
  #cancel(state: StepState): void {
    this.#set({ ...state, status: 'CANCELLED', error: undefined, finishedAt: this.#moment.now });
  }

  #isFailing(): boolean {
    return this.#spec.steps.some(step => {
      const state = this.#states.get(step.id);
      return state !== undefined && isFatal(step, state);
    });
  }

  /** True when the step has settled at once. */
  #begin(step: StepSpec, state: StepState): boolean {
    const { now } = this.#moment;
    const ended = { finishedAt: now };
    if (this.#isFailing()) {
      this.#cancel(state);
      return true;
    }
    const dependencies = step.dependsOn.map(id => this.#states.get(id) ?? pendingState(id));
    if (!dependencies.every(({ status }) => hasEnded(status))) return false;
    const missing = dependencies.filter(({ status }) => status !== 'SUCCEEDED');
    if (
      step.join === 'ALL'
        ? missing.length > 0
        : missing.length === step.dependsOn.length && missing.length > 0
    ) {
      const note = `"${missing[0]!.stepId}" did not succeed`;
      this.#set({ ...state, ...ended, status: 'SKIPPED', note });
      return true;
    }
    try {
      return this.#carryOut(step, state);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const badResponse = requestError('BAD_RESPONSE', error.message, { retryable: false });
      this.#set({
        ...state,
        ...ended,
        startedAt: state.startedAt ?? now,
        status: 'FAILED',
        error: badResponse,
      });
      return true;
    }
  }

  #carryOut(step: StepSpec, state: StepState): boolean {
    const { now, held, maxItems } = this.#moment;
    const values = valuesOf(this.#spec, this.#states);
    if (step.condition && !holds(step.condition, values)) {
      this.#set({ ...state, status: 'SKIPPED', note: 'its condition does not hold', finishedAt: now });
      return true;
    }
    if (held) return false;
    const started = { ...state, startedAt: state.startedAt ?? now };
    if (step.kind === 'TRANSFORM') {
      const output = render(step.template, values);
      this.#set({ ...started, status: 'SUCCEEDED', output, finishedAt: now });
      return true;
    }
    if (step.kind === 'APPROVAL') {
      this.#set({ ...started, status: 'WAITING', note: render(step.template, values) });
      return false;
    }
    if (step.forEach) {
      const items = resolveList(parseReference(step.forEach.items), values);
      if (items.length > maxItems)
        throw new TemplateError(`${step.forEach.items} has ${items.length} elements, at most ${maxItems}`);
      this.#set({ ...started, status: 'RUNNING' });
      const made = this.#items.get(step.id) ?? [];
      const states = items.map((item, index) => {
        const pending = pendingState(step.id, index, JSON.stringify(item));
        // Results of an earlier run stand for what they were made from.
        return made.find(each => each.item === index && each.input === pending.input) ?? pending;
      });
      this.#items.set(step.id, states);
      for (const each of states) if (each.status === 'PENDING') this.#set(each);
      return true;
    }
    this.#start(started);
    return false;
  }

  /** Items of a list: begins as many as may run, and ends the step behind the last. */
  #goOn(step: StepSpec, state: StepState): boolean {
    const { now, held } = this.#moment;
    const items = (this.#items.get(step.id) ?? []).map(item => this.#states.get(stateKey(item))!);
    const isFailing = this.#isFailing() || (step.forEach!.onItemFailure === 'FAIL' && items.some(hasFailed));
    let running = items.filter(({ status }) => status === 'RUNNING').length;
    for (const item of items) {
      if (item.status !== 'PENDING') continue;
      if (isFailing) this.#cancel(item);
      else if (
        !held &&
        running < step.forEach!.maxParallel &&
        this.#start({ ...item, startedAt: item.startedAt ?? now })
      )
        running += 1;
    }
    const current = items.map(item => this.#states.get(stateKey(item))!);
    if (!current.every(({ status }) => hasEnded(status))) return false;
    this.#set({ ...state, ...joined(step, current), finishedAt: now });
    return true;
  }

  /** False when it has to wait: for its retry, or for room. */
  #start(state: StepState): boolean {
    const { now } = this.#moment;
    if (state.notBefore && state.notBefore > now) {
      if (!this.#wakeAt || state.notBefore < this.#wakeAt) this.#wakeAt = state.notBefore;
      return false;
    }
    if (this.#running >= this.#spec.limits.maxParallel) return false;
    this.#running += 1;
    const start: Start = {
      ...state,
      status: 'RUNNING',
      requestId: undefined,
      tries: state.tries + 1,
      notBefore: undefined,
    };
    this.#states.set(stateKey(start), start);
    this.#starts.push(start);
    return true;
  }
}

function holds(condition: Condition, values: Values): boolean {
  const value = render(condition.value, values);
  const { equals, notEquals, contains, isEmpty } = condition;
  if (equals !== undefined) return value === equals;
  if (notEquals !== undefined) return value !== notEquals;
  if (contains !== undefined) return value.includes(contains);
  if (isEmpty !== undefined) return (value.trim() === '') === isEmpty;
  return condition.in?.includes(value) ?? false;
}
