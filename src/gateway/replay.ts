// The stream of a request whose log is gone, told from its row: the same text, the same end, cursors that fit.

import { type Attempt, isTerminal, type ModelRequest, requestError } from '../domain/request.ts';
import { type LoggedEvent, MAX_PIECE_LENGTH, type Position, type StreamEvent } from '../domain/stream.ts';
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
  // Void to its end: the text is not what was streamed.
  const isWhollyVoid = restart >= last;
  if (restarts && after.epoch < epoch && restart > 0 && !isWhollyVoid) {
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
    if (restarts)
      yield restarted(request.attemptCount, isWhollyVoid || !restart ? Math.max(0, last - 2) : restart);
  }
  yield* textIn(text, sameText ? after.offset : 0, beforeEnd);
  yield { position: end, event: terminalEvent(request) };
}

/**
 * The same of a workflow: its steps one after the other, each with its result, and its end if it has one. The order in
 * which they were streamed is not kept, so whoever comes back in the middle is told to drop what they have.
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
  const beforeEnd: Position = { epoch, sequence: Math.max(0, last - 1), offset: 0 };
  if (after)
    yield {
      position: { epoch, sequence: Math.max(0, last - 2), offset: 0 },
      event: { type: 'restarted', attempt: 1, reason: 'The results of the steps are told again.' },
    };
  for (const { stepId, output } of steps) {
    yield { position: { ...beforeEnd, offset }, event: { type: 'step-updated', step: stepId } };
    for (const { position, event } of textIn(output ?? '', 0, beforeEnd))
      yield {
        position: { ...position, offset: offset + position.offset },
        event: { ...event, step: stepId } as StreamEvent,
      };
    offset += output?.length ?? 0;
  }
  if (isTerminal(request.status))
    yield { position: { epoch, sequence: last, offset }, event: terminalEvent(request) };
}

/** The text from an offset on, in pieces as they are joined for slow readers. Only their offsets tell them apart. */
function* textIn(text: string, from: number, position: Position): Generator<LoggedEvent> {
  for (let offset = from; offset < text.length; ) {
    const piece = text.slice(offset, offset + MAX_PIECE_LENGTH);
    // A pair of surrogates stays together.
    const isCut = offset + piece.length < text.length && !piece.isWellFormed();
    const whole = isCut && piece.length > 1 ? piece.slice(0, -1) : piece;
    offset += whole.length;
    yield { position: { ...position, offset }, event: { type: 'token', text: whole } };
  }
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
