// Tables of outcomes for people to read, and to compare with the committed ones.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The first column as wide as it has to be, the others alike. */
export function printedTable(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([name]) => name!.length)) + 2;
  const lines = rows.map(([name, ...cells]) =>
    (name!.padEnd(width) + cells.map(cell => cell.padEnd(17)).join('')).trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Fails unless it is what test/fixtures/`name` says; with UPDATE_ACCESS=1 it is written there first. */
export function assertCommitted(name: string, table: string): void {
  const path = join(import.meta.dirname, '../fixtures', name);
  if (process.env.UPDATE_ACCESS === '1') writeFileSync(path, table);
  assert.equal(table, readFileSync(path, 'utf8'));
}

/** The cells of a committed table by the name of their row. */
export function committedTable(name: string): Map<string, string[]> {
  const text = readFileSync(join(import.meta.dirname, '../fixtures', name), 'utf8');
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .map(line => {
        const [row = '', ...cells] = line.split(/\s+/);
        return [row, cells];
      }),
  );
}
