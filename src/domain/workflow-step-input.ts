// The steps of a workflow as they are handed in, by a caller or by a model that plans: every one is looked at before
// anything is accepted, and each error names the step that has it.

import { checkSchema } from '../lib/json-schema.ts';
import { badInput, type DomainError } from './errors.ts';
import type { TaskType } from './request.ts';
import type { RoutingStrategy } from './routing.ts';
import {
  CONDITION_OPERATORS,
  type Condition,
  type FailurePolicy,
  type FanOut,
  type Join,
  type RetryPolicy,
  type StepKind,
  type StepSpec,
} from './workflow.ts';
import { checkGraph } from './workflow-graph.ts';
import { parseReference, type Reference, referencesIn } from './workflow-template.ts';

export type Optional<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

export interface StepInput
  extends Optional<{
    title: string;
    kind: StepKind;
    prompt: string;
    template: string;
    system: string;
    taskType: TaskType;
    dependsOn: readonly string[];
    join: Join;
    condition: Optional<Condition> & { readonly value: string };
    forEach: Optional<FanOut> & { readonly items: string };
    model: string;
    strategy: RoutingStrategy;
    preferLocal: boolean;
    maxOutputTokens: number;
    temperature: number;
    outputSchema: unknown;
    deadlineMs: number;
    maxCost: bigint;
    retry: Optional<RetryPolicy>;
    onFailure: FailurePolicy;
  }> {
  readonly id: string;
}

/** Bounds of what may be asked; all are settings of the server. */
export interface WorkflowBounds {
  readonly maxSteps: number;
  readonly maxDepth: number;
  readonly maxItems: number;
  readonly maxParallel: number;
  readonly maxDeadlineMs: number;
  /** Bytes of the JSON Schema of one step. */
  readonly maxSchemaBytes: number;
  /** Bytes of all templates together. */
  readonly maxTemplateBytes: number;
}

const DEFAULT_PARALLEL = 20;
const MAX_RETRIES = 10;
const MAX_BACKOFF_MS = 3_600_000;
const STEP_ID = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const DEFAULT_RETRY: RetryPolicy = { maxRetries: 1, backoffMs: 1_000 };

/** The rules for steps alone: those of a caller, and those that a model has planned. */
export function parseSteps(
  inputs: readonly StepInput[],
  bounds: WorkflowBounds,
  parameters: readonly string[],
): StepSpec[] {
  if (inputs.length > bounds.maxSteps)
    throw badInput('workflow.steps', `has ${inputs.length} steps, at most ${bounds.maxSteps} are accepted`);
  const ids = new Set<string>();
  for (const { id } of inputs) {
    if (!STEP_ID.test(id))
      throw stepError(id, 'id must be 1 to 64 letters, digits, - or _, beginning with a letter or _');
    if (ids.has(id)) throw stepError(id, 'id is used twice');
    ids.add(id);
  }
  const steps = inputs.map(input => parseStep(input, { ids, bounds, parameters }));
  const bytes = steps.reduce((sum, { template, system }) => sum + byteLength(template, system), 0);
  if (bytes > bounds.maxTemplateBytes)
    throw badInput(
      'workflow.steps',
      `are too large: ${bytes} bytes of text, at most ${bounds.maxTemplateBytes}`,
    );
  checkGraph(steps, bounds.maxDepth);
  return steps;
}

interface Surroundings {
  readonly ids: ReadonlySet<string>;
  readonly bounds: WorkflowBounds;
  readonly parameters: readonly string[];
}

function parseStep(input: StepInput, surroundings: Surroundings): StepSpec {
  const { id } = input;
  const { bounds } = surroundings;
  const kind = input.kind ?? 'MODEL';
  const template = parseTemplate(input, kind);
  const forEach = input.forEach == null ? undefined : parseFanOut(id, kind, input.forEach, bounds);
  const condition = input.condition == null ? undefined : parseCondition(id, input.condition);
  const references = [
    ...referencesOf(id, [template, input.system ?? '']),
    ...(forEach ? [referenceOf(id, forEach.items)] : []),
    ...(condition ? referencesOf(id, [condition.value]) : []),
  ];
  checkReferences(id, references, surroundings, forEach !== undefined);
  const dependsOn = [
    ...new Set([...(input.dependsOn ?? []), ...references.flatMap(each => each.stepId ?? [])]),
  ];
  for (const other of dependsOn)
    if (!surroundings.ids.has(other)) throw stepError(id, `depends on "${other}", which is no step`);
  return {
    id,
    title: inLength(id, 'title', input.title ?? id, 200),
    kind,
    dependsOn,
    join: input.join ?? 'ALL',
    condition,
    forEach,
    template,
    system: input.system ?? undefined,
    ...parseWishes(input, bounds),
    retry: parseRetry(id, input.retry ?? {}),
    onFailure: input.onFailure ?? 'FAIL',
  };
}

/** What only means something to a model. */
function parseWishes(input: StepInput, bounds: WorkflowBounds) {
  const { id } = input;
  return {
    taskType: parseTaskType(id, input.taskType ?? 'CHAT'),
    model: input.model == null ? undefined : inLength(id, 'model', input.model.trim(), 200),
    strategy: input.strategy ?? undefined,
    preferLocal: input.preferLocal ?? undefined,
    maxOutputTokens: whole(id, 'maxOutputTokens', input.maxOutputTokens, [1, 10_000_000]),
    temperature: within(id, 'temperature', input.temperature, [0, 2]),
    outputSchema: parseSchema(id, input.outputSchema, bounds.maxSchemaBytes),
    deadlineMs: whole(id, 'deadlineMs', input.deadlineMs, [1, bounds.maxDeadlineMs]),
    maxCost: parseCost(input.maxCost, `workflow: step "${id}" maxCost`),
  };
}

function parseTemplate({ id, prompt, template }: StepInput, kind: StepKind): string {
  const [name, other] = kind === 'TRANSFORM' ? ['template', 'prompt'] : ['prompt', 'template'];
  const [given, misplaced] = kind === 'TRANSFORM' ? [template, prompt] : [prompt, template];
  if (misplaced != null) throw stepError(id, `is of kind ${kind}: it has a ${name} and no ${other}`);
  if (given == null || given.trim() === '') throw stepError(id, `needs a ${name}`);
  return storable(id, name!, given);
}

function parseFanOut(
  id: string,
  kind: StepKind,
  input: NonNullable<StepInput['forEach']>,
  { maxParallel }: WorkflowBounds,
): FanOut {
  if (kind !== 'MODEL') throw stepError(id, 'has forEach, which is for steps of kind MODEL');
  return {
    items: input.items.trim().replace(/^\{\{\s*|\s*\}\}$/g, ''),
    maxParallel:
      whole(id, 'forEach.maxParallel', input.maxParallel, [1, maxParallel]) ??
      Math.min(DEFAULT_PARALLEL, maxParallel),
    joinWith: input.joinWith == null ? undefined : storable(id, 'forEach.joinWith', input.joinWith),
    onItemFailure: input.onItemFailure ?? 'FAIL',
  };
}

function parseCondition(id: string, input: NonNullable<StepInput['condition']>): Condition {
  const given = CONDITION_OPERATORS.filter(operator => input[operator] != null);
  if (given.length !== 1)
    throw stepError(id, `condition needs exactly one of ${CONDITION_OPERATORS.join(', ')}`);
  const operator = given[0]!;
  return { value: input.value, [operator]: input[operator] };
}

function parseRetry(id: string, { maxRetries, backoffMs }: Optional<RetryPolicy>): RetryPolicy {
  return {
    maxRetries: whole(id, 'retry.maxRetries', maxRetries, [0, MAX_RETRIES]) ?? DEFAULT_RETRY.maxRetries,
    backoffMs: whole(id, 'retry.backoffMs', backoffMs, [0, MAX_BACKOFF_MS]) ?? DEFAULT_RETRY.backoffMs,
  };
}

function parseSchema(id: string, schema: unknown, maxBytes: number): string | undefined {
  if (schema == null) return undefined;
  const problem = checkSchema(schema, maxBytes);
  if (problem !== undefined) throw stepError(id, `outputSchema ${problem}`);
  return JSON.stringify(schema);
}

function parseTaskType(id: string, taskType: TaskType): TaskType {
  if (taskType === 'WORKFLOW') throw stepError(id, 'cannot be a workflow itself');
  return taskType;
}

export function parseCost(cost: bigint | null | undefined, argument: string): string | undefined {
  if (cost == null) return undefined;
  if (cost < 0n) throw badInput(argument, 'must not be negative');
  return cost.toString();
}

function checkReferences(
  id: string,
  references: readonly Reference[],
  { ids, parameters }: Surroundings,
  isFanOut: boolean,
): void {
  for (const { text, root, path, stepId } of references) {
    if (stepId !== undefined && !ids.has(stepId))
      throw stepError(id, `refers to {{${text}}}, and "${stepId}" is no step`);
    if (stepId === id) throw stepError(id, `refers to its own result: {{${text}}}`);
    if (root === 'parameters' && !parameters.includes(path[0] as string))
      throw stepError(id, `refers to {{${text}}}, and no parameter has that name`);
    if ((root === 'item' || root === 'index') && !isFanOut)
      throw stepError(id, `refers to {{${text}}}, which has a meaning only with forEach`);
  }
}

function referencesOf(id: string, templates: readonly string[]): Reference[] {
  try {
    return templates.flatMap(referencesIn);
  } catch (error) {
    throw stepError(id, (error as Error).message);
  }
}

function referenceOf(id: string, text: string): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    throw stepError(id, `forEach.items: ${(error as Error).message}`);
  }
}

function whole(
  id: string,
  name: string,
  value: number | null | undefined,
  range: readonly [number, number],
): number | undefined {
  if (value != null && !Number.isInteger(value)) throw stepError(id, `${name} must be a whole number`);
  return within(id, name, value, range);
}

function within(
  id: string,
  name: string,
  value: number | null | undefined,
  [min, max]: readonly [number, number],
): number | undefined {
  if (value == null) return undefined;
  if (!(value >= min && value <= max)) throw stepError(id, `${name} must be ${min} to ${max}`);
  return value;
}

function inLength(id: string, name: string, text: string, max: number): string {
  if (text === '' || text.length > max) throw stepError(id, `${name} must have 1 to ${max} characters`);
  return storable(id, name, text);
}

function storable(id: string, name: string, text: string): string {
  if (text.includes('\0') || !text.isWellFormed())
    throw stepError(id, `${name} is not well-formed Unicode, or contains the character NUL`);
  return text;
}

function byteLength(...texts: readonly (string | undefined)[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0);
}

/** The error of one step. */
export function stepError(id: string, problem: string): DomainError {
  return badInput('workflow:', `step "${id.slice(0, 64)}" ${problem}`);
}
