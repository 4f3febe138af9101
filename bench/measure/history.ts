// The results that were kept, one a line, oldest first: what later runs are compared with.

import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Ratio } from './ratios.ts';

export interface Saved {
  readonly benchmark: string;
  readonly date: string;
  /** `+` behind it: with changes that were not committed. */
  readonly commit: string;
  readonly node: string;
  readonly cores: number;
  readonly ratios: readonly Ratio[];
  readonly figures: unknown;
}

const FILE = join(import.meta.dirname, '../history.jsonl');

export function readHistory(): Saved[] {
  if (!existsSync(FILE)) return [];
  const lines = readFileSync(FILE, 'utf8').split('\n');
  return lines.filter(line => line !== '').map(line => JSON.parse(line));
}

export function save(benchmark: string, ratios: readonly Ratio[], figures: unknown): void {
  const saved: Saved = {
    benchmark,
    date: new Date().toISOString(),
    commit: commitNow(),
    node: process.version,
    cores: availableParallelism(),
    ratios: ratios.map(ratio => ({ ...ratio, value: shortened(ratio.value) })),
    figures,
  };
  const short = (_key: string, value: unknown) => (typeof value === 'number' ? shortened(value) : value);
  appendFileSync(FILE, `${JSON.stringify(saved, short)}\n`);
}

function shortened(value: number): number {
  return Number(value.toPrecision(5));
}

function commitNow(): string {
  const git = (...args: string[]) =>
    spawnSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).stdout.trim();
  const measured = ['../../src', '..', ':!../history.jsonl'];
  const isChanged = git('status', '--porcelain', '--untracked-files=no', '--', ...measured) !== '';
  return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`;
}
