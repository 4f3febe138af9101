// Tokens and money. Money is a bigint of nano-USD (10⁻⁹ USD): micro-USD would round small requests to zero,
// and floats have no place in a ledger. Prices are per million tokens, so a cheap token keeps its digits.

/** Tokens of one provider call or of a whole request. */
export interface Usage {
  /** All input tokens, those read from and written to the provider's cache included. */
  readonly inputTokens: number;
  /** The part of inputTokens that the provider read from its cache. */
  readonly cachedInputTokens: number;
  /** The part of inputTokens that the provider wrote to its cache at an extra price. */
  readonly cacheWriteTokens: number;
  /** Output tokens, reasoning included. */
  readonly outputTokens: number;
  /** True when the provider reported nothing usable and the figures are our estimate. */
  readonly estimated: boolean;
}

/** What a prompt is billed as. */
export type InputUsage = Pick<Usage, 'inputTokens' | 'cachedInputTokens' | 'cacheWriteTokens'>;

/** A rate by size of the whole prompt: the last tier whose `fromTokens` the prompt reaches applies to all tokens. */
export type TieredRate = readonly { readonly fromTokens: number; readonly nanoUsdPerMillion: bigint }[];

/** What one model costs at one provider from some date on. */
export interface Price {
  /** Where it comes from, for the ledger: `genai-prices@0.1.8`, `config`, `local`. */
  readonly source: string;
  readonly input: TieredRate;
  readonly output: TieredRate;
  /** Absent: cached tokens cost what input tokens cost. */
  readonly cachedInput?: TieredRate | undefined;
  readonly cacheWrite?: TieredRate | undefined;
}

/**
 * Cost in nano-USD, rounded half up once per line; undefined when the price is unknown (UNPRICED, never zero). Never
 * negative and never throws: counts that are no amount are worth nothing.
 */
export function costOf(usage: Usage, price: Price | undefined): bigint | undefined {
  if (!price) return undefined;
  const plain = usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteTokens;
  const line = (tokens: number, rate: TieredRate): bigint =>
    (BigInt(toCount(tokens)) * rateFor(rate, usage.inputTokens) + 500_000n) / 1_000_000n;
  return (
    line(plain, price.input) +
    line(usage.cachedInputTokens, price.cachedInput ?? price.input) +
    line(usage.cacheWriteTokens, price.cacheWrite ?? price.input) +
    line(usage.outputTokens, price.output)
  );
}

/**
 * The most that a call can cost of which no more tokens than these are billed, whatever part of the prompt comes from
 * or goes to the cache; undefined when the price is unknown.
 */
export function maxCostOf(
  { inputTokens, outputTokens }: Pick<Usage, 'inputTokens' | 'outputTokens'>,
  price: Price | undefined,
): bigint | undefined {
  if (!price) return undefined;
  const { input, output, cachedInput = input, cacheWrite = input } = price;
  const perInput = highestRate([input, cachedInput, cacheWrite], inputTokens);
  const perOutput = highestRate([output], inputTokens);
  // Three lines of input, each rounded by itself: together they may come to more than their sum, rounded up.
  const rounding = perInput % MILLION === 0n ? 0n : 1n;
  return timesRate(inputTokens, perInput) + rounding + timesRate(outputTokens, perOutput);
}

const MILLION = 1_000_000n;

/** Rounded up. */
function timesRate(tokens: number, nanoUsdPerMillion: bigint): bigint {
  return (BigInt(toCount(tokens)) * nanoUsdPerMillion + MILLION - 1n) / MILLION;
}

/** Of all that a prompt of at most so many tokens may be billed by. */
function highestRate(rates: readonly TieredRate[], promptTokens: number): bigint {
  const reached = rates.flatMap(rate => [
    rate[0]?.nanoUsdPerMillion ?? 0n,
    ...rate.filter(tier => tier.fromTokens <= promptTokens).map(tier => tier.nanoUsdPerMillion),
  ]);
  return reached.reduce((highest, each) => (each > highest ? each : highest), 0n);
}

function toCount(tokens: number): number {
  return Number.isFinite(tokens) ? Math.max(0, Math.trunc(tokens)) : 0;
}

function rateFor(rate: TieredRate, promptTokens: number): bigint {
  let found = rate[0]?.nanoUsdPerMillion ?? 0n;
  for (const tier of rate) if (promptTokens >= tier.fromTokens) found = tier.nanoUsdPerMillion;
  return found;
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    estimated: a.estimated || b.estimated,
  };
}

/** A rough count for text whose tokenizer is unknown: four UTF-8 bytes a token, at least one per word-less text. */
export function estimateTokens(text: string): number {
  return tokensIn(Buffer.byteLength(text, 'utf8'));
}

/** The same for text of so many UTF-8 bytes. */
export function tokensIn(bytes: number): number {
  return Math.ceil(bytes / 4);
}

const USD = /^(\d{1,10})(?:\.(\d{1,9}))?$/;

/** The amount that `formatUsd` writes so, in nano-USD; undefined for anything else, negative and too fine ones included. */
export function parseUsd(text: string): bigint | undefined {
  const [, whole, fraction = ''] = USD.exec(text) ?? [];
  return whole === undefined ? undefined : BigInt(whole + fraction.padEnd(9, '0'));
}

/** Nano-USD as a decimal string of USD without exponent or trailing zeros: 1500000n → "0.0015". */
export function formatUsd(nanoUsd: bigint): string {
  const sign = nanoUsd < 0n ? '-' : '';
  const digits = (nanoUsd < 0n ? -nanoUsd : nanoUsd).toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -9)}${fraction && `.${fraction}`}`;
}
