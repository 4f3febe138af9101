// Numbers out of a seed: rounds that found something are repeated by theirs.

import { randomInt } from 'node:crypto';

/** Mulberry32. Numbers below `below`. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/**
 * Every second one, the even or the odd ones by chance: each death costs two starts of a server, and over a few runs all
 * are met. CRASH_STEPS=all, or none but the even (0) or the odd (1) ones.
 */
export function someOf<Item>(items: readonly Item[]): readonly Item[] {
  const chosen = process.env.CRASH_STEPS;
  if (chosen === 'all') return items;
  const first = chosen === undefined ? randomInt(2) : Number(chosen);
  return items.filter((_, index) => index % 2 === first);
}
