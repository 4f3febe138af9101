// Planning: a workflow that comes without steps begins with one that has a capable model make them. The plan obeys the
// same rules as steps that a caller hands in; when it does not, the model is told why and plans again.

import { DomainError } from '../domain/errors.ts';
import { type RequestError, requestError } from '../domain/request.ts';
import type { StepSpec, StepState, WorkflowSpec } from '../domain/workflow.ts';
import { parseSteps, type StepInput, type WorkflowBounds } from '../domain/workflow-step-input.ts';
import { parseJson, TemplateError } from '../domain/workflow-template.ts';

export const PLAN_STEP = 'plan';
export const APPROVE_PLAN_STEP = 'approve-plan';
/** Plans that break the rules are sent back so often. */
const MAX_REPAIRS = 2;
/** A plan with more is hardly ever better. */
const MAX_PLANNED_STEPS = 20;

const PLAN_SCHEMA = JSON.stringify({
  type: 'object',
  additionalProperties: false,
  required: ['steps'],
  properties: {
    steps: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_PLANNED_STEPS,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'title', 'prompt', 'dependsOn'],
        properties: {
          id: { type: 'string', description: 'Letters, digits, - and _; unique.' },
          title: { type: 'string' },
          prompt: {
            type: 'string',
            description:
              'All that the model needs to know; {{steps.ID.output}} is the result of another step.',
          },
          dependsOn: {
            type: 'array',
            items: { type: 'string' },
            description: 'Ids of steps that come first.',
          },
        },
      },
    },
  },
});

const SYSTEM = `You plan work for language models. Break the task into the fewest steps that do it well, at most ${MAX_PLANNED_STEPS}.
Each step is one prompt to one model that sees nothing but this prompt. Where it needs the result of another step, write {{steps.ID.output}} with the id of that step, and list the id in dependsOn. Steps that do not need each other run at the same time. The last step makes the final answer to the task.
Answer with JSON only: {"steps": [{"id", "title", "prompt", "dependsOn"}]}.`;

/** A workflow without steps gets those that make its plan. */
export function withPlanning(spec: WorkflowSpec): WorkflowSpec {
  if (spec.steps.length > 0) return spec;
  const plan: StepSpec = {
    ...PLAIN,
    id: PLAN_STEP,
    title: 'Plan the steps',
    template: '{{input}}',
    system: SYSTEM,
    // Routing prefers the capable models for it.
    taskType: 'WORKFLOW',
    outputSchema: PLAN_SCHEMA,
    retry: { maxRetries: MAX_REPAIRS, backoffMs: 0 },
  };
  const approval: StepSpec = {
    ...PLAIN,
    id: APPROVE_PLAN_STEP,
    title: 'Approve the plan',
    kind: 'APPROVAL',
    template: 'Carry out this plan?',
    dependsOn: [PLAN_STEP],
  };
  return { ...spec, steps: spec.approvePlan ? [plan, approval] : [plan] };
}

const PLAIN = {
  kind: 'MODEL',
  dependsOn: [],
  join: 'ALL',
  condition: undefined,
  forEach: undefined,
  system: undefined,
  taskType: 'CHAT',
  model: undefined,
  strategy: undefined,
  preferLocal: undefined,
  maxOutputTokens: undefined,
  temperature: undefined,
  outputSchema: undefined,
  deadlineMs: undefined,
  maxCost: undefined,
  retry: { maxRetries: 1, backoffMs: 1_000 },
  onFailure: 'FAIL',
} as const satisfies Partial<StepSpec>;

/** What the planner is asked again after a plan that broke the rules; undefined: as its template has it. */
export function planPrompt(step: StepSpec, state: StepState, { input }: WorkflowSpec): string | undefined {
  if (!isPlan(step) || state.error?.code !== 'BAD_RESPONSE') return undefined;
  return `${input}\n\nAn earlier plan for this task could not be used: ${state.error.message}\nMake a plan without this mistake.`;
}

/** The workflow with the steps that were planned, or why the plan cannot be used. Other steps change nothing. */
export function takePlan(
  spec: WorkflowSpec,
  { stepId, output }: StepState,
  bounds: WorkflowBounds,
): { readonly spec: WorkflowSpec } | { readonly error: RequestError } {
  const step = spec.steps.find(({ id }) => id === stepId);
  if (!step || !isPlan(step)) return { spec };
  try {
    const inputs = stepsOf(parseJson(output ?? '', 'The plan'), spec);
    const planned = parseSteps(inputs, bounds, Object.keys(spec.parameters));
    const gate = spec.approvePlan ? APPROVE_PLAN_STEP : PLAN_STEP;
    const behind = planned.map(each => (each.dependsOn.length === 0 ? { ...each, dependsOn: [gate] } : each));
    return { spec: { ...spec, steps: [...spec.steps, ...behind] } };
  } catch (error) {
    if (!(error instanceof DomainError || error instanceof TemplateError)) throw error;
    return { error: requestError('BAD_RESPONSE', error.message, { retryable: true }) };
  }
}

function isPlan({ id, taskType }: StepSpec): boolean {
  // A caller's own steps are never of that type.
  return id === PLAN_STEP && taskType === 'WORKFLOW';
}

/** Only what a plan may decide: a model that answers with more is not obeyed. */
function stepsOf(plan: unknown, { steps: known }: WorkflowSpec): StepInput[] {
  const steps = Object(plan).steps as unknown;
  if (!Array.isArray(steps) || steps.length === 0)
    throw new TemplateError('The plan needs a list `steps` that is not empty.');
  if (steps.length > MAX_PLANNED_STEPS)
    throw new TemplateError(`The plan has ${steps.length} steps, at most ${MAX_PLANNED_STEPS} are accepted.`);
  return steps.map((step, index) => {
    const { id, title, prompt, dependsOn } = Object(step) as Record<string, unknown>;
    if (typeof id !== 'string' || typeof prompt !== 'string')
      throw new TemplateError(`Step ${index + 1} of the plan needs an id and a prompt.`);
    if (known.some(each => each.id === id))
      throw new TemplateError(`The id "${id}" is taken: call the step something else.`);
    const others = Array.isArray(dependsOn) ? dependsOn.filter(each => typeof each === 'string') : [];
    return {
      id,
      title: typeof title === 'string' ? title.slice(0, 200) || id : id,
      prompt,
      dependsOn: others,
    };
  });
}
