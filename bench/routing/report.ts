// What came of a run, as figures and as a table.

import type { Attempted, Run } from './simulate.ts';
import { BASELINES, type Strategy } from './strategies.ts';
import { DURATION_MS, OUTAGE_MS, TARGETS } from './world.ts';

export interface Summary {
  readonly strategy: Strategy;
  readonly requests: number;
  readonly successRate: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p95FirstTokenMs: number;
  /** USD for a thousand requests that succeeded. */
  readonly usdPerThousand: number;
  /** Share of the calls, by deployment. */
  readonly shares: Readonly<Record<string, number>>;
  /** Share of the calls that go to the one that breaks down: before, while it is down, and 30 s after its return. */
  readonly fragile: { readonly before: number; readonly during: number; readonly after: number };
}

const FRAGILE = 'fragile/large';
/** The longest that a breaker stays open; then traffic must return. */
const OPEN_PERIOD_MS = 30_000;

export function summarize({ strategy, served, attempts }: Run): Summary {
  const done = served.filter(({ succeeded }) => succeeded);
  const durations = sorted(done.map(({ durationMs }) => durationMs));
  const firstTokens = sorted(done.map(({ firstTokenMs }) => firstTokenMs));
  const nanoUsd = done.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n);
  const [downMs, upMs] = OUTAGE_MS;
  const fragileBetween = (fromMs: number, untilMs: number) =>
    shareOf(
      FRAGILE,
      attempts.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs),
    );
  return {
    strategy,
    requests: served.length,
    successRate: done.length / served.length,
    p50Ms: quantile(durations, 0.5),
    p95Ms: quantile(durations, 0.95),
    p95FirstTokenMs: quantile(firstTokens, 0.95),
    usdPerThousand: Number(nanoUsd) / 1e9 / (done.length / 1_000),
    shares: Object.fromEntries(
      TARGETS.map(({ deployment: { id } }): [string, number] => [id, shareOf(id, attempts)]),
    ),
    fragile: {
      before: fragileBetween(downMs - 60_000, downMs),
      during: fragileBetween(downMs, upMs),
      after: fragileBetween(upMs + OPEN_PERIOD_MS, Math.min(DURATION_MS, upMs + OPEN_PERIOD_MS + 60_000)),
    },
  };
}

export function table(summaries: readonly Summary[], seed: number): string {
  const baselines = BASELINES.map(name => summaries.find(({ strategy }) => strategy === name)!);
  const head = ['strategy', 'success', 'p50 ms', 'p95 ms', 'p95 first', 'USD/1000'];
  const ratios = baselines.flatMap(({ strategy }) => [`p95/${strategy}`, `cost/${strategy}`]);
  const rows = summaries.map(each => [
    each.strategy,
    percent(each.successRate, 2),
    each.p50Ms.toFixed(0),
    each.p95Ms.toFixed(0),
    each.p95FirstTokenMs.toFixed(0),
    each.usdPerThousand.toFixed(3),
    ...baselines.flatMap(base => [
      (each.p95Ms / base.p95Ms).toFixed(2),
      (each.usdPerThousand / base.usdPerThousand).toFixed(2),
    ]),
  ]);
  const targets = TARGETS.map(({ deployment }) => deployment.id);
  const shareRows = summaries.map(each => [
    each.strategy,
    ...targets.map(id => percent(each.shares[id]!)),
    `${percent(each.fragile.before)} ${percent(each.fragile.during)} ${percent(each.fragile.after)}`,
  ]);
  return [
    `${summaries[0]!.requests} requests in ${DURATION_MS / 60_000} minutes of virtual time, seed ${seed}.`,
    grid([[...head, ...ratios], ...rows]),
    `Share of the calls by deployment; for ${FRAGILE} also before, during and 30 s after its outage.`,
    grid([['strategy', ...targets.map(id => id.replace(/\/.*/, '')), 'fragile b/d/a'], ...shareRows]),
  ].join('\n\n');
}

function shareOf(id: string, attempts: readonly Attempted[]): number {
  return attempts.filter(({ deploymentId }) => deploymentId === id).length / Math.max(1, attempts.length);
}

function sorted(values: number[]): number[] {
  return values.sort((a, b) => a - b);
}

function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;
}

function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}%`;
}

function grid(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  return rows
    .map(row =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n');
}
