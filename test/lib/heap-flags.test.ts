import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

// V8's memory reducer looks at an idle process some time after a collection of more than a little, and says what it saw
// and what it will do.
const REDUCER = ['--trace-memory-reducer', '--gc-memory-reducer-start-delay-ms=1', '--expose-gc'];
const LOOKS = /Memory reducer: (high|low) alloc/;
const GOES_ON = /Memory reducer: (waiting|started)/;
const IDLE =
  'globalThis.kept = Array.from({ length: 1e6 }, () => ({})); gc(); process.stdin.once("data", () => process.exit());';

test('an idle server keeps its compiled code: V8 plans no collection that would throw it away', async () => {
  const module = JSON.stringify(new URL('../../src/lib/heap-flags.ts', import.meta.url));
  assert.equal(await reducerOf(IDLE), 'goes on', 'what V8 does when nobody tells it anything');
  assert.equal(await reducerOf(`(await import(${module})).setHeapFlags(); ${IDLE}`), 'rests');
});

/** What the reducer does after its first look. It says both in one turn, the program ends in a later one. */
async function reducerOf(program: string): Promise<'goes on' | 'rests'> {
  const child = spawn(process.execPath, [...REDUCER, '--input-type=module', '--eval', program]);
  try {
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      if (LOOKS.test(line)) child.stdin.write('end');
    }
    assert.match(said.join('\n'), LOOKS);
    return said.some(line => GOES_ON.test(line)) ? 'goes on' : 'rests';
  } finally {
    child.kill();
  }
}
