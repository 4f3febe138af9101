// What a benchmark is judged by. A ratio of two things measured in the same run says the same on another machine, and
// is compared with the last one; a figure with a unit does not, and only stands beside its target.

import { table } from './figures.ts';

export interface Ratio {
  readonly name: string;
  readonly value: number;
  readonly better: 'higher' | 'lower';
  /** What it is to reach. */
  readonly target?: number | undefined;
  /** Of a figure that is no ratio. */
  readonly unit?: string | undefined;
}

type About = Pick<Ratio, 'target' | 'unit'>;

export function higher(name: string, value: number, about: About = {}): Ratio {
  return { name, value, better: 'higher', ...about };
}

export function lower(name: string, value: number, about: About = {}): Ratio {
  return { name, value, better: 'lower', ...about };
}

/** Of what could be measured only beside the peer, which is not there on every machine. */
export function known(ratios: readonly (Ratio | undefined)[]): Ratio[] {
  return ratios.filter(ratio => ratio !== undefined);
}

export function isReached({ value, better, target }: Ratio): boolean | undefined {
  if (target === undefined) return undefined;
  return better === 'higher' ? value >= target : value <= target;
}

export function formatValue(value: number, unit?: string): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3 - Number(Math.abs(value) >= 1);
  return `${value.toFixed(digits)} ${unit ?? 'x'}`;
}

export function ratioTable(ratios: readonly Ratio[]): string {
  const rows = ratios.map(ratio => {
    const { name, value, better, target, unit } = ratio;
    const bound = better === 'higher' ? '>=' : '<=';
    const reached = isReached(ratio);
    return [
      name,
      formatValue(value, unit),
      target === undefined ? '' : `${bound} ${formatValue(target, unit)}`,
      reached === undefined ? '' : reached ? 'reached' : 'missed',
    ];
  });
  return table(['ratios', 'value', 'target', ''], rows);
}
