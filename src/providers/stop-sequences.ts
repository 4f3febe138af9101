// Stop sequences for an API that has none: ends the answer where one of them begins. Text that may be the beginning
// of one is held back until it is known. The call is broken off there, so its usage has to be estimated.

import type { AnswerDecoder } from './answer.ts';
import type { ProviderEvent } from './provider.ts';

export function stoppingAt(decoder: AnswerDecoder, stop: readonly string[]): AnswerDecoder {
  if (stop.length === 0) return decoder;
  let held = '';
  let stopped = false;

  function takeText(text: string, out: ProviderEvent[]): void {
    held += text;
    const at = Math.min(
      ...stop.map(sequence => held.indexOf(sequence)).map(index => (index < 0 ? Infinity : index)),
    );
    stopped = at !== Infinity;
    release(stopped ? at : held.length - undecided(held, stop), out);
  }

  function release(length: number, out: ProviderEvent[]): void {
    if (length > 0) out.push({ type: 'token', text: held.slice(0, length) });
    held = held.slice(length);
  }

  return {
    decode(event, out) {
      const decoded: ProviderEvent[] = [];
      decoder.decode(event, decoded);
      for (const each of decoded) {
        if (stopped) return;
        if (each.type === 'token') takeText(each.text, out);
        else out.push(each);
      }
      if (decoder.isComplete() && !stopped) release(held.length, out);
    },
    isComplete() {
      return stopped || decoder.isComplete();
    },
    hasEnded() {
      return stopped || decoder.hasEnded();
    },
    finished() {
      if (!stopped) return decoder.finished();
      return { type: 'finished', reason: { unified: 'stop', raw: 'stop_sequence' }, usage: undefined };
    },
  };
}

/** The length of the longest end of the text that is a beginning of a sequence. */
function undecided(text: string, stop: readonly string[]): number {
  let longest = 0;
  for (const sequence of stop)
    for (let length = Math.min(sequence.length - 1, text.length); length > longest; length--)
      if (text.endsWith(sequence.slice(0, length))) longest = length;
  return longest;
}
