// What the subscribers get to see of an attempt's text: all of it at once, what a recovery lets through, or nothing
// before the end.

import type { Deployment } from '../domain/model.ts';
import type { Journey } from './journey.ts';
import { continueFrom, prefillOf, type Recovered, type Recovery, restartOver } from './recovery.ts';

/** What the subscribers have been sent of the answer, over all attempts. */
export interface Transcript {
  sent: string;
  prefillRefused: boolean;
}

/** The beginning of the answer for a model that goes on from it; undefined: it begins anew. */
export function prefillFor(
  { capabilities }: Deployment,
  { spec }: Journey,
  transcript: Transcript,
): string | undefined {
  const isOpen = spec.messages.at(-1)?.role !== 'ASSISTANT';
  // What came may be whole, and wrong; and whoever is held to a schema continues nothing.
  const isText = spec.outputSchema === undefined;
  return capabilities.assistantPrefill && isText && isOpen && !transcript.prefillRefused
    ? prefillOf(transcript.sent)
    : undefined;
}

interface ScreenOptions {
  readonly journey: Journey;
  readonly transcript: Transcript;
  readonly number: number;
  readonly prefill: string | undefined;
}

/** Where an attempt's text goes: straight to the subscribers, through the recovery, or held until the end. */
export function createScreen({ journey: { spec, emit }, transcript, number, prefill }: ScreenOptions): {
  push(text: string): void;
  end(): void;
} {
  const send = (text: string) => {
    transcript.sent += text;
    emit({ type: 'token', text });
  };
  if (spec.buffered) {
    const held: string[] = [];
    return { push: text => void held.push(text), end: () => held.length > 0 && send(held.join('')) };
  }
  if (transcript.sent === '') return { push: send, end: () => {} };
  const recovery: Recovery =
    prefill === undefined ? restartOver(transcript.sent) : continueFrom(transcript.sent);
  const apply = (recovered: Recovered) => {
    if (recovered.kind === 'restart') {
      transcript.sent = '';
      emit({
        type: 'restarted',
        attempt: number,
        reason: spec.outputSchema
          ? 'The answer broke off or was not of its schema, and was begun again.'
          : 'The answer broke off and was begun again elsewhere.',
      });
    }
    if (recovered.kind !== 'nothing' && recovered.text !== '') send(recovered.text);
  };
  return { push: text => apply(recovery.push(text)), end: () => apply(recovery.end()) };
}
