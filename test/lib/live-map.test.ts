import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveMap } from '../../src/lib/live-map.ts';
import { collect, oldBytes } from '../support/heap.ts';

test('holds what was set and not taken away', () => {
  const map = new LiveMap<string>();
  map.set('a', 'one');
  map.set('b', 'two');
  map.set('a', 'three');
  map.delete('b');
  map.delete('b');
  map.set('c', 'four');
  assert.equal(map.size, 2);
  assert.equal(map.get('a'), 'three');
  assert.equal(map.get('b'), undefined);
  assert.deepEqual([...map.values()], ['three', 'four']);
});

test('what has gone does not grow old', async () => {
  const map = new LiveMap<object>();
  const large = () => ({ parts: Array.from({ length: 300 }, (_, index) => ({ index })) });
  map.set('-1', large());
  // Twice: now its table is an old one.
  collect();
  collect();
  const before = oldBytes();
  for (let index = 0; index < 8_000; index += 1) {
    map.set(String(index), large());
    map.delete(String(index - 40));
    if (index % 20 === 0) await new Promise(resolve => setImmediate(resolve));
  }
  // They are 100 MB; a plain Map makes 3 to 50 of these grow old.
  assert.ok(oldBytes() - before < 2_000_000, `${oldBytes() - before} bytes have grown old`);
});
