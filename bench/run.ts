// `npm run bench -- NAME [--json] [--seed N]`: runs bench/NAME.ts and prints what it found, for people or as JSON.

import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly seed: number;
}

export interface BenchResult {
  /** What was found, for programs. */
  readonly json: unknown;
  /** The same for people. */
  readonly text: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
});
const [name] = positionals;
const names = globSync('*.ts', { cwd: import.meta.dirname })
  .map(file => basename(file, '.ts'))
  .filter(file => file !== 'run')
  .sort();
if (name === undefined || !names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME [--json] [--seed N]\nThere is: ${names.join(', ')}`);
  process.exitCode = 2;
} else {
  const { run }: { run: (options: BenchOptions) => Promise<BenchResult> } = await import(`./${name}.ts`);
  const { json, text } = await run({ seed: Number(values.seed) });
  console.log(values.json ? JSON.stringify(json, null, 2) : text);
}
