// Random calls of a provider: its text in pieces, and every way in which it can end.

import fc from 'fast-check';
import type { ProviderEvent } from '../../src/providers/provider.ts';
import { PROVIDER_FAULTS, ProviderError } from '../../src/providers/provider-error.ts';
import { finished, progress, type Stream, silence, started, streamOf, token } from './attempt-setup.ts';

const WORDS = 'The answer to everything is forty-two, as far as anybody knows it today.';

/** One call of a provider: its text in pieces, and how it ends. */
export interface Play {
  readonly pieces: readonly string[];
  readonly end: 'finished' | 'silence' | 'no end' | 'defect' | (typeof PROVIDER_FAULTS)[number];
  readonly retryAfterMs: number | undefined;
  readonly refusesPrefill: boolean;
}

// Single spaces only: how a continuation repeats other white space is the business of recovery.test.ts.
const words = (any: string) => any.replace(/\s+/g, ' ');
// Mostly the beginning of the same answer, so that recoveries find something to swallow.
const pieces = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.nat(WORDS.length), { maxLength: 4 }).map(cutAt) },
  { weight: 1, arbitrary: fc.array(fc.string({ maxLength: 12 }).map(words), { maxLength: 4 }) },
);
export const play: fc.Arbitrary<Play> = fc.record({
  pieces,
  end: fc.oneof(
    fc.constantFrom<Play['end']>('finished', 'silence', 'no end', 'defect'),
    fc.constantFrom(...PROVIDER_FAULTS),
  ),
  retryAfterMs: fc.option(fc.constantFrom(0, 50, 5_000, 86_400_000, -1), { nil: undefined }),
  refusesPrefill: fc.boolean(),
});
function cutAt(places: readonly number[]): string[] {
  const ends = [...places].sort((a, b) => a - b);
  return ends.map((end, index) => WORDS.slice(index === 0 ? 0 : ends[index - 1], end));
}

/** What such a call sends; with a prefill it refuses, an error. */
export function playing(current: Play, refused = false): Stream {
  if (refused) return streamOf(new ProviderError('bad-request', 'no prefill'));
  return streamOf(started, progress, ...current.pieces.map(token), ...endOf(current));
}

function endOf({ end, retryAfterMs }: Play): (ProviderEvent | Promise<never> | Error)[] {
  if (end === 'finished') return [finished()];
  if (end === 'silence') return [silence()];
  if (end === 'no end') return [];
  return [end === 'defect' ? new TypeError('not a function') : new ProviderError(end, end, { retryAfterMs })];
}
