// What a run may spend: money and tokens, over all of its steps. A step is begun only when its estimate fits into what is
// left beside those that are under way.

import { type ModelRequest, type RequestError, type RequestSpec, requestError } from '../domain/request.ts';
import { formatUsd, type Usage } from '../domain/usage.ts';
import { type StepSpec, type StepState, stateKey } from '../domain/workflow.ts';
import type { StoredRun } from '../store/workflows.ts';
import { isUnderWay } from './step.ts';
import type { WorkflowsDeps } from './workflows.ts';

export interface Account {
  /** Sets its estimate aside; or says why it may not be begun. */
  admit(state: StepState, step: StepSpec, spec: RequestSpec): RequestError | undefined;
  /** Sets the estimate aside of one that was begun before. */
  resume(state: StepState, spec: RequestSpec): void;
  /** What it took instead of the estimate. Undefined: no request was made. */
  settle(key: string, request: ModelRequest | undefined): void;
}

/** Reads what the run has taken before. What is under way is settled when it has ended, also if it has already. */
export async function createAccount(
  runId: string,
  { spec: { limits }, steps: states }: Pick<StoredRun, 'spec' | 'steps'>,
  { store, steps }: Pick<WorkflowsDeps, 'store' | 'steps'>,
): Promise<Account> {
  const maxCost = limits.maxCost === undefined ? undefined : BigInt(limits.maxCost);
  const { maxTokens } = limits;
  const isLimited = maxCost !== undefined;
  const underWay = states.filter(isUnderWay).map(({ requestId }) => requestId!);
  const before =
    isLimited || maxTokens !== undefined ? await store.workflows.spentBeside(runId, underWay) : undefined;
  let spent = before?.costNanoUsd ?? 0n;
  let tokens = tokensOf(before?.usage);
  const setAside = new Map<string, bigint>();

  function refusal(step: StepSpec, estimate: bigint): string | undefined {
    if (step.maxCost !== undefined && estimate > BigInt(step.maxCost))
      return `it would take about ${usd(estimate)}, and its maxCost is ${usd(BigInt(step.maxCost))}`;
    if (maxTokens !== undefined && tokens >= maxTokens)
      return `the workflow has taken ${tokens} of its ${maxTokens} tokens`;
    if (!isLimited) return undefined;
    const held = [...setAside.values()].reduce((sum, each) => sum + each, 0n);
    const left = maxCost - spent - held;
    return estimate > left
      ? `it would take about ${usd(estimate)}, and ${usd(left > 0n ? left : 0n)} of the workflow's ${usd(maxCost)} are left`
      : undefined;
  }

  return {
    admit(state, step, spec) {
      const isPriced = isLimited || step.maxCost !== undefined;
      const estimate = isPriced ? (steps().estimate(spec) ?? 0n) : 0n;
      const why = refusal(step, estimate);
      if (why !== undefined)
        return requestError('BUDGET_EXCEEDED', `The step was not begun: ${why}.`, { retryable: false });
      if (isLimited) setAside.set(stateKey(state), estimate);
      return undefined;
    },
    resume(state, spec) {
      if (isLimited) setAside.set(stateKey(state), steps().estimate(spec) ?? 0n);
    },
    settle(key, request) {
      setAside.delete(key);
      spent += request?.costNanoUsd ?? 0n;
      tokens += tokensOf(request?.usage);
    },
  };
}

function tokensOf(usage: Usage | undefined): number {
  return (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);
}

function usd(nanoUsd: bigint): string {
  return `$${formatUsd(nanoUsd)}`;
}
