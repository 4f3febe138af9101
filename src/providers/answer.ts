// What every adapter's stream has in common: sending the call, telling when the connection stands, reading events,
// ending at the terminal marker, and closing the connection however the loop is left. What the events mean is the
// business of a decoder, one for each API.

import type { EventSourceMessage } from 'eventsource-parser';
import type { UpstreamBody } from './body.ts';
import { type ErrorContext, toProviderError } from './errors.ts';
import { bodyOf, transport } from './http.ts';
import type { ProviderEvent } from './provider.ts';
import { ProviderError } from './provider-error.ts';
import { createEventReader, type EventReader } from './sse.ts';

export type FinishedEvent = Extract<ProviderEvent, { type: 'finished' }>;

/** Reads the events of one answer in one API. Holds the state of one stream. */
export interface AnswerDecoder {
  /** Adds what the event means to `out`; throws ProviderError for an error event or a broken format. */
  decode(event: EventSourceMessage, out: ProviderEvent[]): void;
  /** Has the provider said why the answer ended? All content has come then. */
  readonly complete: boolean;
  /** Was that the last it has to say, usage included? Whatever follows is not read. Without `complete`: a bare marker. */
  readonly ended: boolean;
  /** The closing event, once complete. */
  finished(): FinishedEvent;
}

/** What the SDKs return before a response is parsed. */
interface Sending {
  asResponse(): Promise<Response>;
}

export interface AnswerOptions extends ErrorContext {
  readonly signal: AbortSignal;
  readonly decoder: AnswerDecoder;
  /** Sends the call through the SDK with these fetch options. */
  send(fetchOptions: Record<never, never>): Sending;
}

const READER_LEFT = new DOMException('The reader has left', 'AbortError');
/** How long usage and marker may come after the finish reason before the answer is taken as it is. */
const MARKER_GRACE_MS = 1_000;

/** The events of one call. Leaving early closes the connection even while an event is being waited for. */
export function answerEvents(options: AnswerOptions): AsyncIterableIterator<ProviderEvent> {
  const leaving = new AbortController();
  const events = readAnswer(options, leaving);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => events.next(),
    return() {
      leaving.abort(READER_LEFT);
      return events.return(undefined);
    },
  };
}

async function* readAnswer(
  options: AnswerOptions,
  call: AbortController,
): AsyncGenerator<ProviderEvent, undefined> {
  const abort = () => call.abort(options.signal.reason);
  if (options.signal.aborted) abort();
  else options.signal.addEventListener('abort', abort, { once: true });
  let body: UpstreamBody | undefined;
  let released: Promise<void> | undefined;
  try {
    call.signal.throwIfAborted();
    const { connected, response } = open(options, call.signal);
    if (await connected) yield { type: 'connected' };
    const answered = await response;
    body = bodyOf(answered);
    if (isEventStream(answered)) yield { type: 'accepted' };
    let hasContent = false;
    for await (const event of readContent(options, createEventReader(options.provider, body))) {
      hasContent ||= event.type !== 'started';
      yield event;
    }
    const finished = finish(options, hasContent);
    released = body.release();
    body = undefined;
    yield finished;
  } catch (error) {
    call.signal.throwIfAborted();
    throw toProviderError(error, options);
  } finally {
    body?.destroy();
    options.signal.removeEventListener('abort', abort);
    await released;
  }
}

/** A page or other JSON comes from somebody between us and the model. */
function isEventStream({ headers }: Response): boolean {
  return (headers.get('content-type') ?? '').startsWith('text/event-stream');
}

function open({ send }: AnswerOptions, signal: AbortSignal) {
  const connection = Promise.withResolvers<boolean>();
  const response = send(transport({ signal, onConnected: () => connection.resolve(true) })).asResponse();
  const over = () => connection.resolve(false);
  response.then(over, over);
  return { connected: connection.promise, response };
}

async function* readContent(
  { decoder }: AnswerOptions,
  reader: EventReader,
): AsyncGenerator<ProviderEvent, undefined> {
  while (!decoder.ended) {
    const events = decoder.complete ? await readClosing(reader) : await reader.read();
    if (!events) return;
    const { decoded, failure } = decode(decoder, events);
    // What came before the failure is content all the same.
    yield* decoded;
    if (failure) throw failure;
  }
}

/** After the finish reason nothing is missing but usage and marker: neither a cut nor silence spoils the answer. */
async function readClosing(reader: EventReader): Promise<readonly EventSourceMessage[] | undefined> {
  const { promise: tooLate, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, MARKER_GRACE_MS, undefined);
  const events = reader.read().catch(() => undefined);
  return Promise.race([events, tooLate]).finally(() => clearTimeout(timer));
}

function decode(decoder: AnswerDecoder, events: readonly EventSourceMessage[]) {
  const decoded: ProviderEvent[] = [];
  try {
    for (const event of events) {
      decoder.decode(event, decoded);
      if (decoder.ended) break;
    }
  } catch (failure) {
    // A defect behind the finish reason takes nothing away from the answer.
    return { decoded, failure: decoder.complete ? undefined : failure };
  }
  return { decoded, failure: undefined };
}

function finish({ decoder, provider }: AnswerOptions, hasContent: boolean): FinishedEvent {
  // Nothing was broken off: the provider came to an end, and there is no answer.
  if (!decoder.complete && decoder.ended && !hasContent)
    throw new ProviderError('bad-response', `${provider} sent an end marker and no answer`);
  if (!decoder.complete)
    throw new ProviderError('truncated', `${provider} ended its answer without saying why`);
  return decoder.finished();
}
