// What the database keeps of one workflow, twice: the real store, and the same promises in memory, which are a hundred
// times faster. rows.test.ts compares the two.

import { newId } from '../../src/domain/ids.ts';
import {
  isTerminal,
  type RequestStatus,
  requestError,
  type TerminalStatus,
} from '../../src/domain/request.ts';
import {
  hasEnded,
  pendingState,
  type StepState,
  stateKey,
  type WorkflowSpec,
} from '../../src/domain/workflow.ts';
import type { Store } from '../../src/store/store.ts';
import type { Decision, WorkflowRepository } from '../../src/store/workflows.ts';
import { aRequest, aSpec } from '../store/samples.ts';

export type RunRepository = Pick<
  WorkflowRepository,
  'begin' | 'advance' | 'acts' | 'decide' | 'setPaused' | 'park'
>;

export interface Rows {
  /** Of the request that the workflow is. */
  readonly id: string;
  readonly workflows: RunRepository;
  /** The request runs under a new owner; resolves with its epoch. */
  claim(): Promise<number>;
  /** Its owner has died. */
  recover(): Promise<void>;
  giveBack(epoch: number): Promise<void>;
  /** False: somebody else owns it, or has ended it. */
  finish(epoch: number, status: TerminalStatus): Promise<boolean>;
  /** False: it does not wait. */
  cancelWaiting(): Promise<boolean>;
  /** The time has come that was named when it was parked. */
  wake(): Promise<void>;
  status(): Promise<RequestStatus>;
  /** All states, items too. */
  states(): Promise<StepState[]>;
}

const CANCELLED = requestError('CANCELLED', 'cancelled');
const OWNER = 'an instance';

export async function rowsIn(store: Store, workflow: WorkflowSpec): Promise<Rows> {
  const request = aRequest({
    status: 'QUEUED',
    owner: undefined,
    epoch: 0,
    spec: aSpec({ taskType: 'WORKFLOW', workflow }),
  });
  await store.requests.accept(request);
  const { id } = request;
  const row = async () => (await store.requests.byIds([id]))[0]!;
  return {
    id,
    workflows: store.workflows,
    async claim() {
      const [claimed] = await store.queue.claim(OWNER, 1);
      return claimed!.epoch;
    },
    async recover() {
      await store.transaction(inside =>
        inside.queue.recover([OWNER], 1_000, requestError('INTERNAL', 'died')),
      );
    },
    async giveBack(epoch) {
      await store.queue.giveBack({ id, epoch, attempts: [] });
    },
    finish: (epoch, status) => store.requests.finish({ ...anEnd(id), epoch, status }),
    cancelWaiting: () => store.queue.cancel(id, CANCELLED),
    async wake() {
      await store.queue.wake();
    },
    status: async () => (await row()).status,
    async states() {
      const [steps] = await store.workflows.stepsByIds([id]);
      const ids = new Set([...workflow.steps.map(step => step.id), ...steps!.map(({ stepId }) => stepId)]);
      const items = await Promise.all([...ids].map(stepId => store.workflows.items(id, stepId, 0, 1_000)));
      return [...steps!, ...items.flat()];
    },
  };
}

function anEnd(id: string) {
  return {
    id,
    output: undefined,
    routing: undefined,
    attempts: [],
    deploymentId: undefined,
    providerId: undefined,
    servedModel: undefined,
    finishReason: undefined,
    error: undefined,
    usage: undefined,
    costNanoUsd: undefined,
    failedAttemptsCostNanoUsd: undefined,
    startedAt: undefined,
    firstTokenAt: undefined,
    finishedAt: new Date(),
    overheadMs: undefined,
    lastSequence: 1,
    restartSequence: undefined,
  };
}

interface Run {
  spec: WorkflowSpec;
  pausedAt: Date | undefined;
  acts: number;
  wakeAt: Date | undefined;
}

export function rowsInMemory(workflow: WorkflowSpec, userId = newId()): Rows {
  const id = newId();
  const states = new Map<string, StepState>();
  const decided = new Map<string, Decision>();
  let status: RequestStatus = 'QUEUED';
  let epoch = 0;
  let run: Run | undefined;
  let isParked = false;
  const owns = (owner: { epoch: number }) => status === 'RUNNING' && owner.epoch === epoch;
  const openOf = (stepId: string) => {
    const state = states.get(stepId);
    return state?.status === 'WAITING' ? state : undefined;
  };
  const become = (next: RequestStatus) => {
    status = next;
    isParked = false;
  };
  const acted = (wakes: boolean) => {
    run!.acts += 1;
    if (wakes && isParked) become('QUEUED');
  };

  const workflows: RunRepository = {
    async begin(owner, spec) {
      if (!owns(owner)) return undefined;
      run ??= newRun(spec);
      return { ...run, spec: copyOf(run.spec), steps: [...states.values()], userId, apiKeyId: undefined };
    },
    async advance(change) {
      if (!owns(change) || !run) return undefined;
      for (const state of change.steps) {
        const held = states.get(stateKey(state));
        if (!held || !hasEnded(held.status)) states.set(stateKey(state), storedOf(state));
      }
      if (change.spec) run.spec = copyOf(change.spec);
      return { pausedAt: run.pausedAt, acts: run.acts };
    },
    acts: async () => ({
      count: run?.acts ?? 0,
      pausedAt: run?.pausedAt,
      decisions: [...decided.values()].filter(({ stepId }) => openOf(stepId)),
    }),
    async park(parking) {
      if (!owns(parking) || !run) return true;
      if (parking.acts !== run.acts) return false;
      run.wakeAt = parking.wakeAt;
      isParked = true;
      return true;
    },
    async decide(_id, decision) {
      if (!openOf(decision.stepId) || decided.has(decision.stepId)) return false;
      decided.set(decision.stepId, decision);
      acted(true);
      return true;
    },
    async setPaused(_id, paused) {
      if (paused) run ??= newRun(workflow);
      if (!run || (run.pausedAt !== undefined) === paused) return false;
      run.pausedAt = paused ? new Date() : undefined;
      acted(!paused);
      return true;
    },
  };
  return {
    id,
    workflows,
    async claim() {
      epoch += 1;
      become('RUNNING');
      return epoch;
    },
    async recover() {
      if (status !== 'RUNNING' || isParked) return;
      epoch += 1;
      become('QUEUED');
    },
    async giveBack(of) {
      if (owns({ epoch: of })) become('QUEUED');
    },
    async finish(of, end) {
      const isOurs = of === epoch && !isTerminal(status);
      if (isOurs) become(end);
      return isOurs;
    },
    async cancelWaiting() {
      if (status !== 'QUEUED' && !isParked) return false;
      epoch += 1;
      become('CANCELLED');
      const open = [...states.values()].filter(state => !hasEnded(state.status));
      const others = (run?.spec.steps ?? []).filter(step => !states.has(step.id));
      for (const state of [...open, ...others.map(step => pendingState(step.id))])
        states.set(stateKey(state), { ...state, status: 'CANCELLED', finishedAt: new Date() });
      return true;
    },
    async wake() {
      if (isParked && run?.wakeAt) become('QUEUED');
      if (run) run.wakeAt = undefined;
    },
    status: async () => status,
    states: async () => [...states.values()],
  };
}

function newRun(spec: WorkflowSpec): Run {
  return { spec: copyOf(spec), pausedAt: undefined, acts: 0, wakeAt: undefined };
}

/** As it comes back out of a jsonb column. */
function copyOf(spec: WorkflowSpec): WorkflowSpec {
  return JSON.parse(JSON.stringify(spec));
}

/** As it comes back out of its columns: how long a provider wishes to be left alone is not kept. */
function storedOf(state: StepState): StepState {
  const { error } = state;
  return {
    ...state,
    error: error && requestError(error.code, error.message, { retryable: error.retryable }),
  };
}
