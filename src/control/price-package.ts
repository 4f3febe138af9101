// Reads the data of `@pydantic/genai-prices` into price histories. Only its data is used: its calculation works in
// floats and takes the price of a neighbouring model for one it does not know.

import {
  type ConditionalPrice,
  findProvider,
  type MatchLogic,
  type ModelInfo,
  type ModelPrice,
} from '@pydantic/genai-prices';
import type { Price, TieredRate } from '../domain/usage.ts';
import { toNanoUsd } from './usd.ts';

export const PACKAGE_SOURCE = 'genai-prices@0.1.8';

/** The prices of one model over time, in ascending order of their beginning. */
export interface PriceHistory {
  matches(model: string): boolean;
  readonly versions: readonly { readonly fromMs: number; readonly price: Price }[];
}

/** The price history of every model that the package can price by input and output tokens. */
export function packagePrices(providerId: 'openai' | 'anthropic'): PriceHistory[] {
  const models = findProvider({ providerId })?.models ?? [];
  // Open weights have as many prices as hosts; OpenAI itself sells none of them.
  return models.filter(model => !model.id.startsWith('gpt-oss')).flatMap(model => toHistory(model) ?? []);
}

function toHistory({ match, prices }: ModelInfo): PriceHistory | undefined {
  const conditional: readonly ConditionalPrice[] = Array.isArray(prices) ? prices : [{ prices }];
  const versions: { fromMs: number; price: Price }[] = [];
  for (const { constraint, prices: rates } of conditional) {
    // A price by time of day has no place in a ledger by date: the model stays unpriced.
    if (constraint && constraint.type !== 'start_date') return undefined;
    const price = toPrice(rates);
    if (!price) return undefined;
    versions.push({ fromMs: constraint ? Date.parse(constraint.start_date) : -Infinity, price });
  }
  return { matches: name => matches(match, name.toLowerCase()), versions };
}

function toPrice(rates: ModelPrice): Price | undefined {
  const input = toRate(rates.input_mtok);
  const output = toRate(rates.output_mtok);
  if (!input || !output) return undefined;
  return {
    source: PACKAGE_SOURCE,
    input,
    output,
    cachedInput: toRate(rates.cache_read_mtok),
    cacheWrite: toRate(rates.cache_write_mtok),
  };
}

function toRate(rate: ModelPrice[string]): TieredRate | undefined {
  if (rate === undefined) return undefined;
  if (typeof rate === 'number') return [{ fromTokens: 0, nanoUsdPerMillion: toNanoUsd(rate) }];
  return [
    { fromTokens: 0, nanoUsdPerMillion: toNanoUsd(rate.base) },
    // The package's tier holds above its start, ours from its first token on.
    ...rate.tiers.map(tier => ({ fromTokens: tier.start + 1, nanoUsdPerMillion: toNanoUsd(tier.price) })),
  ];
}

function matches(rule: MatchLogic, name: string): boolean {
  if ('or' in rule) return rule.or.some(part => matches(part, name));
  if ('and' in rule) return rule.and.every(part => matches(part, name));
  if ('equals' in rule) return name === rule.equals.toLowerCase();
  if ('starts_with' in rule)
    return name.startsWith(rule.starts_with) && !isOtherVersion(rule.starts_with, name);
  if ('ends_with' in rule) return name.endsWith(rule.ends_with);
  if ('contains' in rule) return name.includes(rule.contains);
  return new RegExp(rule.regex).test(name);
}

/**
 * Does the name go on with a further version number? `claude-sonnet-5` is the beginning of `claude-sonnet-5-5`, and
 * another price. A date (`-20251001`) is the same model.
 */
function isOtherVersion(prefix: string, name: string): boolean {
  const rest = name.slice(prefix.length);
  return /^[-.]\d{1,2}(?!\d)/.test(rest) || (/(^|\D)\d{1,2}$/.test(prefix) && /^\d/.test(rest));
}
