// One step as a request: built from its template, made under the id that was written down for it, followed to its end.
// Its tokens go on into the stream of the workflow, marked with the step.

import { DomainError } from '../domain/errors.ts';
import {
  isTerminal,
  type ModelRequest,
  type RequestError,
  type RequestSpec,
  requestError,
} from '../domain/request.ts';
import type { StreamEvent } from '../domain/stream.ts';
import { type StepSpec, type StepState, stateKey, type WorkflowSpec } from '../domain/workflow.ts';
import { type States, valuesOf } from '../domain/workflow-result.ts';
import { render, TemplateError } from '../domain/workflow-template.ts';
import type { FollowedEvent } from '../gateway/gateway.ts';
import type { StepActor, StepRequests } from '../gateway/steps.ts';
import { keepTrying } from '../lib/keep-trying.ts';
import { planPrompt } from './plan.ts';
import { tryToStore, untilStored } from './until-stored.ts';
import type { WorkflowsDeps } from './workflows.ts';

/** While there is no room for a step it is offered again at least so often. */
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

/** What a step wishes of routing and of the model; where it has no wish, the workflow's holds. */
export function wishesOf(
  step: StepSpec,
  workflow: Pick<RequestSpec, 'strategy' | 'preferLocal' | 'priority'>,
) {
  return {
    taskType: step.taskType,
    model: step.model,
    strategy: step.strategy ?? workflow.strategy,
    preferLocal: step.preferLocal ?? workflow.preferLocal,
    priority: workflow.priority,
    maxOutputTokens: step.maxOutputTokens,
    temperature: step.temperature,
    stop: [],
    metadata: undefined,
  } satisfies Partial<RequestSpec>;
}

export function schemaOf({ outputSchema }: StepSpec): RequestSpec['outputSchema'] {
  return outputSchema === undefined ? undefined : JSON.parse(outputSchema);
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
      ...wishesOf(step, parent),
      messages: [{ role: 'USER', content: prompt }],
      system,
      buffered: parent.buffered,
      deadlines: step.deadlineMs === undefined ? {} : { totalMs: step.deadlineMs },
      outputSchema: schemaOf(step),
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
  try {
    await offer(place, deps);
    return await followed(place, deps);
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof DomainError) return { key, request: undefined, error: toRequestError(error) };
    deps.log.warn({ error, requestId: state.requestId }, 'a step of a workflow failed by a fault of ours');
    return { key, request: undefined, error: requestError('INTERNAL', 'A fault of the server.') };
  }
}

/**
 * Makes the request, unless that was done before. A lack of room is waited out, since the workflow was accepted, and so
 * is the database: a request that may have been made is not made again under another id.
 */
function offer({ state, spec, actor, signal }: StepPlace, deps: WorkflowsDeps): Promise<void> {
  const requestId = state.requestId!;
  const steps = deps.steps();
  let faults = 0;
  async function make(): Promise<void> {
    if (!('error' in spec)) return steps.submit(actor, requestId, spec.spec);
    // It can no longer be made, under other limits for example; but it may be there.
    if (await steps.request(requestId)) return;
    throw new DomainError('BAD_USER_INPUT', spec.error.message);
  }
  function onFailure(error: unknown): number {
    const isKnown = error instanceof DomainError;
    if (isKnown ? !PASSING.has(error.code) : ++faults === MAX_FAULTS) throw error;
    if (!isKnown)
      deps.log.warn({ error, requestId }, 'the request of a step could not be made; it is tried again');
    return Math.min((isKnown && error.retryAfterMs) || 0, LONGEST_PAUSE_MS);
  }
  return keepTrying(make, { clock: deps.clock, longestPauseMs: LONGEST_PAUSE_MS, signal, onFailure });
}

/** None says anything about the step. */
const PASSING: ReadonlySet<string> = new Set(['OVERLOADED', 'SHUTTING_DOWN', 'RATE_LIMITED']);
/** So often in a row may something fail that nobody has foreseen. */
const MAX_FAULTS = 10;

/** Its end, which is waited for however long the database is away. Throws when the run ended first. */
function followed(place: StepPlace, deps: WorkflowsDeps): Promise<StepEnd> {
  const { state, signal } = place;
  const key = stateKey(state);
  const requestId = state.requestId!;
  const steps = deps.steps();
  const teller = createTeller(place);
  return untilStored(
    async () => {
      const request = await steps.request(requestId);
      if (!request)
        return { key, request, error: requestError('INTERNAL', 'The request of the step is gone.') };
      teller.begin();
      await listen(steps.follow(request), teller.take, signal);
      return await stepEndOf(key, requestId, steps);
    },
    signal,
    deps,
  );
}

/** Resolves after the last event, or when the signal aborts. */
async function listen(
  events: AsyncIterableIterator<FollowedEvent>,
  take: (event: StreamEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const leave = () => void events.return?.();
  signal.addEventListener('abort', leave, { once: true });
  try {
    for await (const { event } of events) {
      if (signal.aborted) return;
      take(event);
    }
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

async function stepEndOf(key: string, requestId: string, steps: StepRequests): Promise<StepEnd> {
  // Both at once: nearly all steps succeed, and the next one waits for this.
  const [request, body] = await Promise.all([steps.request(requestId), steps.body(requestId)]);
  if (!request || !isTerminal(request.status)) throw new Error('The request of a step has not ended');
  if (request.status !== 'SUCCEEDED')
    return { key, request, error: request.error ?? requestError('INTERNAL', 'The step did not succeed.') };
  // Without an output it was read before the end, which came in between.
  const output = body?.output ?? (await steps.body(requestId))?.output ?? '';
  return { key, request, output };
}

/** Passes the text of a step on into the stream of the workflow; what was told of it before is void. */
function createTeller({ state, emit }: StepPlace) {
  const step = stateKey(state);
  let sent = '';
  function again(attempt: number, reason: string, kept = ''): void {
    emit({ type: 'restarted', attempt, reason, step });
    if (kept !== '') emit({ type: 'token', text: kept, step });
    sent = kept;
  }
  return {
    begin() {
      if (state.tries > 1 || sent !== '') again(state.tries, 'The step is begun again.');
    },
    take(event: StreamEvent) {
      if (event.type === 'token') {
        sent += event.text;
        emit({ type: 'token', text: event.text, step });
      } else if (event.type === 'restarted')
        again(event.attempt, event.reason, sent.slice(0, event.keepThrough?.offset ?? 0));
    },
  };
}

function toRequestError({ code, message, retryAfterMs }: DomainError): RequestError {
  return requestError(code, message, { retryAfterMs });
}

/** Has a request that has not ended, as far as is written down. */
export function isUnderWay({ status, requestId }: StepState): boolean {
  return status === 'RUNNING' && requestId !== undefined;
}

/** Ends the requests of steps that are not wanted any more. Resolves with those that had succeeded before. */
export async function cancelSteps(states: readonly StepState[], deps: WorkflowsDeps): Promise<StepEnd[]> {
  const steps = deps.steps();
  const cancelled = states.filter(isUnderWay).map(state =>
    tryToStore(async () => {
      const requestId = state.requestId!;
      const request = await steps.request(requestId);
      if (!request) return undefined;
      await steps.cancel(request);
      const stopped = await steps.request(requestId);
      return stopped?.status === 'SUCCEEDED' ? await stepEndOf(stateKey(state), requestId, steps) : undefined;
    }, deps),
  );
  return (await Promise.all(cancelled)).filter(end => end !== undefined);
}
