// Medians over rounds, and tables for people.

export function percentile(values: readonly number[], share: number): number {
  const inOrder = values.toSorted((a, b) => a - b);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(share * inOrder.length))] ?? Number.NaN;
}

/** The median of each figure over the rounds. */
export function mediansOf<Figures extends Readonly<Record<string, number>>>(
  rounds: readonly Figures[],
): Figures {
  const names = Object.keys(rounds[0]!) as (keyof Figures)[];
  const middle = (name: keyof Figures) =>
    percentile(
      rounds.map(round => round[name]!),
      0.5,
    );
  return Object.fromEntries(names.map(name => [name, middle(name)])) as Figures;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map(row => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ');
  return [head, ...rows].map(line).join('\n');
}
