// A file that holds a value, in JSON or YAML: YAML includes JSON.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** Throws an error that names the file, and what is wrong with it. */
export function readDataFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return parse(text);
  } catch (error) {
    const [what] = (error as Error).message.split('\n');
    throw new Error(`${path} is neither JSON nor YAML: ${what}`);
  }
}
