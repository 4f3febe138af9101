// Waiting that does not count what this process does itself.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { afterListening } from '../../src/lib/listening.ts';

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('an answer that came while this process stood still is not late', async t => {
  const echo = spawn('cat');
  t.after(() => echo.kill());
  echo.stdin.write('ready');
  await once(echo.stdout, 'data');
  const order: string[] = [];
  const { promise: isOver, resolve } = Promise.withResolvers<void>();

  echo.stdin.write('answer');
  echo.stdout.once('data', () => order.push('answer'));
  afterListening(systemClock, 50, () => {
    order.push('late');
    resolve();
  });
  standStill(500);

  await isOver;
  assert.deepEqual(order, ['answer', 'late']);
});

test('what is taken back is not called', async () => {
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const takeBack = afterListening(systemClock, 5, () => assert.fail('called'));
  afterListening(systemClock, 10, resolve);

  takeBack();

  await isOver;
});
