import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, hasLost } from '../../bench/measure/comparison.ts';
import { higher, lower, type Ratio } from '../../bench/measure/ratios.ts';

const lostIn = (before: readonly Ratio[], ...runs: readonly (readonly Ratio[])[]) =>
  compare(before, runs)
    .filter(({ isLost }) => isLost)
    .map(({ ratio }) => ratio.name);

test('a ratio is lost when it is worse by more than a tenth, in its own direction', () => {
  const before = [higher('rate', 3), lower('time', 2)];
  assert.deepEqual(lostIn(before, [higher('rate', 2.71), lower('time', 2.19)]), []);
  assert.deepEqual(lostIn(before, [higher('rate', 2.69), lower('time', 2.19)]), ['rate']);
  assert.deepEqual(lostIn(before, [higher('rate', 2.71), lower('time', 2.21)]), ['time']);
  assert.deepEqual(lostIn(before, [higher('rate', 9), lower('time', 0.1)]), []);
});

test('of several runs the best counts', () => {
  const before = [higher('rate', 3), lower('time', 2)];
  const one = [higher('rate', 1), lower('time', 2)];
  const other = [higher('rate', 3), lower('time', 4)];
  assert.deepEqual(lostIn(before, one, other), []);
  assert.deepEqual(lostIn(before, one, one), ['rate']);
});

test('a time below that of the yardstick, hence negative, is judged by how far it moved', () => {
  assert.deepEqual(lostIn([lower('time', -1)], [lower('time', -0.95)]), []);
  assert.deepEqual(lostIn([lower('time', -1)], [lower('time', -0.8)]), ['time']);
  assert.deepEqual(lostIn([lower('time', 0)], [lower('time', 1)]), ['time']);
});

test('what cannot be computed any more is lost, and counts for nothing beside a run in which it could', () => {
  const [before, broken] = [[higher('rate', 3)], [higher('rate', Number.NaN)]];
  assert.deepEqual(lostIn(before, broken), ['rate']);
  assert.deepEqual(lostIn(before, broken, [higher('rate', 3)]), []);
});

test('figures with a unit and what was not measured before are shown and not judged', () => {
  const compared = compare(
    [lower('lag', 1, { unit: 'ms' })],
    [[lower('lag', 99, { unit: 'ms' }), higher('new', 1)]],
  );
  assert.deepEqual(
    compared.map(({ ratio, before, isLost }) => [ratio.name, before, isLost]),
    [
      ['lag', 1, undefined],
      ['new', undefined, undefined],
    ],
  );
  assert.equal(hasLost(compared), false);
});
