// When budgets begin anew, what is left of them, and the most that a call can cost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Budget, budgetExceeded, remainingOf, resetsAt } from '../../src/domain/budget.ts';
import { costOf, maxCostOf, type Price, type TieredRate } from '../../src/domain/usage.ts';

const BUDGET: Budget = {
  id: '01a204c8-9fa7-7337-8993-d2fbd7146a98',
  userId: '01a204c8-9fa7-7337-8993-d2fbd7146a99',
  apiKeyIds: undefined,
  period: 'MONTH',
  limitNanoUsd: 10_000_000_000n,
  spentNanoUsd: 7_500_000_000n,
  reservedNanoUsd: 2_000_000_000n,
  periodStart: new Date('2026-12-01T00:00:00Z'),
  createdAt: new Date('2026-11-22T18:20:00Z'),
};

test('a period ends where the next one begins, over the end of a month, a year and February', () => {
  const next = (period: Budget['period'], start: string) =>
    resetsAt({ period, periodStart: new Date(start) })?.toISOString();

  assert.equal(next('DAY', '2026-02-28T00:00:00Z'), '2026-03-01T00:00:00.000Z');
  assert.equal(next('WEEK', '2026-12-28T00:00:00Z'), '2027-01-04T00:00:00.000Z');
  assert.equal(next('MONTH', '2026-12-01T00:00:00Z'), '2027-01-01T00:00:00.000Z');
  assert.equal(next('MONTH', '2024-02-01T00:00:00Z'), '2024-03-01T00:00:00.000Z');
  assert.equal(next('TOTAL', '2026-12-01T12:00:00Z'), undefined);
});

test('what is left is never negative', () => {
  assert.equal(remainingOf(BUDGET), 500_000_000n);
  assert.equal(remainingOf({ ...BUDGET, spentNanoUsd: 9_000_000_000n }), 0n);
});

test('a refusal names the budget, what is left, what it would take, and when it begins anew', () => {
  const { code, message, details } = budgetExceeded(BUDGET, 600_000_000n);

  assert.equal(code, 'BUDGET_EXCEEDED');
  for (const said of [
    'bud_01a204c8',
    'user',
    'MONTH',
    '$10)',
    '$0.5 left',
    '$0.6',
    '2027-01-01T00:00:00.000Z',
  ])
    assert.ok(message.includes(said), `${said}: ${message}`);
  assert.deepEqual(details, {
    budgetId: 'bud_01a204c89fa773378993d2fbd7146a98',
    period: 'MONTH',
    limit: '10',
    remaining: '0.5',
    required: '0.6',
    resetsAt: '2027-01-01T00:00:00.000Z',
  });
  const total = budgetExceeded({ ...BUDGET, period: 'TOTAL', apiKeyIds: [BUDGET.id] }, 1n);
  assert.match(total.message, /API key \(TOTAL.*does not reset/);
});

const rate: fc.Arbitrary<TieredRate> = fc
  .array(
    fc.record({ fromTokens: fc.nat(1_000), nanoUsdPerMillion: fc.bigInt({ min: 0n, max: 10n ** 12n }) }),
    { minLength: 1, maxLength: 3 },
  )
  .map(tiers => tiers.toSorted((a, b) => a.fromTokens - b.fromTokens));
const price: fc.Arbitrary<Price> = fc.record({
  source: fc.constant('test'),
  input: rate,
  output: rate,
  cachedInput: fc.option(rate, { nil: undefined }),
  cacheWrite: fc.option(rate, { nil: undefined }),
});

test('no usage within the bounds costs more than the most that a call can cost', () => {
  const tokens = fc.record({
    input: fc.nat(2_000),
    cached: fc.nat(2_000),
    written: fc.nat(2_000),
    output: fc.nat(2_000),
  });
  fc.assert(
    fc.property(price, tokens, fc.nat(500), fc.nat(500), (priced, used, moreInput, moreOutput) => {
      const cachedInputTokens = Math.min(used.cached, used.input);
      const cacheWriteTokens = Math.min(used.written, used.input - cachedInputTokens);
      const usage = {
        inputTokens: used.input,
        cachedInputTokens,
        cacheWriteTokens,
        outputTokens: used.output,
        estimated: false,
      };
      const bounds = { inputTokens: used.input + moreInput, outputTokens: used.output + moreOutput };
      assert.ok(costOf(usage, priced)! <= maxCostOf(bounds, priced)!);
    }),
    { numRuns: 2_000 },
  );
});

test('what has no price has no most, and what is free costs nothing', () => {
  const free: TieredRate = [{ fromTokens: 0, nanoUsdPerMillion: 0n }];
  const bounds = { inputTokens: 1_000, outputTokens: 1_000 };

  assert.equal(maxCostOf(bounds, undefined), undefined);
  assert.equal(maxCostOf(bounds, { source: 'local', input: free, output: free }), 0n);
});
