// Looks at every write of a workflow: what must hold of its states at any time, and from one to the next.

import assert from 'node:assert/strict';
import { hasEnded, type StepState, stateKey, type WorkflowSpec } from '../../src/domain/workflow.ts';

type States = ReadonlyMap<string, StepState>;

export class Watch {
  #states: States = new Map();
  #spec: WorkflowSpec;

  constructor(spec: WorkflowSpec) {
    this.#spec = spec;
  }

  get states(): StepState[] {
    return [...this.#states.values()];
  }

  /** `isPaused`: whoever wrote knows so. Returns the states. */
  written(
    rows: readonly StepState[],
    planned: WorkflowSpec | undefined,
    isPaused: boolean,
  ): readonly StepState[] {
    const before = this.#states;
    const now: States = new Map(rows.map(state => [stateKey(state), state]));
    this.#states = now;
    this.#spec = planned ?? this.#spec;
    for (const [key, state] of before)
      if (hasEnded(state.status)) assert.deepEqual(now.get(key), state, 'what has ended stays as it is');
    const begun = rows.filter(
      state => state.requestId !== undefined && state.requestId !== before.get(stateKey(state))?.requestId,
    );
    if (isPaused) assert.deepEqual(begun, [], 'nothing is begun while it is paused');
    for (const { stepId } of begun) this.#assertMayBegin(stepId);
    this.#assertFew(rows);
    return rows;
  }

  #assertMayBegin(stepId: string): void {
    for (const other of this.#spec.steps.find(({ id }) => id === stepId)?.dependsOn ?? [])
      assert.ok(hasEnded(this.#states.get(other)!.status), `${stepId} begins behind ${other}`);
  }

  #assertFew(rows: readonly StepState[]): void {
    const underWay = rows.filter(({ status, requestId }) => status === 'RUNNING' && requestId);
    const { steps, limits } = this.#spec;
    assert.ok(underWay.length <= limits.maxParallel, 'no more at a time than may be');
    for (const { id, forEach } of steps)
      if (forEach) {
        const { length } = underWay.filter(({ stepId }) => stepId === id);
        assert.ok(length <= forEach.maxParallel, `no more elements of ${id} at a time than may be`);
      }
  }
}
