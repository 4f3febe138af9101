// What every adapter's stream has in common: sending the call, telling when the connection stands, reading events,
// ending at the terminal marker, and closing the connection however it ends. What the events mean is the business of a
// decoder, one for each API.

import type { IncomingHttpHeaders } from 'node:http';
import type { EventSourceMessage } from 'eventsource-parser';
import { type ErrorContext, statusError, toProviderError } from './errors.ts';
import { type HttpClient, isEnough, refuseHead, type UpstreamRequest, WholeAnswer } from './http.ts';
import type { ProviderEvent, ProviderListener } from './provider.ts';
import { ProviderError } from './provider-error.ts';
import { createEventReader, type EventReader } from './sse.ts';
import type { UpstreamCall, UpstreamListener } from './upstream-call.ts';

export type FinishedEvent = Extract<ProviderEvent, { type: 'finished' }>;

/** Reads the events of one answer in one API. Holds the state of one stream. */
export interface AnswerDecoder {
  /** Adds what the event means to `out`; throws ProviderError for an error event or a broken format. */
  decode(event: EventSourceMessage, out: ProviderEvent[]): void;
  /** Has the provider said why the answer ended? All content has come then. */
  isComplete(): boolean;
  /** Was that the last it has to say, usage included? Whatever follows is not read. Without `isComplete`: a bare marker. */
  hasEnded(): boolean;
  /** The closing event, once complete. */
  finished(): FinishedEvent;
}

export interface AnswerOptions extends ErrorContext {
  readonly http: HttpClient;
  readonly request: UpstreamRequest;
  readonly signal: AbortSignal;
  readonly decoder: AnswerDecoder;
  readonly onEvent: ProviderListener;
}

/** How long usage and marker may come after the finish reason before the answer is taken as it is. */
const MARKER_GRACE_MS = 1_000;

/** Makes one call; as `ProviderAdapter.stream` promises it. */
export async function answerEvents(options: AnswerOptions): Promise<void> {
  const { http, request, signal } = options;
  signal.throwIfAborted();
  const answer = new Answer(options);
  try {
    await answer.read(http.send(request, answer, signal));
  } catch (error) {
    if (answer.isFinished) return;
    signal.throwIfAborted();
    throw toProviderError(error, options);
  } finally {
    answer.leave();
  }
}

class Answer implements UpstreamListener {
  readonly #options: AnswerOptions;
  readonly #events: EventReader;
  #call: UpstreamCall | undefined;
  /** Of an answer that is a refusal. */
  #refusal: WholeAnswer | undefined;
  #hasContent = false;
  #markerTimer: NodeJS.Timeout | undefined;
  isFinished = false;

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#events = createEventReader(options.provider);
  }

  /** Resolves when the answer is whole and the provider has nothing more to do for it. */
  async read(call: UpstreamCall): Promise<void> {
    this.#call = call;
    try {
      await call.ended;
    } catch (error) {
      // After the finish reason nothing is missing but usage and marker: a cut does not spoil the answer.
      const isWhole = this.#options.decoder.isComplete() && !this.#options.signal.aborted;
      if (!isWhole && !(this.#refusal && isEnough(error))) throw error;
    }
    if (this.isFinished) return;
    if (this.#refusal) throw statusError(this.#refusal, this.#options);
    this.#events.end();
    this.#finish();
  }

  leave(): void {
    clearTimeout(this.#markerTimer);
  }

  onConnected(): void {
    this.#options.onEvent({ type: 'connected' });
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    const { provider, onEvent } = this.#options;
    if (status >= 300) {
      this.#refusal = new WholeAnswer(provider);
      this.#refusal.onHead(status, headers);
      return;
    }
    refuseHead(provider, status, headers);
    if (isEventStream(headers)) onEvent({ type: 'accepted' });
  }

  onChunk(chunk: Buffer): void {
    if (this.#refusal) this.#refusal.onChunk(chunk);
    else if (!this.isFinished) this.#take(this.#events.read(chunk));
  }

  #take(events: readonly EventSourceMessage[]): void {
    const { decoder, onEvent } = this.#options;
    const decoded: ProviderEvent[] = [];
    let failure: unknown;
    try {
      for (const event of events) {
        decoder.decode(event, decoded);
        if (decoder.hasEnded()) break;
      }
    } catch (error) {
      // A defect behind the finish reason takes nothing away from the answer.
      if (!decoder.isComplete()) failure = error;
    }
    // What came before the failure is content all the same.
    for (const event of decoded) {
      this.#hasContent ||= event.type !== 'started';
      onEvent(event);
    }
    if (failure !== undefined) throw failure;
    if (decoder.hasEnded()) this.#finish();
    else if (decoder.isComplete())
      this.#markerTimer ??= setTimeout(() => this.#finishAsItIs(), MARKER_GRACE_MS);
  }

  #finish(): void {
    const finished = finishedEvent(this.#options, this.#hasContent);
    this.isFinished = true;
    this.#call?.release();
    this.#options.onEvent(finished);
  }

  #finishAsItIs(): void {
    try {
      if (!this.isFinished) this.#finish();
    } catch (error) {
      this.#call?.fail(error);
    }
  }
}

/** A page or other JSON comes from somebody between us and the model. */
function isEventStream(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith('text/event-stream') ?? false;
}

function finishedEvent({ decoder, provider }: AnswerOptions, hasContent: boolean): FinishedEvent {
  // Nothing was broken off: the provider came to an end, and there is no answer.
  if (!decoder.isComplete() && decoder.hasEnded() && !hasContent)
    throw new ProviderError('bad-response', `${provider} sent an end marker and no answer`);
  if (!decoder.isComplete())
    throw new ProviderError('truncated', `${provider} ended its answer without saying why`);
  return decoder.finished();
}
