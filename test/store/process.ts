// A child process whose lines a test awaits and which it kills without warning.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

export interface ChildProcessLines {
  readonly pid: number;
  /** The next line of its output; rejects with what it wrote to stderr when it ends before. */
  line(): Promise<string>;
  /** Every line from now on until it ends. */
  lines(): AsyncIterable<string>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export function startProcess(t: TestContext, args: string[]): ChildProcessLines {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit');
  let errors = '';
  child.stderr.on('data', chunk => {
    errors += chunk;
  });
  const output = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async () => {
    child.kill('SIGKILL');
    await exit;
  };
  t.after(kill);
  return {
    pid: child.pid!,
    async line() {
      const { value, done } = await output.next();
      if (done) throw new Error(`The process ended: ${errors}`);
      return value;
    },
    lines: () => ({ [Symbol.asyncIterator]: () => output }),
    kill,
  };
}
