// What came of a run, and of a step that was run item by item.

import { type RequestError, requestError } from './request.ts';
import { hasEnded, type StepSpec, type StepState, type WorkflowSpec } from './workflow.ts';
import { sinksOf } from './workflow-graph.ts';
import { parseJson, render, TemplateError, type Values } from './workflow-template.ts';

export type States = ReadonlyMap<string, StepState>;

/** How the run has ended. */
export interface RunEnd {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly output: string | undefined;
  readonly error: RequestError | undefined;
}

/** Undefined while anything is still to be done. */
export function endOf(spec: WorkflowSpec, states: States): RunEnd | undefined {
  const own = spec.steps.map(step => states.get(step.id));
  if (own.some(state => !state || !hasEnded(state.status))) return undefined;
  const failing = spec.steps.filter(step => isFatal(step, states.get(step.id)!));
  const [first] = failing
    .map(step => states.get(step.id)!)
    .sort((a, b) => (a.finishedAt?.getTime() ?? 0) - (b.finishedAt?.getTime() ?? 0));
  if (first) {
    const error = first.error!;
    const message = `Step "${first.stepId}": ${error.message}`;
    const status = error.code === 'CANCELLED' ? 'CANCELLED' : 'FAILED';
    return { status, output: undefined, error: { ...error, message } };
  }
  try {
    return { status: 'SUCCEEDED', output: outputOf(spec, states), error: undefined };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return {
      status: 'FAILED',
      output: undefined,
      error: requestError('BAD_RESPONSE', `workflow.output: ${error.message}`, { retryable: false }),
    };
  }
}

/** What the templates of a step, or of one of its items, refer to. */
export function valuesOf(spec: WorkflowSpec, states: States, item?: StepState): Values {
  return {
    input: spec.input,
    parameters: spec.parameters,
    outputOf: stepId => states.get(stepId)?.output,
    ...(item?.item !== undefined && { item: { value: JSON.parse(item.input ?? 'null'), index: item.item } }),
  };
}

/** Does the run fail with it? So it does with what was cancelled for a reason of its own, and not for another step. */
export function isFatal(step: StepSpec, { status, error }: StepState): boolean {
  return (
    (status === 'FAILED' && step.onFailure === 'FAIL') || (status === 'CANCELLED' && error !== undefined)
  );
}

/** What becomes of a step whose items have all ended. */
export function joined({ forEach }: StepSpec, items: readonly StepState[]): Partial<StepState> {
  const { onItemFailure, joinWith } = forEach!;
  const failed = items.find(hasFailed);
  const cancelled = items.find(({ status }) => status === 'CANCELLED');
  if (failed && onItemFailure === 'FAIL') {
    const error = failed.error!;
    return { status: 'FAILED', error: { ...error, message: `Item ${failed.item}: ${error.message}` } };
  }
  if (cancelled) return { status: 'CANCELLED', error: cancelled.error };
  const outputs = items.flatMap(({ output }) => output ?? []);
  const note = failed ? `${items.length - outputs.length} of ${items.length} items failed` : undefined;
  const output = joinWith === undefined ? JSON.stringify(outputs.map(asJson)) : outputs.join(joinWith);
  return { status: 'SUCCEEDED', output, note };
}

export function hasFailed({ status }: StepState): boolean {
  return status === 'FAILED';
}

function outputOf(spec: WorkflowSpec, states: States): string {
  if (spec.output !== undefined) return render(spec.output, valuesOf(spec, states));
  const results = sinksOf(spec.steps).flatMap(id => {
    const output = states.get(id)?.output;
    return output === undefined ? [] : [[id, output] as const];
  });
  if (results.length === 1) return results[0]![1];
  return results.length === 0 ? '' : JSON.stringify(Object.fromEntries(results));
}

/** Results that are JSON objects or lists stay such inside of a list; text stays text. */
function asJson(output: string): unknown {
  if (!/^\s*[[{`]/.test(output)) return output;
  try {
    return parseJson(output, '');
  } catch {
    return output;
  }
}
