// The stream of a request whose log is gone, told from its row: the same text, the same end, cursors that fit.

import type { Attempt, ModelRequest } from '../domain/request.ts';
import { requestError } from '../domain/request.ts';
import type { LoggedEvent, Position, StreamEvent } from '../domain/stream.ts';

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
  // An attempt's true place in the log is not kept; its number is a place at or before it.
  const seen = after?.epoch === epoch ? after.sequence : 0;
  for (const { number, deploymentId } of attempts) {
    if (number <= seen || number >= last) continue;
    const event: StreamEvent = { type: 'attempt-started', attempt: number, deploymentId };
    yield { position: { epoch, sequence: number, offset: 0 }, event };
  }
  // A cursor of an earlier generation, or from before a restart, stands for text that may differ from what was stored.
  const restart = request.restartSequence ?? 0;
  const sameText = after?.epoch === epoch && after.sequence >= restart && after.offset <= text.length;
  if (after && !sameText && text !== '') {
    const event: StreamEvent = {
      type: 'restarted',
      attempt: request.attemptCount,
      reason: 'The answer was begun again.',
    };
    yield { position: { ...beforeEnd, sequence: restart || Math.max(0, last - 2), offset: 0 }, event };
  }
  const rest = sameText ? text.slice(after.offset) : text;
  if (rest !== '') yield { position: beforeEnd, event: { type: 'token', text: rest } };
  yield { position: end, event: terminalEvent(request) };
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
