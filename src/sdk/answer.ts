// The text of an answer, put together from its events, restarts included.

import type { StreamEvent } from './stream.ts';

export interface Answer {
  take(event: StreamEvent): void;
  readonly text: string;
  /**
   * False when only the server knows the text: a restart kept text up to a place that was not seen here, or it is made
   * from the results of steps.
   */
  readonly exact: boolean;
}

export function collectAnswer(): Answer {
  let text = '';
  let exact = true;
  /** Length of the text after each piece, so that a restart can go back to it. */
  const lengths = new Map<string, number>();
  return {
    take(event) {
      if ('step' in event && event.step != null) exact = false;
      else if (event.__typename === 'TokenDelta') {
        text += event.text;
        lengths.set(event.cursor, text.length);
      } else if (event.__typename === 'StreamRestarted') {
        const kept = event.keepThrough == null ? 0 : lengths.get(event.keepThrough);
        exact &&= kept !== undefined;
        text = text.slice(0, kept ?? 0);
      }
    },
    get text() {
      return text;
    },
    get exact() {
      return exact;
    },
  };
}
