// What is wrong with a configuration: every problem with its place and its fix, told all at once.

export interface ConfigProblem {
  /** The variable's name, or `file:line:column (path)`. */
  readonly where: string;
  readonly problem: string;
  readonly fix: string;
}

/** All problems of one configuration. The message is meant for the terminal as it is. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const lines = problems.map(({ where, problem, fix }) => `  ${where} ${problem}\n    → ${fix}`);
    super(`The configuration has ${count}.\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/** The candidate that was probably meant, or undefined when nothing is near. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const wanted = normalize(name);
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const normal = normalize(candidate);
    // The beginning of a name is as good as a slip of one letter.
    const begins = wanted.length >= 4 && normal.startsWith(wanted);
    const distance = begins ? 1 : editDistance(wanted, normal);
    if (distance <= Math.max(2, wanted.length / 4) && distance < (best?.distance ?? Infinity))
      best = { candidate, distance };
  }
  return best?.candidate;
}

export function didYouMean(name: string, candidates: readonly string[]): string | undefined {
  const candidate = nearest(name, candidates);
  return candidate === undefined ? undefined : `Did you mean ${candidate}?`;
}

/** `maxBodyBytes`, `max_body_bytes` and `MAX-BODY-BYTES` are the same wish. */
function normalize(name: string): string {
  return name.replace(/[_.-]/g, '').toLowerCase();
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
