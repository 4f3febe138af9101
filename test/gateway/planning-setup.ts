// Planning over two deployments of one provider, with real breakers, health and catalog, and no calls.

import assert from 'node:assert/strict';
import { type Catalog, createCatalog } from '../../src/control/catalog.ts';
import { createPriceBook } from '../../src/control/prices.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { aSpec } from '../store/samples.ts';

const OPENAI = {
  id: 'openai',
  source: 'FILE',
  kind: 'openai',
  baseUrl: 'http://127.0.0.1:9',
  apiKey: 'unused',
  api: undefined,
  models: [{ model: 'first' }, { model: 'second' }],
  onlyModels: true,
  deadlines: {},
  explicit: true,
} as const;

export const SPEC = aSpec({ prompt: 'Hello' });

/** `openai/first` and `openai/second`. */
export function catalogOfTwo(clock: Clock): Catalog {
  const log = { debug() {}, info() {}, warn() {}, error() {} } as never;
  const createAdapter = () => assert.fail('nothing is called');
  return createCatalog({ providers: [OPENAI], prices: createPriceBook(), createAdapter, clock, log });
}
