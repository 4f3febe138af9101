// What tokens cost: known prices by date and prompt size, and the exactness of every conversion.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PACKAGE_SOURCE } from '../../src/control/price-package.ts';
import { configuredPrice, createPriceBook } from '../../src/control/prices.ts';
import { toNanoUsd } from '../../src/control/usd.ts';
import type { ProviderKind } from '../../src/domain/model.ts';
import { costOf, formatUsd, type Usage } from '../../src/domain/usage.ts';

const book = createPriceBook();
const NOVEMBER = '2026-11-22';

/** The cost in USD as text, of so many tokens on a day (UTC midnight). */
function usd(kind: ProviderKind, model: string, day: string, tokens: Partial<Usage>): string | undefined {
  const usage: Usage = {
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    estimated: false,
    ...tokens,
  };
  const cost = costOf(usage, book.priceOf(kind, model, new Date(`${day}T00:00:00Z`)));
  return cost === undefined ? undefined : formatUsd(cost);
}

describe('the price book', () => {
  test('prices OpenAI models by input, cached input, cache write and output', () => {
    const tokens = {
      inputTokens: 100_000,
      cachedInputTokens: 40_000,
      cacheWriteTokens: 10_000,
      outputTokens: 1_000,
    };
    // 50,000 at 2 + 40,000 at 0.20 + 10,000 at 2.50 + 1,000 at 10 USD per million.
    assert.equal(usd('openai', 'gpt-6-sol', NOVEMBER, tokens), '0.143');
    assert.equal(usd('openai', 'gpt-4o-mini', NOVEMBER, { inputTokens: 7, outputTokens: 1 }), '0.00000165');
  });

  test('prices Anthropic models by input, cached input, cache write and output', () => {
    const tokens = {
      inputTokens: 100_000,
      cachedInputTokens: 40_000,
      cacheWriteTokens: 10_000,
      outputTokens: 1_000,
    };
    // 50,000 at 4 + 40,000 at 0.20 + 10,000 at 5 + 1,000 at 20 USD per million.
    assert.equal(usd('anthropic', 'claude-opus-5-5', NOVEMBER, tokens), '0.278');
    // 50,000 at 1 + 40,000 at 0.10 + 10,000 at 1.25 + 1,000 at 5 USD per million.
    assert.equal(usd('anthropic', 'claude-haiku-4-5', NOVEMBER, tokens), '0.0715');
  });

  test('applies a price from the first moment of its first day', () => {
    const million = { inputTokens: 100_000, outputTokens: 100_000 };
    assert.equal(usd('openai', 'gpt-5.6-sol', '2026-08-20', million), '3.5');
    assert.equal(usd('openai', 'gpt-5.6-sol', '2026-08-21', million), '2.4');
    assert.equal(usd('openai', 'gpt-5.6-luna', '2026-07-29', million), '0.7');
    assert.equal(usd('openai', 'gpt-5.6-luna', '2026-07-30', million), '0.14');
    const lastMoment = new Date(Date.parse('2026-08-21T00:00:00Z') - 1);
    assert.equal(
      book.priceOf('openai', 'gpt-5.6-sol', lastMoment)?.input[0]?.nanoUsdPerMillion,
      5_000_000_000n,
    );
  });

  test('applies overrides by their own dates', () => {
    const cached = { inputTokens: 1_000_000, cachedInputTokens: 1_000_000 };
    assert.equal(usd('anthropic', 'claude-sonnet-5-5', '2026-10-06', cached), '0.2');
    assert.equal(usd('anthropic', 'claude-sonnet-5-5', '2026-10-07', cached), '0.1');
    assert.equal(usd('anthropic', 'claude-haiku-5-5', '2026-10-06', cached), undefined);
    assert.equal(usd('anthropic', 'claude-haiku-5-5', '2026-10-07', { inputTokens: 100_000 }), '0.01');
    assert.equal(
      usd('openai', 'gpt-6.1-sol', NOVEMBER, { inputTokens: 100_000, cachedInputTokens: 100_000 }),
      '0.01',
    );
  });

  test('charges the whole request at the tier that its prompt reaches', () => {
    const long = { outputTokens: 1_000_000 };
    assert.equal(usd('openai', 'gpt-6-sol', NOVEMBER, { ...long, inputTokens: 272_000 }), '10.544');
    assert.equal(usd('openai', 'gpt-6-sol', NOVEMBER, { ...long, inputTokens: 272_001 }), '16.088004');
    // The package lets the long tier of this older generation begin one token earlier.
    assert.equal(usd('openai', 'gpt-5.5', NOVEMBER, { ...long, inputTokens: 271_999 }), '31.359995');
    assert.equal(usd('openai', 'gpt-5.5', NOVEMBER, { ...long, inputTokens: 272_000 }), '47.72');
    assert.equal(usd('anthropic', 'claude-haiku-5-5', NOVEMBER, { inputTokens: 100_001 }), '0.0500005');
  });

  test('counts cached tokens into the size of the prompt', () => {
    const tokens = { inputTokens: 272_001, cachedInputTokens: 272_001 };
    assert.equal(usd('openai', 'gpt-6-sol', NOVEMBER, tokens), '0.1088004');
  });

  test('resolves dated snapshots to their model', () => {
    for (const [kind, dated, model] of [
      ['anthropic', 'claude-haiku-4-5-20251001', 'claude-haiku-4-5'],
      ['anthropic', 'claude-haiku-5-5-20261007', 'claude-haiku-5-5'],
      ['openai', 'gpt-5.5-2026-04-23', 'gpt-5.5'],
      ['openai', 'gpt-5.6-terra-2026-07-09', 'gpt-5.6-terra'],
    ] as const) {
      const at = new Date(NOVEMBER);
      assert.notEqual(book.priceOf(kind, dated, at), undefined, dated);
      assert.deepEqual(book.priceOf(kind, dated, at), book.priceOf(kind, model, at), dated);
    }
  });

  test('leaves a model unpriced that only resembles a known one', () => {
    for (const model of [
      'claude-sonnet-5-7',
      'claude-opus-4-12',
      'claude-opus-4.10',
      'claude-haiku-4-5-1',
      'x',
    ])
      assert.equal(book.priceOf('anthropic', model, new Date(NOVEMBER)), undefined, model);
    for (const model of ['gpt-6-sol-mini', 'gpt-9', 'gpt-oss-20b', 'whisper-1', 'text-embedding-3-small', ''])
      assert.equal(book.priceOf('openai', model, new Date(NOVEMBER)), undefined, model);
    assert.equal(costOf({ ...({} as Usage), inputTokens: 1 }, undefined), undefined);
  });

  test('charges nothing for local models, and says that they are local', () => {
    assert.equal(usd('ollama', 'whatever:8b', NOVEMBER, { inputTokens: 1_000, outputTokens: 1_000 }), '0');
    assert.equal(book.priceOf('lmstudio', 'whatever', new Date(NOVEMBER))?.source, 'local');
  });

  test('names the source of every price', () => {
    const sourceOf = (kind: ProviderKind, model: string) =>
      book.priceOf(kind, model, new Date(NOVEMBER))?.source;
    const manifest = new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    assert.equal(PACKAGE_SOURCE, `genai-prices@${version}`);
    assert.equal(sourceOf('openai', 'gpt-6-sol'), PACKAGE_SOURCE);
    assert.match(sourceOf('anthropic', 'claude-haiku-5-5') ?? '', /^mcplane@\d{4}-\d{2}-\d{2}$/);
    assert.equal(sourceOf('simulated', 'fast'), 'simulated');
    assert.equal(configuredPrice({ input: 1, output: 2 }).source, 'config');
  });
});

describe('money', () => {
  test('is read from decimals without an error of floats', () => {
    assert.equal(toNanoUsd(0.15), 150_000_000n);
    assert.equal(toNanoUsd('0.30'), 300_000_000n);
    assert.equal(toNanoUsd(0.1 + 0.2), 300_000_000n);
    assert.equal(toNanoUsd(3.125), 3_125_000_000n);
    assert.equal(toNanoUsd(1e-7), 100n);
    assert.equal(toNanoUsd(5e-10), 1n);
    assert.equal(toNanoUsd(4e-10), 0n);
    assert.equal(toNanoUsd(1e21), 10n ** 30n);
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, '', '1,5', '0x1'])
      assert.throws(() => toNanoUsd(wrong), RangeError, String(wrong));
  });

  const cents = fc.integer({ min: 0, max: 100_000 });
  const tokens = fc.integer({ min: 0, max: 2_000_000 });

  test('is charged as a calculation by hand would, rounded once per line', () => {
    fc.assert(
      fc.property(tokens, tokens, cents, cents, (inputTokens, outputTokens, inputMilli, outputMilli) => {
        // Prices in thousandths of a USD per million tokens: a token costs exactly `milli` nano-USD.
        const price = configuredPrice({ input: inputMilli / 1_000, output: outputMilli / 1_000 });
        const usage = {
          inputTokens,
          outputTokens,
          cachedInputTokens: 0,
          cacheWriteTokens: 0,
          estimated: false,
        };
        const byHand = inputTokens * inputMilli + outputTokens * outputMilli;
        assert.equal(costOf(usage, price), BigInt(byHand));
      }),
    );
  });

  test('rounds half up what is finer than a nano-dollar', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 0, max: 999_999 }),
        (count, micro) => {
          // Prices in millionths of a USD per million tokens: a token costs `micro` thousandths of a nano-USD.
          const price = configuredPrice({ input: Number(`0.${String(micro).padStart(6, '0')}`), output: 0 });
          const usage = {
            inputTokens: count,
            outputTokens: 0,
            cachedInputTokens: 0,
            cacheWriteTokens: 0,
            estimated: false,
          };
          assert.equal(costOf(usage, price), BigInt(Math.floor((count * micro + 500) / 1_000)));
        },
      ),
    );
  });

  test('never falls when tokens are added, at any known model', () => {
    const models = [
      ['openai', 'gpt-6-sol'],
      ['openai', 'gpt-5.6-terra'],
      ['anthropic', 'claude-haiku-5-5'],
      ['anthropic', 'claude-opus-5-5'],
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        tokens,
        tokens,
        tokens,
        ([kind, model], input, output, more) => {
          const price = book.priceOf(kind, model, new Date(NOVEMBER));
          const usage = {
            inputTokens: input,
            outputTokens: output,
            cachedInputTokens: 0,
            cacheWriteTokens: 0,
            estimated: false,
          };
          const cost = costOf(usage, price)!;
          assert.ok(costOf({ ...usage, inputTokens: input + more }, price)! >= cost);
          assert.ok(costOf({ ...usage, outputTokens: output + more }, price)! >= cost);
          assert.ok(costOf({ ...usage, cachedInputTokens: Math.min(more, input) }, price)! <= cost);
        },
      ),
    );
  });
});
