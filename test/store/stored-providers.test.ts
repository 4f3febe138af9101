// Providers that were made through the API, as the database keeps them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import type { EncryptedKey, StoredProvider } from '../../src/domain/stored-provider.ts';
import { onBothStores } from './both-stores.ts';

const KEY: EncryptedKey = { version: 1, masterKeyId: 'old', dataKey: 'ZGF0YQ==', ciphertext: 'a2V5' };

function provider(change: Partial<StoredProvider> = {}): StoredProvider {
  return {
    id: 'vllm',
    kind: 'openai',
    baseUrl: 'https://models.example.com/v1',
    settings: { models: [{ model: 'tiny', weight: 0.5 }], onlyModels: true },
    revision: newId(),
    keyVersion: 1,
    key: KEY,
    ...change,
  };
}

onBothStores(open => {
  describe('a stored provider', () => {
    test('is read as it was written', async t => {
      const { storedProviders } = (await open(t)).store;
      const keyless = provider({
        id: 'a',
        kind: 'ollama',
        baseUrl: undefined,
        keyVersion: 0,
        key: undefined,
      });
      const keyed = provider();
      assert.equal(await storedProviders.insert(keyed), true);
      assert.equal(await storedProviders.insert(keyless), true);

      assert.deepEqual(await storedProviders.byIds(['vllm', 'a', 'nobody']), [keyless, keyed]);
      assert.deepEqual(
        await storedProviders.revisions(),
        [keyless, keyed].map(({ id, revision }) => ({ id, revision })),
      );
      assert.deepEqual(await storedProviders.byIds([]), []);
    });

    test('does not take the id of another', async t => {
      const { storedProviders } = (await open(t)).store;
      const first = provider();
      await storedProviders.insert(first);

      assert.equal(await storedProviders.insert(provider({ kind: 'anthropic' })), false);
      assert.deepEqual(await storedProviders.byIds(['vllm']), [first]);
    });

    test('is replaced with its key, without it, or all but the key', async t => {
      const { storedProviders } = (await open(t)).store;
      await storedProviders.insert(provider());
      let [{ key: _, ...stored } = provider()] = await storedProviders.byIds(['vllm']);
      for (const [key, expected] of [
        ['keep', KEY],
        [
          { ...KEY, version: 2 },
          { ...KEY, version: 2 },
        ],
        [undefined, undefined],
        ['keep', undefined],
      ] as const) {
        const next = { ...stored, baseUrl: undefined, settings: {}, revision: newId(), keyVersion: 2 };
        assert.equal(await storedProviders.replace(next, key, stored.revision), true);
        assert.deepEqual(await storedProviders.byIds(['vllm']), [{ ...next, key: expected }]);
        stored = next;
      }
    });

    test('is not replaced by a change of what it was before', async t => {
      const { storedProviders } = (await open(t)).store;
      const first = provider();
      await storedProviders.insert(first);
      const second = provider({ settings: { models: [] } });
      await storedProviders.replace(second, undefined, first.revision);

      assert.equal(await storedProviders.replace(provider(), KEY, first.revision), false);
      assert.deepEqual(await storedProviders.byIds(['vllm']), [{ ...second, key: undefined }]);
    });

    test('takes its key along when it is deleted', async t => {
      const { storedProviders } = (await open(t)).store;
      await storedProviders.insert(provider());

      assert.equal(await storedProviders.delete('vllm'), true);
      assert.equal(await storedProviders.delete('vllm'), false);
      assert.deepEqual([await storedProviders.revisions(), await storedProviders.keys()], [[], []]);
    });
  });

  describe('a new envelope', () => {
    test('replaces the one it was made from, and only that', async t => {
      const { storedProviders } = (await open(t)).store;
      const before = provider();
      await storedProviders.insert(before);
      const rewrapped = { ...KEY, masterKeyId: 'new', dataKey: 'bmV3' };

      assert.equal(await storedProviders.rewrapKey('vllm', rewrapped, 'another'), false);
      assert.equal(await storedProviders.rewrapKey('vllm', { ...rewrapped, version: 2 }, 'old'), false);
      assert.equal(await storedProviders.rewrapKey('vllm', rewrapped, 'old'), true);
      assert.equal(await storedProviders.rewrapKey('vllm', rewrapped, 'old'), false);
      assert.deepEqual(await storedProviders.keys(), [{ providerId: 'vllm', key: rewrapped }]);
      // Nobody needs to read the provider anew for it.
      assert.deepEqual(await storedProviders.byIds(['vllm']), [{ ...before, key: rewrapped }]);
    });
  });
});
