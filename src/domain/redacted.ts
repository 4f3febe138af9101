// Redaction of what is handed in with a request, and of answers. What a caller means by name (models, steps, tags of
// deployments), stop texts and output schemas are left as they are: another text would be another request.

import { type RedactText, redactJson } from './redaction.ts';
import type { RequestSpec } from './request.ts';
import type { StreamEvent } from './stream.ts';
import type { Condition, StepSpec, WorkflowSpec } from './workflow.ts';

export function redactSpec(spec: RequestSpec, redact: RedactText): RequestSpec {
  return {
    ...spec,
    messages: spec.messages.map(message => ({ ...message, content: redact(message.content) })),
    system: redactSome(spec.system, redact),
    metadata: redactJson(spec.metadata, redact),
    ...(spec.workflow && { workflow: redactWorkflow(spec.workflow, redact) }),
  };
}

export function redactWorkflow(workflow: WorkflowSpec, redact: RedactText): WorkflowSpec {
  return {
    ...workflow,
    steps: workflow.steps.map(step => redactStep(step, redact)),
    input: redact(workflow.input),
    parameters: redactJson(workflow.parameters, redact) as WorkflowSpec['parameters'],
    output: redactSome(workflow.output, redact),
  };
}

/** An answer; one that is JSON stays JSON, though perhaps not of its schema. */
export function redactAnswer(text: string, { outputSchema }: RequestSpec, redact: RedactText): string {
  if (outputSchema === undefined) return redact(text);
  try {
    const value: unknown = JSON.parse(text);
    const redacted = JSON.stringify(redactJson(value, redact));
    return redacted === JSON.stringify(value) ? text : redacted;
  } catch {
    // Of an attempt that failed.
    return redact(text);
  }
}

/** A text that comes in one piece can be redacted before anybody sees it. */
export function redactWhole(event: StreamEvent, spec: RequestSpec, redact: RedactText): StreamEvent {
  if (event.type !== 'token' || !spec.buffered) return event;
  return { ...event, text: redactAnswer(event.text, spec, redact) };
}

function redactStep(step: StepSpec, redact: RedactText): StepSpec {
  return {
    ...step,
    title: redact(step.title),
    condition: step.condition && redactCondition(step.condition, redact),
    forEach: step.forEach && { ...step.forEach, joinWith: redactSome(step.forEach.joinWith, redact) },
    template: redact(step.template),
    system: redactSome(step.system, redact),
  };
}

function redactCondition(condition: Condition, redact: RedactText): Condition {
  return redactJson(condition, redact) as Condition;
}

function redactSome(text: string | undefined, redact: RedactText): string | undefined {
  return text === undefined ? undefined : redact(text);
}
