// One step as a request: built from its template, made under the id that was written down for it, followed to its end.
// Its tokens go on into the stream of the workflow, marked with the step.

import { DomainError } from '../domain/errors.ts';
import { type ModelRequest, type RequestError, type RequestSpec, requestError } from '../domain/request.ts';
import type { StreamEvent } from '../domain/stream.ts';
import { type StepSpec, type StepState, stateKey, type WorkflowSpec } from '../domain/workflow.ts';
import { type States, valuesOf } from '../domain/workflow-result.ts';
import { render, TemplateError } from '../domain/workflow-template.ts';
import type { StepActor, StepRequests } from '../gateway/steps.ts';
import { pause } from '../lib/clock.ts';
import { planPrompt } from './plan.ts';
import type { WorkflowsDeps } from './workflows.ts';

/** While there is no room for a step it is offered again so soon, and then less and less often. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** How a step's request ended; `request` is undefined when none was made. */
export type StepEnd = { readonly key: string; readonly request: ModelRequest | undefined } & (
  | { readonly output: string }
  | { readonly error: RequestError }
);

export type BuiltSpec = { readonly spec: RequestSpec } | { readonly error: RequestError };

interface Surroundings {
  readonly step: StepSpec;
  readonly states: States;
  readonly workflow: WorkflowSpec;
  /** The request that the workflow is. */
  readonly request: ModelRequest;
  /** What it asks for; its wishes are those of steps that have none of their own. */
  readonly spec: RequestSpec;
}

/** The request of a step, the same every time it is built from the same results. */
export function stepSpecOf(
  state: StepState,
  { step, states, workflow, request, spec: parent }: Surroundings,
  { maxPromptBytes }: Pick<WorkflowsDeps, 'maxPromptBytes'>,
): BuiltSpec {
  try {
    const values = valuesOf(workflow, states, state);
    const prompt = planPrompt(step, state, workflow) ?? render(step.template, values);
    const system = step.system === undefined ? undefined : render(step.system, values);
    const bytes = Buffer.byteLength(prompt) + Buffer.byteLength(system ?? '');
    if (bytes > maxPromptBytes)
      throw new TemplateError(`The prompt has ${bytes} bytes, at most ${maxPromptBytes} are accepted.`);
    if (prompt.trim() === '') throw new TemplateError('The prompt is empty.');
    const spec: RequestSpec = {
      messages: [{ role: 'USER', content: prompt }],
      system,
      taskType: step.taskType,
      model: step.model,
      strategy: step.strategy ?? parent.strategy,
      preferLocal: step.preferLocal ?? parent.preferLocal,
      priority: parent.priority,
      maxOutputTokens: step.maxOutputTokens,
      temperature: step.temperature,
      stop: [],
      buffered: parent.buffered,
      deadlines: step.deadlineMs === undefined ? {} : { totalMs: step.deadlineMs },
      metadata: undefined,
      outputSchema: step.outputSchema === undefined ? undefined : JSON.parse(step.outputSchema),
      step: { workflowId: request.id, step: stateKey(state) },
    };
    return { spec };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { error: requestError('BAD_RESPONSE', error.message, { retryable: false }) };
  }
}

interface StepPlace {
  /** RUNNING, with the id of its request. */
  readonly state: StepState;
  readonly spec: BuiltSpec;
  readonly actor: StepActor;
  readonly emit: (event: StreamEvent) => void;
  /** Aborted when the run is not carried on here. */
  readonly signal: AbortSignal;
}

/** Undefined: the run ended first. Never throws. */
export async function carryOutStep(place: StepPlace, deps: WorkflowsDeps): Promise<StepEnd | undefined> {
  const { state, signal } = place;
  const key = stateKey(state);
  const steps = deps.steps();
  try {
    await offer(place, deps);
    const request = signal.aborted ? undefined : await followed(place, steps);
    if (!request) return undefined;
    return { key, request, ...(await resultOf(request, steps)) };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof DomainError) return { key, request: undefined, error: toRequestError(error) };
    deps.log.warn({ error, requestId: state.requestId }, 'a step of a workflow failed by a fault of ours');
    return { key, request: undefined, error: requestError('INTERNAL', 'A fault of the server.') };
  }
}

/** Makes the request, unless that was done before. A lack of room is waited out: the workflow was accepted. */
async function offer({ state, spec, actor, signal }: StepPlace, deps: WorkflowsDeps): Promise<void> {
  const { requestId } = state;
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      if ('error' in spec) throw new DomainError('BAD_USER_INPUT', spec.error.message);
      await deps.steps().submit(actor, requestId!, spec.spec);
      return;
    } catch (error) {
      const isPassing = error instanceof DomainError && PASSING.has(error.code);
      if (!isPassing) throw error;
      await pause(deps.clock, Math.max(pauseMs, Math.min(error.retryAfterMs ?? 0, LONGEST_PAUSE_MS)));
    }
  }
}

/** Neither says anything about the step. */
const PASSING: ReadonlySet<string> = new Set(['OVERLOADED', 'SHUTTING_DOWN', 'RATE_LIMITED']);

/** Resolves with the request when it has ended; undefined when the run ended first. */
async function followed(
  { state, emit, signal }: StepPlace,
  steps: StepRequests,
): Promise<ModelRequest | undefined> {
  const requestId = state.requestId!;
  const step = stateKey(state);
  const request = await steps.request(requestId);
  if (!request) throw new Error(`The request ${requestId} of step ${step} is gone`);
  const events = steps.follow(request);
  const leave = () => void events.return?.();
  signal.addEventListener('abort', leave, { once: true });
  let sent = '';
  for await (const { event } of events) {
    if (signal.aborted) break;
    if (event.type === 'token') {
      sent += event.text;
      emit({ type: 'token', text: event.text, step });
    } else if (event.type === 'restarted') {
      sent = sent.slice(0, event.keepThrough?.offset ?? 0);
      emit({ type: 'restarted', attempt: event.attempt, reason: event.reason, step });
      if (sent !== '') emit({ type: 'token', text: sent, step });
    }
  }
  signal.removeEventListener('abort', leave);
  return signal.aborted ? undefined : steps.request(requestId);
}

async function resultOf(
  { id, status, error }: ModelRequest,
  steps: StepRequests,
): Promise<{ output: string } | { error: RequestError }> {
  if (status === 'SUCCEEDED') return { output: (await steps.body(id))?.output ?? '' };
  return { error: error ?? requestError('INTERNAL', 'The request of the step did not succeed.') };
}

function toRequestError({ code, message, retryAfterMs }: DomainError): RequestError {
  return requestError(code, message, { retryAfterMs });
}

/** Has a request that has not ended, as far as is written down. */
export function isUnderWay({ status, requestId }: StepState): boolean {
  return status === 'RUNNING' && requestId !== undefined;
}

/** Resolves when they have ended, or could not be ended. */
export async function cancelSteps(states: readonly StepState[], steps: StepRequests): Promise<void> {
  await Promise.allSettled(
    states.filter(isUnderWay).map(async ({ requestId }) => {
      const request = await steps.request(requestId!);
      if (request) await steps.cancel(request);
    }),
  );
}
