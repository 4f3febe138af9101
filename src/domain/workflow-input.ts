// From what a caller hands in to a workflow that can be run.

import { badInput } from './errors.ts';
import type { StepSpec, WorkflowLimits, WorkflowSpec } from './workflow.ts';
import {
  type Optional,
  parseCost,
  parseSteps,
  type StepInput,
  type WorkflowBounds,
} from './workflow-step-input.ts';
import { referencesIn, TemplateError } from './workflow-template.ts';

export interface WorkflowInput
  extends Optional<{
    steps: readonly StepInput[];
    output: string;
    parameters: unknown;
    approvePlan: boolean;
    limits: Optional<{ maxCost: bigint; maxTokens: number; deadlineMs: number; maxParallel: number }>;
  }> {}

/** Throws BAD_USER_INPUT. Without steps the result is to be planned. */
export function parseWorkflow(input: WorkflowInput, text: string, bounds: WorkflowBounds): WorkflowSpec {
  const parameters = parseParameters(input.parameters);
  const steps = parseSteps(input.steps ?? [], bounds, Object.keys(parameters));
  const output = input.output ?? undefined;
  if (output !== undefined) checkOutput(output, steps);
  return {
    steps,
    input: text,
    parameters,
    output,
    limits: parseLimits(input.limits ?? {}, bounds),
    approvePlan: input.approvePlan ?? false,
    definition: undefined,
    reuse: undefined,
  };
}

function parseParameters(parameters: unknown): Readonly<Record<string, unknown>> {
  if (parameters == null) return {};
  if (typeof parameters !== 'object' || Array.isArray(parameters))
    throw badInput('workflow.parameters', 'must be a JSON object');
  return parameters as Record<string, unknown>;
}

function parseLimits(limits: NonNullable<WorkflowInput['limits']>, bounds: WorkflowBounds): WorkflowLimits {
  const whole = (name: keyof WorkflowLimits & string, max: number) => {
    const value = limits[name as 'maxTokens'];
    if (value == null) return undefined;
    if (!(Number.isInteger(value) && value >= 1 && value <= max))
      throw badInput(`workflow.limits.${name}`, `must be a whole number from 1 to ${max}`);
    return value;
  };
  return {
    maxCost: parseCost(limits.maxCost, 'workflow.limits.maxCost'),
    maxTokens: whole('maxTokens', 10_000_000_000),
    deadlineMs: whole('deadlineMs', bounds.maxDeadlineMs),
    maxParallel: whole('maxParallel', bounds.maxParallel) ?? bounds.maxParallel,
  };
}

function checkOutput(template: string, steps: readonly StepSpec[]): void {
  const ids = new Set(steps.map(step => step.id));
  try {
    for (const { text, root, stepId } of referencesIn(template)) {
      if (root === 'item' || root === 'index')
        throw new TemplateError(`{{${text}}} has a meaning only in a step with forEach`);
      // What a plan will contain is not known yet.
      if (stepId !== undefined && steps.length > 0 && !ids.has(stepId))
        throw new TemplateError(`{{${text}}} names no step`);
    }
  } catch (error) {
    throw badInput('workflow.output', (error as Error).message);
  }
}
