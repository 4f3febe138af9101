// The stream of a request whose log is gone, told from its row: the same text, the same end, cursors that fit.

import type { Attempt, ModelRequest } from '../domain/request.ts';
import { requestError } from '../domain/request.ts';
import type { LoggedEvent, Position, StreamEvent } from '../domain/stream.ts';
import type { StepState } from '../domain/workflow.ts';

/** What follows `after` in the story of a finished request. */
export function* replay(
  request: ModelRequest,
  output: string | undefined,
  attempts: readonly Attempt[],
  after: Position | undefined,
): Generator<LoggedEvent> {
  const text = output ?? '';
  const { epoch } = request;
  const last = request.lastSequence ?? 1;
  const end: Position = { epoch, sequence: last, offset: text.length };
  const beforeEnd: Position = { ...end, sequence: Math.max(0, last - 1) };
  if (after && after.epoch === epoch && after.sequence >= last) return;
  // A cursor of an earlier generation, or from before a restart, stands for text that may differ from what was stored.
  const restart = request.restartSequence ?? 0;
  const sameText = after?.epoch === epoch && after.sequence >= restart && after.offset <= text.length;
  const restarts = after !== undefined && !sameText && text !== '';
  const restarted = (attempt: number, sequence: number): LoggedEvent => ({
    position: { epoch, sequence, offset: 0 },
    event: { type: 'restarted', attempt, reason: 'The answer was begun again.' },
  });
  if (restarts && after.epoch < epoch && restart > 0) {
    // The generation begins with the restart; what died with the earlier ones was told by them.
    const own = attempts.slice(attempts.findLastIndex(({ outcome }) => outcome === 'LOST') + 1);
    yield restarted(own[0]?.number ?? request.attemptCount, restart);
    for (const [index, attempt] of own.entries())
      yield attemptStarted(attempt, { epoch, sequence: restart + 1 + index, offset: 0 });
  } else {
    // An attempt's true place in the log is not kept; its number is a place at or before it.
    const seen = after?.epoch === epoch ? after.sequence : 0;
    for (const attempt of attempts)
      if (attempt.number > seen && attempt.number < last)
        yield attemptStarted(attempt, { epoch, sequence: attempt.number, offset: 0 });
    if (restarts) yield restarted(request.attemptCount, restart || Math.max(0, last - 2));
  }
  const rest = sameText ? text.slice(after.offset) : text;
  if (rest !== '') yield { position: beforeEnd, event: { type: 'token', text: rest } };
  yield { position: end, event: terminalEvent(request) };
}

/**
 * The same of a workflow: its steps one after the other, each with its result. The order in which they were streamed is
 * not kept, so whoever comes back in the middle is told to drop what they have.
 */
export function* replaySteps(
  request: ModelRequest,
  steps: readonly StepState[],
  after: Position | undefined,
): Generator<LoggedEvent> {
  const { epoch } = request;
  const last = request.lastSequence ?? 1;
  if (after && after.epoch === epoch && after.sequence >= last) return;
  let offset = 0;
  const place = (): Position => ({ epoch, sequence: Math.max(0, last - 1), offset });
  if (after)
    yield {
      position: { epoch, sequence: Math.max(0, last - 2), offset: 0 },
      event: { type: 'restarted', attempt: 1, reason: 'The results of the steps are told again.' },
    };
  for (const { stepId, output } of steps) {
    yield { position: place(), event: { type: 'step-updated', step: stepId } };
    if (output === undefined || output === '') continue;
    offset += output.length;
    yield { position: place(), event: { type: 'token', text: output, step: stepId } };
  }
  yield { position: { epoch, sequence: last, offset }, event: terminalEvent(request) };
}

function attemptStarted({ number, deploymentId }: Attempt, position: Position): LoggedEvent {
  return { position, event: { type: 'attempt-started', attempt: number, deploymentId } };
}

/** The one last event of a finished request. */
export function terminalEvent(request: ModelRequest): StreamEvent {
  if (request.status === 'SUCCEEDED') return { type: 'completed' };
  const fallback = requestError(
    request.status === 'CANCELLED' ? 'CANCELLED' : 'INTERNAL',
    'The request did not succeed.',
  );
  return { type: 'failed', error: request.error ?? fallback };
}
