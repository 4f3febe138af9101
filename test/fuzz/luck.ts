// Choices out of a seed: a run that found something is repeated by its seed.

import { createRandom } from '../../bench/routing/random.ts';

/** Cases of one run; more by hand, for instance `FUZZ_SEED=random FUZZ_CASES=100000`. */
export const CASES = Number(process.env.FUZZ_CASES ?? 400);
/** The same cases every time, lest a change be blamed for somebody else's bad luck; `random` for others. */
export const SEED =
  process.env.FUZZ_SEED === 'random'
    ? Math.floor(Math.random() * 2 ** 31)
    : Number(process.env.FUZZ_SEED ?? 1);

export interface Luck {
  /** In [0, 1). */
  next(): number;
  /** 0 to `below - 1`. */
  whole(below: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** So many results, none to `most`. */
  some<T>(most: number, make: () => T): T[];
}

export function createLuck(seed: number): Luck {
  const next = createRandom(seed);
  const whole = (below: number) => Math.floor(next() * below);
  return {
    next,
    whole,
    chance: probability => next() < probability,
    pick: from => from[whole(from.length)]!,
    some: (most, make) => Array.from({ length: whole(most + 1) }, make),
  };
}

/** Texts that have broken other servers. */
const NASTY = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\u202e',
  '😀'.repeat(50),
  'x'.repeat(5_000),
  "'; drop table requests; --",
  '../../../etc/passwd',
  '$JWT_SECRET_KEY',
  '__proto__',
  'constructor',
  'null',
  '-0',
  '1e999',
  '9223372036854775808',
  '%00%ff',
  'req_01a204c89fa773378993d2fbd7146a98',
  '\u2028\u2029\ufeff',
  'e\u0301'.repeat(100),
  '\udc00\ud83d',
  '\x1b[2J\x07',
  '"""\\"""',
  '{{steps.a.output}}{{',
];

export function nastyText(luck: Luck): string {
  return luck.chance(0.5)
    ? luck.pick(NASTY)
    : String.fromCharCode(...luck.some(20, () => luck.whole(luck.chance(0.8) ? 128 : 65_536)));
}

/** Any JSON value, seldom deep. */
export function anyValue(luck: Luck, depth = 0): unknown {
  const kind = luck.whole(depth > 3 ? 6 : 8);
  if (kind < 2) return nastyText(luck);
  if (kind === 2) return luck.pick([0, -1, 1.5, 2 ** 31, -(2 ** 53), 1e300, luck.whole(1_000)]);
  if (kind === 3) return luck.chance(0.5);
  if (kind < 6) return null;
  if (kind === 6) return luck.some(4, () => anyValue(luck, depth + 1));
  return Object.fromEntries(luck.some(4, () => [nastyText(luck), anyValue(luck, depth + 1)]));
}

/** Lists and objects in each other, deeper than anything needs to be. */
export function deepValue(luck: Luck): unknown {
  let value: unknown = nastyText(luck);
  for (let depth = luck.pick([10, 30, 63, 64, 65, 300]); depth > 0; depth -= 1)
    value = luck.chance(0.5) ? [value] : { [luck.pick(['a', 'steps', 'input', '__proto__'])]: value };
  return value;
}

/** The text with a few characters changed, doubled or lost. */
export function damaged(luck: Luck, text: string): string {
  let result = text;
  for (let count = 1 + luck.whole(3); count > 0; count -= 1) {
    const at = luck.whole(result.length + 1);
    const piece = luck.pick(['', '{', '}', '"', '(', ')', '$', '@', '...', ':', nastyText(luck)]);
    result = result.slice(0, at) + piece + result.slice(at + luck.whole(4));
  }
  return result;
}
