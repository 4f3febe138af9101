// What a caller hands in, and the rules it must meet before it becomes a request.

import { checkSchema, type JsonSchema } from '../lib/json-schema.ts';
import { badInput } from './errors.ts';
import type { Deadlines } from './model.ts';
import { type Message, type MessageRole, promptOf, type RequestSpec, type TaskType } from './request.ts';
import type { RoutingStrategy } from './routing.ts';
import type { WorkflowSpec } from './workflow.ts';
import { parseWorkflow, type WorkflowInput } from './workflow-input.ts';
import type { WorkflowBounds } from './workflow-step-input.ts';

/** Input as it arrives from a transport; types are checked there, meaning is checked here. */
export interface Submission {
  readonly prompt?: string | null | undefined;
  readonly messages?: readonly { readonly role: MessageRole; readonly content: string }[] | null | undefined;
  readonly system?: string | null | undefined;
  readonly taskType?: TaskType | null | undefined;
  readonly model?: string | null | undefined;
  readonly strategy?: RoutingStrategy | null | undefined;
  readonly preferLocal?: boolean | null | undefined;
  readonly priority?: number | null | undefined;
  readonly maxOutputTokens?: number | null | undefined;
  readonly temperature?: number | null | undefined;
  readonly stop?: readonly string[] | null | undefined;
  /** A JSON Schema; absent: the answer is any text. */
  readonly outputSchema?: unknown;
  readonly buffered?: boolean | null | undefined;
  readonly deadlines?: { readonly [Name in keyof Deadlines]?: number | null | undefined } | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly metadata?: unknown;
  /** Explicit steps; absent, a WORKFLOW is planned. */
  readonly workflow?: WorkflowInput | null | undefined;
}

export interface SubmissionLimits {
  /** Bytes of prompt, messages and system together. */
  readonly maxPromptBytes: number;
  /** Bytes of metadata as JSON. */
  readonly maxMetadataBytes: number;
  /** Bytes of the output schema as JSON. */
  readonly maxSchemaBytes: number;
  readonly maxDeadlineMs: number;
  readonly workflow: WorkflowBounds;
}

/** The request the submission asks for, with defaults filled in; throws BAD_USER_INPUT naming the argument. */
export function parseSubmission(
  submission: Submission,
  limits: SubmissionLimits,
  defaultStrategy: RoutingStrategy,
): RequestSpec {
  const messages = parseMessages(submission);
  const workflow = workflowOf(submission, messages, limits);
  const system = submission.system ? storable('system', submission.system) : undefined;
  const bytes = [system ?? '', ...messages.map(message => message.content)].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  );
  if (bytes > limits.maxPromptBytes)
    throw badInput('prompt', `is too large: ${bytes} bytes, at most ${limits.maxPromptBytes} are accepted`);
  if (
    submission.metadata != null &&
    Buffer.byteLength(JSON.stringify(submission.metadata)) > limits.maxMetadataBytes
  )
    throw badInput('metadata', `is too large: at most ${limits.maxMetadataBytes} bytes of JSON are accepted`);
  const outputSchema = parseOutputSchema(submission.outputSchema, limits.maxSchemaBytes);
  if (outputSchema && workflow)
    throw badInput('outputSchema', 'is for one answer: give it to the step of the workflow that makes it');
  if (outputSchema && messages.at(-1)?.role === 'ASSISTANT')
    throw badInput('outputSchema', 'excludes a last message by ASSISTANT, which the answer would continue');
  const { idempotencyKey } = submission;
  if (idempotencyKey != null && (idempotencyKey === '' || idempotencyKey.length > 200))
    throw badInput('idempotencyKey', 'must have 1 to 200 characters');
  if (idempotencyKey != null) storable('idempotencyKey', idempotencyKey);
  return {
    messages,
    system,
    taskType: workflow ? 'WORKFLOW' : (submission.taskType ?? 'CHAT'),
    model: parseModel(submission.model),
    strategy: submission.strategy ?? defaultStrategy,
    preferLocal: submission.preferLocal ?? false,
    priority: inRange('priority', submission.priority ?? 50, { min: 0, max: 100, integer: true }),
    maxOutputTokens: optional('maxOutputTokens', submission.maxOutputTokens, {
      min: 1,
      max: 10_000_000,
      integer: true,
    }),
    temperature: optional('temperature', submission.temperature, { min: 0, max: 2 }),
    stop: parseStop(submission.stop ?? []),
    outputSchema,
    buffered: submission.buffered ?? false,
    deadlines: parseDeadlines(submission.deadlines ?? {}, limits.maxDeadlineMs),
    metadata: submission.metadata ?? undefined,
    ...(workflow && { workflow }),
  };
}

function workflowOf(
  { workflow, taskType }: Submission,
  messages: readonly Message[],
  limits: SubmissionLimits,
): WorkflowSpec | undefined {
  if (workflow == null && taskType !== 'WORKFLOW') return undefined;
  return parseWorkflow(workflow ?? {}, promptOf(messages), limits.workflow);
}

function parseMessages({ prompt, messages, workflow }: Submission): Message[] {
  // Steps that are handed in need no input.
  if (prompt == null && messages == null && workflow?.steps?.length) return [{ role: 'USER', content: '' }];
  if (prompt != null && messages != null)
    throw badInput('prompt', 'and messages exclude each other: send one of them');
  if (prompt != null) {
    if (prompt.trim() === '') throw badInput('prompt', 'is empty');
    return [{ role: 'USER', content: storable('prompt', prompt) }];
  }
  if (messages == null || messages.length === 0)
    throw badInput('prompt', 'is missing: send prompt or messages');
  if (messages.length > 1_000) throw badInput('messages', 'has more than 1000 entries');
  if (!messages.some(message => message.role === 'USER' && message.content.trim() !== ''))
    throw badInput('messages', 'must contain a message of the role USER that is not empty');
  return messages.map(({ role, content }) => ({ role, content: storable('messages', content) }));
}

function parseModel(model: string | null | undefined): string | undefined {
  if (model == null) return undefined;
  if (model.trim() === '' || model.length > 200) throw badInput('model', 'must have 1 to 200 characters');
  return storable('model', model.trim());
}

function parseStop(stop: readonly string[]): readonly string[] {
  if (stop.length > 4) throw badInput('stop', 'has more than 4 entries');
  if (stop.some(text => text === '' || text.length > 100))
    throw badInput('stop', 'entries must have 1 to 100 characters');
  return stop.map(text => storable('stop', text));
}

function parseOutputSchema(schema: unknown, maxBytes: number): JsonSchema | undefined {
  if (schema == null) return undefined;
  const problem = checkSchema(schema, maxBytes);
  if (problem !== undefined) throw badInput('outputSchema', problem);
  return schema as JsonSchema;
}

function parseDeadlines(deadlines: NonNullable<Submission['deadlines']>, maxMs: number): Partial<Deadlines> {
  const entries = Object.entries(deadlines).filter(entry => entry[1] != null) as [keyof Deadlines, number][];
  for (const [name, value] of entries) {
    if (name === 'minTokensPerSecond') inRange(`deadlines.${name}`, value, { min: 0, max: 10_000 });
    else inRange(`deadlines.${name}`, value, { min: 1, max: maxMs, integer: true });
  }
  return Object.fromEntries(entries);
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

function optional(name: string, value: number | null | undefined, range: Range): number | undefined {
  return value == null ? undefined : inRange(name, value, range);
}

function inRange(name: string, value: number, { min, max, integer }: Range): number {
  if (!(value >= min && value <= max) || (integer && !Number.isInteger(value)))
    throw badInput(name, `must be ${integer ? 'a whole number ' : ''}from ${min} to ${max}`);
  return value;
}

/** Postgres stores no NUL, and a lone surrogate is not Unicode text: both are refused rather than altered. */
function storable(name: string, text: string): string {
  if (text.includes('\0')) throw badInput(name, 'contains the character NUL, which cannot be stored');
  if (!text.isWellFormed()) throw badInput(name, 'is not well-formed Unicode: it contains a lone surrogate');
  return text;
}
