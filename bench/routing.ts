// Replays the same traffic against every strategy of routing, ours and those of others, and compares what came of
// it: how many succeeded, how long they took, what they cost. Seeded and in virtual time: the figures are exact.

import { type Summary, summarize, table } from './routing/report.ts';
import { simulate } from './routing/simulate.ts';
import { STRATEGIES } from './routing/strategies.ts';
import { traffic } from './routing/world.ts';
import type { BenchOptions, BenchResult } from './run.ts';

export function compare(seed: number): Summary[] {
  const arrivals = traffic(seed);
  return STRATEGIES.map(strategy => summarize(simulate(strategy, arrivals, seed)));
}

export async function run({ seed }: BenchOptions): Promise<BenchResult> {
  const summaries = compare(seed);
  return { json: { benchmark: 'routing', seed, strategies: summaries }, text: table(summaries, seed) };
}
