#!/usr/bin/env node
// The `mcplane` command. Plain JavaScript that any Node since 18 understands: it hands over to the project's own
// Node when the one that was found is too old to run the rest.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  const { useCompileCache } = await import('../lib/compile-cache.ts');
  useCompileCache();
  const { run } = await import('./main.ts');
  await run(process.argv);
} else {
  handOver(fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url)));
}

function handOver(node) {
  if (!existsSync(node)) {
    console.error(
      `mcplane needs Node ${NEEDED_MAJOR} or newer, this is ${process.version}. Run \`npm ci\` to get one.`,
    );
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  const forward = signal => child.kill(signal);
  // On a terminal the child gets these from the terminal itself; twice would mean "at once" to it.
  const fromTerminal = process.stdin.isTTY ? () => {} : forward;
  process.on('SIGTERM', forward);
  process.on('SIGINT', fromTerminal);
  process.on('SIGHUP', fromTerminal);
  child.on('error', error => {
    console.error(`mcplane could not start ${node}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
