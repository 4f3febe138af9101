// What came of the runs, as figures and as a table; ratios first, because they travel better than milliseconds.

import type { Measured } from '../measure/load.ts';

export interface Figure extends Pick<Measured, 'perSecond' | 'p50Ms' | 'p99Ms'> {
  readonly way: string;
  /** Callers at a time; undefined at a fixed rate. */
  readonly callers: number | undefined;
}

export interface Report {
  readonly benchmark: 'accept';
  readonly databases: readonly string[];
  readonly rounds: number;
  /** Group commit against the other ways: accepts per second, by callers. */
  readonly ratios: readonly {
    readonly ratio: string;
    readonly byCallers: Readonly<Record<string, number>>;
  }[];
  /** What durability adds at a fixed rate: p50 and p99 above those without a database. */
  readonly added: readonly { readonly way: string; readonly p50Ms: number; readonly p99Ms: number }[];
  readonly perSecondOffered: number;
  readonly figures: readonly Figure[];
}

export function ratiosOf(figures: readonly Figure[]): Report['ratios'] {
  const names = new Set(figures.map(({ way }) => way));
  const rate = (way: string, callers: number) =>
    figures.find(each => each.way === way && each.callers === callers)!.perSecond;
  const pairs = [...names].flatMap(way => {
    const group = `${way.split(',')[0]}, group commit`;
    return way.includes('singly') ? [[group, way] as const] : [];
  });
  const counts = [...new Set(figures.flatMap(({ callers }) => callers ?? []))];
  return pairs.map(([group, single]) => ({
    ratio: `${group} / ${single.replace(/^\w+, /, '')}`,
    byCallers: Object.fromEntries(
      counts.map(callers => [String(callers), rate(group, callers) / rate(single, callers)]),
    ),
  }));
}

export function addedOf(figures: readonly Figure[]): Report['added'] {
  const atRate = figures.filter(({ callers }) => callers === undefined);
  const without = atRate.find(({ way }) => way === 'no database')!;
  return atRate
    .filter(each => each !== without)
    .map(({ way, p50Ms, p99Ms }) => ({
      way,
      p50Ms: p50Ms - without.p50Ms,
      p99Ms: p99Ms - without.p99Ms,
    }));
}

export function table({ databases, rounds, ratios, added, perSecondOffered, figures }: Report): string {
  const counts = Object.keys(ratios[0]!.byCallers);
  const ways = [...new Set(figures.map(({ way }) => way))];
  const cell = (way: string, callers: string) => {
    const figure = figures.find(each => each.way === way && String(each.callers) === callers);
    if (!figure) return '';
    return `${Math.round(figure.perSecond)}/s ${figure.p50Ms.toFixed(2)}/${figure.p99Ms.toFixed(1)}`;
  };
  return [
    `Durable accepts, medians of ${rounds} interleaved rounds. ${databases.join('. ')}.`,
    '',
    `Times as many accepts per second, by callers (${counts.join(', ')})`,
    ...ratios.map(({ ratio, byCallers }) =>
      row(
        ratio,
        Object.values(byCallers).map(value => `${value.toFixed(1)} x`),
      ),
    ),
    '',
    `Added at ${perSecondOffered} accepts per second: p50, p99 in ms`,
    ...added.map(({ way, p50Ms, p99Ms }) => row(way, [p50Ms.toFixed(2), p99Ms.toFixed(1)])),
    '',
    'Accepts per second, p50/p99 in ms, by callers',
    row('', [...counts]),
    ...ways.map(way =>
      row(
        way,
        counts.map(callers => cell(way, callers)),
      ),
    ),
  ].join('\n');
}

function row(name: string, cells: readonly string[]): string {
  return [name.padEnd(58), ...cells.map(text => text.padStart(24))].join('').trimEnd();
}
