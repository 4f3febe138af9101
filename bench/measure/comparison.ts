// Is a benchmark worse than it was? Judged by its ratios alone.

import { table } from './figures.ts';
import { formatValue, type Ratio } from './ratios.ts';

/** A ratio that is worse by more than this share of what it was is lost. */
export const TOLERANCE = 0.1;

export interface Compared {
  readonly ratio: Ratio;
  /** Undefined: it was not measured then. */
  readonly before: number | undefined;
  /** Share of what it was; negative: it is better. */
  readonly worseBy: number | undefined;
  /** Undefined: not judged, having a unit or nothing to be compared with. */
  readonly isLost: boolean | undefined;
}

/** The same benchmark may have run several times: a ratio counts as the best that it reached. */
export function compare(before: readonly Ratio[], runs: readonly (readonly Ratio[])[]): Compared[] {
  const names = new Set(runs.flatMap(run => run.map(({ name }) => name)));
  return [...names].map(name => {
    const ratio = runs.flatMap(run => run.find(each => each.name === name) ?? []).reduce(betterOf);
    const last = before.find(each => each.name === name);
    if (!last) return { ratio, before: undefined, worseBy: undefined, isLost: undefined };
    const grownBy = ratio.value === last.value ? 0 : (ratio.value - last.value) / Math.abs(last.value);
    const worseBy = ratio.better === 'higher' ? -grownBy : grownBy;
    // What cannot be computed any more is no better than a loss.
    const isLost = ratio.unit === undefined ? !(worseBy <= TOLERANCE) : undefined;
    return { ratio, before: last.value, worseBy, isLost };
  });
}

function betterOf(one: Ratio, other: Ratio): Ratio {
  if (Number.isNaN(one.value)) return other;
  return (one.better === 'higher' ? other.value > one.value : other.value < one.value) ? other : one;
}

export function hasLost(compared: readonly Compared[]): boolean {
  return compared.some(({ isLost }) => isLost === true);
}

export function comparisonTable(compared: readonly Compared[]): string {
  const rows = compared.map(({ ratio, before, worseBy, isLost }) => [
    ratio.name,
    before === undefined ? '-' : formatValue(before, ratio.unit),
    formatValue(ratio.value, ratio.unit),
    worseBy === undefined ? 'new' : `${worseBy > 0 ? '-' : '+'}${(100 * Math.abs(worseBy)).toFixed(0)} %`,
    isLost === undefined ? 'not judged' : isLost ? 'LOST' : 'kept',
  ]);
  return table(['ratios', 'before', 'now', 'change', ''], rows);
}
