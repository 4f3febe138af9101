// Prices that `@pydantic/genai-prices` lacks or resolves wrongly, from the providers' price pages. Data only:
// USD per million tokens as decimal text, so that no float comes near the ledger. Drop a row when the package has it.

import type { ProviderKind } from '../domain/model.ts';

/** When the rows were last checked; the ledger names it as the source. Set it anew with every change of a row. */
export const OVERRIDES_CHECKED = '2026-11-22';

export interface PriceOverride {
  readonly kind: ProviderKind;
  /** Matches this name and its dated snapshots. */
  readonly model: string;
  /** First day (UTC) it holds; absent: always. The latest that has begun applies. */
  readonly from?: string;
  readonly rates: OverrideRates;
  /** A prompt of more than this many tokens pays `longRates` for the whole request. */
  readonly longAbove?: number;
  readonly longRates?: OverrideRates;
}

export interface OverrideRates {
  readonly input: string;
  readonly cachedInput: string;
  readonly cacheWrite: string;
  readonly output: string;
}

export const PRICE_OVERRIDES: readonly PriceOverride[] = [
  // Secondary sources only. The cache write follows OpenAI's rule since gpt-5.6, 1.25 times the input; the long
  // prompt follows gpt-6-sol: twice the input and cache, 1.5 times the output.
  {
    kind: 'openai',
    model: 'gpt-6.1-sol',
    from: '2026-09-29',
    rates: { input: '2', cachedInput: '0.10', cacheWrite: '2.5', output: '10' },
    longAbove: 272_000,
    longRates: { input: '4', cachedInput: '0.20', cacheWrite: '5', output: '15' },
  },
  // The package's rule for claude-sonnet-5 takes every name that begins so, and would price this one by it.
  {
    kind: 'anthropic',
    model: 'claude-sonnet-5-5',
    rates: { input: '2', cachedInput: '0.20', cacheWrite: '2.5', output: '10' },
  },
  {
    kind: 'anthropic',
    model: 'claude-sonnet-5-5',
    from: '2026-10-07',
    rates: { input: '2', cachedInput: '0.10', cacheWrite: '2.5', output: '10' },
  },
  {
    kind: 'anthropic',
    model: 'claude-haiku-5-5',
    from: '2026-10-07',
    rates: { input: '0.10', cachedInput: '0.01', cacheWrite: '0.125', output: '0.50' },
    longAbove: 100_000,
    longRates: { input: '0.50', cachedInput: '0.05', cacheWrite: '0.625', output: '2.50' },
  },
];

/** Made up, so that the cost of a simulated answer can be followed through the ledger; nobody is billed. */
export const SIMULATED_RATES: Readonly<Record<string, OverrideRates>> = {
  fast: { input: '0.10', cachedInput: '0.01', cacheWrite: '0.125', output: '0.40' },
  smart: { input: '2', cachedInput: '0.20', cacheWrite: '2.5', output: '10' },
  local: { input: '0', cachedInput: '0', cacheWrite: '0', output: '0' },
};
