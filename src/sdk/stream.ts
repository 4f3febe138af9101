// The answer of one request as an application wants it: text as it comes, the events behind it, or the whole.

import { collectAnswer } from './answer.ts';
import { McplaneError } from './errors.ts';
import type { RequestSummaryFragment, TokenStreamSubscription } from './generated/graphql.ts';
import { resumable } from './resume.ts';

export type StreamEvent = TokenStreamSubscription['tokenStream'];
type Restart = Extract<StreamEvent, { __typename: 'StreamRestarted' }>;

export interface StreamOptions {
  /** Stops following; the request itself goes on. `cancel()` ends it. */
  readonly signal?: AbortSignal | undefined;
  /** Continue behind the event with this cursor, for example after a restart of the application. */
  readonly after?: string | undefined;
  /** Called when text that was handed out is void. Without it, the iteration over the text fails in this case. */
  readonly onRestart?: ((restart: Restart) => void) | undefined;
}

export interface Final {
  readonly text: string;
  readonly request: RequestSummaryFragment;
}

/** One consumer: iterate over it, or over `events()`, once. `final()` may follow, or stand alone. */
export interface ModelStream extends AsyncIterable<string> {
  /** Submits, if that has not happened yet. */
  requestId(): Promise<string>;
  /**
   * The pieces of text; of a workflow its result, in one piece at the end. Throws a McplaneError when the request fails.
   */
  [Symbol.asyncIterator](): AsyncIterator<string>;
  /** All events; a failure is the last of them and is not thrown. */
  events(): AsyncIterableIterator<StreamEvent>;
  /** The whole answer, once it is complete. Throws a McplaneError when the request fails. */
  final(): Promise<Final>;
  /** Ends the request at the server. */
  cancel(): Promise<void>;
}

export interface StreamSource {
  /** Makes the request, or names the one to follow. Called once. */
  readonly begin: () => Promise<string>;
  readonly open: (
    requestId: string,
    after: string | undefined,
    signal: AbortSignal,
  ) => AsyncIterable<StreamEvent>;
  readonly outputOf: (requestId: string) => Promise<string>;
  readonly cancel: (requestId: string) => Promise<unknown>;
}

export function createModelStream(source: StreamSource, options: StreamOptions = {}): ModelStream {
  const answer = collectAnswer();
  let begun: Promise<string> | undefined;
  let last: StreamEvent | undefined;
  const requestId = () => (begun ??= source.begin());
  const followed = resumable<StreamEvent>({
    async *open(after, signal) {
      yield* source.open(await requestId(), after, signal);
    },
    isLast,
    after: options.after,
    signal: options.signal,
  });
  const events: AsyncIterableIterator<StreamEvent> = {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const result = await followed.next();
      if (!result.done) {
        answer.take(result.value);
        if (isLast(result.value)) last = result.value;
      }
      return result;
    },
    return: () => followed.return!(),
  };

  return {
    requestId,
    events: () => events,
    [Symbol.asyncIterator]: () => textOf(events, options.onRestart, source.outputOf),
    async final() {
      for await (const _ of events);
      const request = requestOf(last);
      const known = answer.exact && options.after === undefined;
      return { text: known ? answer.text : await source.outputOf(request.id), request };
    },
    async cancel() {
      await source.cancel(await requestId());
    },
  };
}

function isLast(event: StreamEvent): boolean {
  return event.__typename === 'StreamCompleted' || event.__typename === 'StreamFailed';
}

async function* textOf(
  events: AsyncIterable<StreamEvent>,
  onRestart: StreamOptions['onRestart'],
  outputOf: StreamSource['outputOf'],
): AsyncGenerator<string, undefined> {
  let hasSteps = false;
  for await (const event of events) {
    if (event.__typename === 'StepUpdated') hasSteps = true;
    if ('step' in event && event.step != null) continue;
    if (event.__typename === 'TokenDelta') yield event.text;
    else if (event.__typename === 'StreamFailed') throw failure(event);
    else if (event.__typename === 'StreamCompleted' && hasSteps) yield await outputOf(event.requestId);
    else if (event.__typename === 'StreamRestarted' && !hasSteps) {
      if (!onRestart)
        throw new McplaneError(
          'The answer was started again, so text that was handed out is void. Use onRestart, events() or final().',
          { code: 'STREAM_RESTARTED', requestId: event.requestId },
        );
      onRestart(event);
    }
  }
}

function requestOf(last: StreamEvent | undefined): RequestSummaryFragment {
  if (last?.__typename === 'StreamCompleted') return last.request;
  if (last?.__typename === 'StreamFailed') throw failure(last);
  throw new McplaneError('The iteration was left before the end of the answer', { code: 'ABORTED' });
}

function failure({ error, requestId }: Extract<StreamEvent, { __typename: 'StreamFailed' }>): McplaneError {
  const { code, message, retryable, retryAfterMs } = error;
  return new McplaneError(message, { code, retryable, retryAfterMs: retryAfterMs ?? undefined, requestId });
}
