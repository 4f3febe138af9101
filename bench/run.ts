// `npm run bench -- NAME` runs bench/NAME.ts and prints what it found; `--save` adds it to the history, and
// `--compare [NAME]` runs what is there again and fails when a ratio became worse. See bench/README.md.

import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, comparisonTable, hasLost, TOLERANCE } from './measure/comparison.ts';
import { readHistory, type Saved, save } from './measure/history.ts';
import { type Ratio, ratioTable } from './measure/ratios.ts';

export interface BenchOptions {
  readonly seed: number;
  /** Fewer than usual for a quick look; undefined: as many as usual. */
  readonly rounds: number | undefined;
  /** How long `memory` keeps up a steady load; 0: not at all. */
  readonly soakMinutes: number;
}

export interface BenchResult {
  /** What was found, for programs. */
  readonly json: unknown;
  /** The same for people. */
  readonly text: string;
  /** What it is judged by. */
  readonly ratios: readonly Ratio[];
}

const USAGE = `Usage: npm run bench -- NAME [--json] [--save] [--rounds N] [--seed N] [--soak MINUTES]
       npm run bench -- --compare [NAME]`;
/** What is lost must be lost twice: the machine may have been busy with something else. */
const COMPARED_RUNS = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    compare: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    soak: { type: 'string', default: '0' },
  },
});
const options: BenchOptions = {
  seed: Number(values.seed),
  rounds: values.rounds === undefined ? undefined : Number(values.rounds),
  soakMinutes: Number(values.soak),
};
const [name] = positionals;
// The servers of a run end with it.
process.once('SIGTERM', () => process.exit(143));
const names = globSync('*.ts', { cwd: import.meta.dirname })
  .map(file => basename(file, '.ts'))
  .filter(file => file !== 'run')
  .sort();

if (values.compare && (name === undefined || names.includes(name))) await compareWithLast();
else if (name !== undefined && names.includes(name)) await runOnce(name);
else {
  console.error(`${USAGE}\nThere is: ${names.join(', ')}`);
  process.exitCode = 2;
}

async function measure(benchmark: string): Promise<BenchResult> {
  const { run }: { run: (options: BenchOptions) => Promise<BenchResult> } = await import(`./${benchmark}.ts`);
  return run(options);
}

async function runOnce(benchmark: string): Promise<void> {
  const { json, text, ratios } = await measure(benchmark);
  console.log(values.json ? JSON.stringify({ ratios, ...(json as object) }, null, 2) : text);
  if (!values.json) console.log(`\n${ratioTable(ratios)}`);
  if (values.save) save(benchmark, ratios, json);
}

async function compareWithLast(): Promise<void> {
  const history = readHistory();
  const wanted = names.filter(each => name === undefined || each === name);
  const last = wanted.flatMap(each => history.findLast(({ benchmark }) => benchmark === each) ?? []);
  if (last.length === 0) {
    console.error(`Nothing was saved of ${name ?? 'any benchmark'}: npm run bench -- NAME --save`);
    process.exitCode = 2;
  }
  for (const saved of last) if (await isWorse(saved)) process.exitCode = 1;
}

async function isWorse({ benchmark, date, commit, ratios }: Saved): Promise<boolean> {
  const runs: (readonly Ratio[])[] = [];
  const now = () => compare(ratios, runs);
  do runs.push((await measure(benchmark)).ratios);
  while (hasLost(now()) && runs.length < COMPARED_RUNS);
  console.log(
    `${benchmark}: against ${date.slice(0, 10)}, ${commit} (lost: worse by more than ${100 * TOLERANCE} %)`,
  );
  console.log(`${comparisonTable(now())}\n`);
  return hasLost(now());
}
