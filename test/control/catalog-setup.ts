// Catalogs over real adapters and sockets, with a clock that stands still.

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { type Catalog, createCatalog, type ProviderSettings } from '../../src/control/catalog.ts';
import { createPriceBook } from '../../src/control/prices.ts';
import type { Provider } from '../../src/domain/model.ts';
import { loadAdapters } from '../../src/providers/registry.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';

export const createAdapter = await loadAdapters(['openai', 'anthropic', 'ollama', 'lmstudio', 'simulated'], {
  simulatedDelayFactor: 0,
});
export const never = new AbortController().signal;
export const NOVEMBER = Date.parse('2026-11-22T00:00:00Z');

export function settings(overrides: Partial<ProviderSettings>): ProviderSettings {
  return {
    id: overrides.kind ?? 'openai',
    source: 'FILE',
    kind: 'openai',
    baseUrl: undefined,
    apiKey: 'sk-secret',
    api: undefined,
    models: [],
    onlyModels: false,
    deadlines: {},
    explicit: true,
    ...overrides,
  };
}

interface Options {
  readonly clock?: TestClock;
  /** Where the official endpoints are in this test. */
  readonly officialUrl?: string;
}

export function openCatalog(t: TestContext, providers: ProviderSettings[], options: Options = {}): Catalog {
  const catalog = createCatalog({
    providers,
    prices: createPriceBook(),
    createAdapter: own => createAdapter({ ...own, baseUrl: own.baseUrl ?? options.officialUrl }),
    clock: options.clock ?? createTestClock(NOVEMBER),
    log: createLog({ level: 'silent', pretty: false }),
  });
  t.after(() => catalog.close());
  return catalog;
}

export const only = (catalog: Catalog): Provider => catalog.providers()[0]!;
export const models = (catalog: Catalog): string[] =>
  catalog.deployments().map(deployment => deployment.model);

export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
