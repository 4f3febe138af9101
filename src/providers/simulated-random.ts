// Chance that can be repeated: a seed from a call, and numbers from a seed.

import { createHash } from 'node:crypto';
import type { ProviderCall } from './provider.ts';

/** 32 bits from the model, the conversation and the form of the answer; what the assistant has begun to say does not change them. */
export function seedOf({ model, system, messages, output }: ProviderCall): number {
  const asked = messages.at(-1)?.role === 'ASSISTANT' ? messages.slice(0, -1) : messages;
  return createHash('sha256')
    .update(JSON.stringify(output ? [model, system, asked, output.schema] : [model, system, asked]))
    .digest()
    .readUInt32BE(0);
}

/** Numbers from 0 to 1, excluding 1, evenly spread: the mulberry32 generator, public domain. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A draw from the distribution that waiting times have: most near the median, some much longer. */
export function logNormal(random: () => number, median: number, spread: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(spread * normal);
}
