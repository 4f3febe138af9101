// The price book: what a model costs at a kind of provider at a moment. Effective-dated and tiered data of
// `@pydantic/genai-prices` plus our overrides, turned once into bigint nano-USD. An unknown price stays unknown.

import type { ProviderKind } from '../domain/model.ts';
import type { Price, TieredRate } from '../domain/usage.ts';
import { undatedName } from './model-data.ts';
import {
  OVERRIDES_CHECKED,
  type OverrideRates,
  PRICE_OVERRIDES,
  type PriceOverride,
  SIMULATED_RATES,
} from './price-overrides.ts';
import { type PriceHistory, packagePrices } from './price-package.ts';
import { toNanoUsd } from './usd.ts';

export interface PriceBook {
  /** Undefined: unknown, to be reported as unpriced, never as zero. */
  priceOf(kind: ProviderKind, model: string, at: Date): Price | undefined;
}

/** A price as the configuration has it, in USD per million tokens. */
export interface PriceSettings {
  readonly input: number;
  readonly output: number;
  readonly cachedInput?: number | undefined;
  readonly cacheWrite?: number | undefined;
}

const ZERO: TieredRate = [{ fromTokens: 0, nanoUsdPerMillion: 0n }];
/** The operator's own hardware: no bill per token. The configuration may set a shadow price. */
const LOCAL_PRICE: Price = { source: 'local', input: ZERO, output: ZERO };

export function createPriceBook(): PriceBook {
  const histories: Partial<Record<ProviderKind, readonly PriceHistory[]>> = {
    openai: [...overridesOf('openai'), ...packagePrices('openai')],
    anthropic: [...overridesOf('anthropic'), ...packagePrices('anthropic')],
    simulated: Object.entries(SIMULATED_RATES).map(([model, rates]) => ({
      matches: name => name === model,
      versions: [{ fromMs: -Infinity, price: toPrice('simulated', rates) }],
    })),
  };
  return {
    priceOf(kind, model, at) {
      if (kind === 'ollama' || kind === 'lmstudio') return LOCAL_PRICE;
      const history = histories[kind]?.find(candidate => candidate.matches(model));
      return history?.versions.findLast(version => version.fromMs <= at.getTime())?.price;
    },
  };
}

/** The price that the configuration gives a model; it wins over the book. */
export function configuredPrice(price: PriceSettings): Price {
  const rate = (usd: number): TieredRate => [{ fromTokens: 0, nanoUsdPerMillion: toNanoUsd(usd) }];
  return {
    source: 'config',
    input: rate(price.input),
    output: rate(price.output),
    cachedInput: price.cachedInput === undefined ? undefined : rate(price.cachedInput),
    cacheWrite: price.cacheWrite === undefined ? undefined : rate(price.cacheWrite),
  };
}

function overridesOf(kind: ProviderKind): PriceHistory[] {
  const byModel = Map.groupBy(
    PRICE_OVERRIDES.filter(row => row.kind === kind),
    row => row.model,
  );
  return [...byModel].map(([model, rows]) => ({
    matches: name => undatedName(name) === model,
    versions: rows.map(toVersion).sort((a, b) => a.fromMs - b.fromMs),
  }));
}

function toVersion({ from, rates, longAbove, longRates }: PriceOverride) {
  const fromMs = from === undefined ? -Infinity : Date.parse(`${from}T00:00:00Z`);
  const long = longAbove !== undefined && longRates ? { above: longAbove, rates: longRates } : undefined;
  return { fromMs, price: toPrice(`mcplane@${OVERRIDES_CHECKED}`, rates, long) };
}

function toPrice(
  source: string,
  rates: OverrideRates,
  long?: { readonly above: number; readonly rates: OverrideRates },
): Price {
  const tiers = (line: keyof OverrideRates): TieredRate => [
    { fromTokens: 0, nanoUsdPerMillion: toNanoUsd(rates[line]) },
    ...(long ? [{ fromTokens: long.above + 1, nanoUsdPerMillion: toNanoUsd(long.rates[line]) }] : []),
  ];
  return {
    source,
    input: tiers('input'),
    output: tiers('output'),
    cachedInput: tiers('cachedInput'),
    cacheWrite: tiers('cacheWrite'),
  };
}
