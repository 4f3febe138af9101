// What asking a provider for its models leaves behind: it is asked every few seconds for as long as the server runs.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import type { ProviderSettings } from '../../src/control/catalog.ts';
import { discover } from '../../src/control/discovery.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { DiscoveredModel, ProviderAdapter } from '../../src/providers/provider.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';

const OLLAMA = { id: 'ollama', kind: 'ollama', baseUrl: 'http://127.0.0.1:11434' } as ProviderSettings;

/** Asks for a list that comes about like this; resolves with the signal that the call was given. */
async function signalOf(list: (signal: AbortSignal) => Promise<DiscoveredModel[]>, signal: AbortSignal) {
  let given: AbortSignal | undefined;
  const listModels = (either: AbortSignal) => {
    given = either;
    return list(either);
  };
  await discover(OLLAMA, () => ({ listModels }) as unknown as ProviderAdapter, systemClock, signal);
  return given!;
}

describe('nobody listens any more to the signal of a call', () => {
  test('that brought a list', async () => {
    const signal = await signalOf(async () => [], new AbortController().signal);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  test('that failed', async () => {
    const refused = async () => {
      throw new ProviderError('connection', 'refused');
    };
    const signal = await signalOf(refused, new AbortController().signal);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  test('that was broken off and does not heed it', async () => {
    const controller = new AbortController();
    const never = () => {
      setImmediate(() => controller.abort());
      return new Promise<never>(() => {});
    };
    const signal = await signalOf(never, controller.signal);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });
});
