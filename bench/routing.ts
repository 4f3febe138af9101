// Replays the same traffic against every strategy of routing, ours and those of others, and compares what came of
// it: how many succeeded, how long they took, what they cost. Seeded and in virtual time: the figures are exact.

import { lower, type Ratio } from './measure/ratios.ts';
import { type Summary, summarize, table } from './routing/report.ts';
import { simulate } from './routing/simulate.ts';
import { BASELINES, OURS, STRATEGIES, type Strategy } from './routing/strategies.ts';
import { traffic } from './routing/world.ts';
import type { BenchOptions, BenchResult } from './run.ts';

export function compare(seed: number): Summary[] {
  const arrivals = traffic(seed);
  return STRATEGIES.map(strategy => summarize(simulate(strategy, arrivals, seed)));
}

export async function run({ seed }: BenchOptions): Promise<BenchResult> {
  const summaries = compare(seed);
  return {
    json: { benchmark: 'routing', seed, strategies: summaries },
    text: table(summaries, seed),
    ratios: ratiosOf(summaries),
  };
}

/** Each of ours by what it is for, against those that look at nothing or at times alone. */
function ratiosOf(summaries: readonly Summary[]): Ratio[] {
  const of = (strategy: Strategy) => summaries.find(each => each.strategy === strategy)!;
  return BASELINES.flatMap(base =>
    OURS.flatMap(strategy => [
      lower(`p95, ${strategy} / ${base}`, of(strategy).p95Ms / of(base).p95Ms),
      lower(`cost, ${strategy} / ${base}`, of(strategy).usdPerThousand / of(base).usdPerThousand),
    ]),
  );
}
