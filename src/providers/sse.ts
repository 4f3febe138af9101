// Reads a byte stream as server-sent events. What is no event stream at all (HTML, other JSON, nothing), and a line or
// event beyond 1 MB, are bad responses; comments, unknown fields and a wrong content type are not.

import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { ProviderError } from './provider-error.ts';

/** The largest event of a real provider, the closing one of the Responses API, repeats the whole answer. */
export const MAX_EVENT_BYTES = 1_000_000;

const LINE_FEED = 10;

export interface EventReader {
  /** The events that these bytes complete, perhaps none. */
  read(chunk: Buffer): readonly EventSourceMessage[];
  /** Nothing more comes: throws when there was no event at all. */
  end(): void;
}

export function createEventReader(provider: string): EventReader {
  const decoder = new StringDecoder('utf8');
  const tooLarge = () => new ProviderError('bad-response', `${provider} sent an event of more than 1 MB`);
  let events: EventSourceMessage[] = [];
  let seenAny = false;
  let oversized = false;
  let lineBytes = 0;

  const parser = createParser({
    maxBufferSize: MAX_EVENT_BYTES,
    onEvent(event) {
      seenAny = true;
      events.push(event);
    },
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') oversized = true;
    },
  });

  /** The parser skips lines that are no fields without counting them, so they are counted here. */
  function countLine(chunk: Buffer): void {
    const lastEnd = chunk.lastIndexOf(LINE_FEED);
    lineBytes = lastEnd < 0 ? lineBytes + chunk.length : chunk.length - lastEnd - 1;
    if (lineBytes > MAX_EVENT_BYTES) oversized = true;
  }

  return {
    read(chunk) {
      if (oversized) throw tooLarge();
      events = [];
      parser.feed(decoder.write(chunk));
      countLine(chunk);
      if (oversized && events.length === 0) throw tooLarge();
      return events;
    },
    end() {
      if (oversized) throw tooLarge();
      if (!seenAny) throw new ProviderError('bad-response', `${provider} did not send an event stream`);
    },
  };
}
