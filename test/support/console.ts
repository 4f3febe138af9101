// Proof that nothing is printed: client libraries have written whole chunks of answers to the console.

import type { TestContext } from 'node:test';

/** What the process writes to its console from now on, until the test ends. Nothing of it appears. */
export function watchConsole(t: Pick<TestContext, 'after'>): string[] {
  const printed: string[] = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    const original = console[method];
    console[method] = (...values: unknown[]) => void printed.push(values.join(' '));
    t.after(() => {
      console[method] = original;
    });
  }
  return printed;
}
