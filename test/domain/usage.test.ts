import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { costOf, estimateTokens, formatUsd, type Price, type Usage } from '../../src/domain/usage.ts';

const flat = (usdPerMillion: number) => [{ fromTokens: 0, nanoUsdPerMillion: BigInt(usdPerMillion * 1e9) }];
const usage = (figures: Partial<Usage>): Usage => ({
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  estimated: false,
  ...figures,
});
const PRICE: Price = { source: 'test', input: flat(2), output: flat(10), cachedInput: flat(0.2) };

test('cached input tokens are part of the input and billed at their own rate, once', () => {
  // 900 × $2 + 100 × $0.20 + 50 × $10, per million
  assert.equal(
    costOf(usage({ inputTokens: 1_000, cachedInputTokens: 100, outputTokens: 50 }), PRICE),
    2_320_000n,
  );
});

test('a tier applies to all tokens from the prompt size on at which it starts', () => {
  const input = [...flat(2), { fromTokens: 272_000, nanoUsdPerMillion: 4_000_000_000n }];
  assert.equal(costOf(usage({ inputTokens: 271_999 }), { ...PRICE, input }), 543_998_000n);
  assert.equal(costOf(usage({ inputTokens: 272_000 }), { ...PRICE, input }), 1_088_000_000n);
});

test('an unknown price is unknown, never zero', () => {
  assert.equal(costOf(usage({ inputTokens: 10 }), undefined), undefined);
});

test('the cheapest token still costs something', () => {
  assert.equal(costOf(usage({ inputTokens: 1 }), { ...PRICE, input: flat(0.005) }), 5n);
});

test('no usage, however absurd, makes a cost negative or no number', () => {
  const anything = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0));
  const figures = fc.record({
    inputTokens: anything,
    outputTokens: anything,
    cachedInputTokens: anything,
    cacheWriteTokens: anything,
  });
  fc.assert(
    fc.property(figures, some => {
      const cost = costOf(usage(some), PRICE);
      assert.ok(cost !== undefined && cost >= 0n);
    }),
  );
});

test('money prints as plain decimals', () => {
  assert.deepEqual([0n, 5n, 1_500_000n, 1_000_000_000n, -20n, 12_345_678_900_000_000_000n].map(formatUsd), [
    '0',
    '0.000000005',
    '0.0015',
    '1',
    '-0.00000002',
    '12345678900',
  ]);
});

test('text of any length has an estimate, and only empty text has none', () => {
  assert.deepEqual(['', 'a', 'abcd', 'abcde', '漢字'].map(estimateTokens), [0, 1, 1, 2, 2]);
});
