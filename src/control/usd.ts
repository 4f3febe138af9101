// Decimal USD to whole nano-USD without a float in between.

const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/;
/** One USD in nano-USD has this many zeros. */
const NANO_DIGITS = 9;

/**
 * `0.15` → 150000000n. A number is taken by its shortest decimal text, which is what its author wrote; what is
 * finer than a nano-USD is rounded half up. Throws a RangeError unless it is finite and not negative.
 */
export function toNanoUsd(usd: number | string): bigint {
  const match = DECIMAL.exec(String(usd));
  if (!match) throw new RangeError(`not an amount of money: ${usd}`);
  const [, whole = '', fraction = '', exponent = '0'] = match;
  // The amount is digits × 10^-scale USD, and shift brings it to nano-USD.
  const digits = BigInt(whole + fraction);
  const shift = NANO_DIGITS - fraction.length + Number(exponent);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (digits + divisor / 2n) / divisor;
}
