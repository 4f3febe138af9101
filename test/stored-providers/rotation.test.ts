// A new master key: what `mcplane secrets rotate` does, while servers run, twice, and after it was interrupted.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { rewrapKeys } from '../../src/control/key-rotation.ts';
import { createMasterKeys } from '../../src/control/master-keys.ts';
import { newId } from '../../src/domain/ids.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { startTestApp } from '../support/app.ts';
import { openTestStore, postgresMissing, postgresTestUrl } from '../support/database.ts';
import { temporaryDirectory } from '../support/server-process.ts';
import { answerOf, KEY, start } from './setup.ts';

const OLD = 'x3Vq8mZt1LrKc0PwYb7NfHs5DgJu9EaQ';
const NEW = 'G7uTz2Wk9QxRb4MnVc1LpYh8Dj6SaFe0';
const PLACE = { origin: 'https://models.example.com' };
const skip = await postgresMissing();

/** A store with keys of these providers, all under the old master key. */
async function storeWith(t: TestContext, ...ids: string[]): Promise<Store> {
  const store = await openTestStore(t);
  const old = createMasterKeys(OLD);
  for (const id of ids) await add(store, id, old);
  return store;
}

async function add(store: Store, id: string, keys = createMasterKeys(NEW)): Promise<void> {
  await store.storedProviders.insert({
    id,
    kind: 'openai',
    baseUrl: `${PLACE.origin}/v1`,
    settings: {},
    revision: newId(),
    keyVersion: 1,
    key: keys.encrypt(`key of ${id}`, 1, { providerId: id, ...PLACE }),
  });
}

async function decrypted({ storedProviders }: Store, keys = createMasterKeys(NEW)): Promise<string[]> {
  const stored = await storedProviders.keys();
  return stored.map(({ providerId, key }) => keys.decrypt(key, { providerId, ...PLACE }));
}

async function auditOf({ audit }: Store) {
  const { rows } = await audit.page({}, { first: 100 });
  return rows.map(({ action, subject, data }) => ({ action, subject, data })).reverse();
}

describe('a rotation', () => {
  const keys = createMasterKeys(NEW, OLD);

  test('takes every key over, and each is in the audit log', async t => {
    const store = await storeWith(t, 'a', 'b');
    await add(store, 'c');

    assert.deepEqual(await rewrapKeys({ store, keys, clock }), {
      rewrapped: ['a', 'b'],
      unchanged: ['c'],
      failed: [],
    });
    assert.deepEqual(await decrypted(store), ['key of a', 'key of b', 'key of c']);
    const data = { keyVersion: 1, from: createMasterKeys(OLD).currentId, to: keys.currentId };
    assert.deepEqual(await auditOf(store), [
      { action: 'providerKey.rewrap', subject: 'a', data },
      { action: 'providerKey.rewrap', subject: 'b', data },
    ]);
  });

  test('that is run again does nothing', async t => {
    const store = await storeWith(t, 'a');
    await rewrapKeys({ store, keys, clock });
    const before = [await store.storedProviders.keys(), await auditOf(store)];

    assert.deepEqual(await rewrapKeys({ store, keys, clock }), {
      rewrapped: [],
      unchanged: ['a'],
      failed: [],
    });
    assert.deepEqual([await store.storedProviders.keys(), await auditOf(store)], before);
  });

  test('that was interrupted goes on where it was', async t => {
    const store = await storeWith(t, 'a', 'b', 'c');
    let left = 1;
    const failing: Store = {
      ...store,
      transaction(work) {
        left -= 1;
        if (left < 0) throw new Error('the power went out');
        return store.transaction(work);
      },
    };
    await assert.rejects(rewrapKeys({ store: failing, keys, clock }), /power/);
    assert.equal((await auditOf(store)).length, 1);
    assert.deepEqual(await decrypted(store, keys), ['key of a', 'key of b', 'key of c']);

    const { rewrapped, unchanged } = await rewrapKeys({ store, keys, clock });
    assert.deepEqual([rewrapped, unchanged], [['b', 'c'], ['a']]);
    assert.equal((await auditOf(store)).length, 3);
  });

  test('leaves a key alone that a server stores meanwhile, and takes it over in another round', async t => {
    const store = await storeWith(t, 'a');
    const [before] = await store.storedProviders.byIds(['a']);
    let isFirst = true;
    const racing: Store = {
      ...store,
      async transaction(work) {
        if (isFirst) {
          isFirst = false;
          const key = createMasterKeys(OLD).encrypt('a newer key', 2, { providerId: 'a', ...PLACE });
          const { key: _, ...provider } = before!;
          await store.storedProviders.replace(
            { ...provider, keyVersion: 2, revision: newId() },
            key,
            provider.revision,
          );
        }
        return store.transaction(work);
      },
    };
    const { rewrapped } = await rewrapKeys({ store: racing, keys, clock });
    assert.deepEqual(rewrapped, ['a']);
    assert.deepEqual(await decrypted(store), ['a newer key']);
    assert.equal((await auditOf(store)).length, 1);
  });

  test('names the keys that neither secret decrypts, and takes the others over', async t => {
    const store = await storeWith(t, 'a', 'b');
    await add(store, 'stranger', createMasterKeys('another secret altogether'));

    const { rewrapped, failed } = await rewrapKeys({ store, keys, clock });
    assert.deepEqual([rewrapped, failed], [['a', 'b'], ['stranger']]);
  });
});

test('the command rotates while a server runs, and the old secret is not needed any more', {
  skip,
}, async t => {
  const url = await postgresTestUrl(t);
  const dataDir = temporaryDirectory(t);
  const open = () => openStore({ url, dataDir, log: () => {} });
  const env = { MCPLANE_SECRET_KEY: OLD, DATABASE_URL: url };
  const first = await start(t, env, open);
  await first.create();
  await first.app.close(0);

  const second = await start(t, { ...env, MCPLANE_SECRET_KEY: NEW, MCPLANE_SECRET_KEY_PREVIOUS: OLD }, open);
  const rotate = async (previous: Record<string, string>, ...args: string[]) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['src/cli/mcplane.js', 'secrets', 'rotate', ...args],
      {
        env: {
          PATH: process.env.PATH,
          MCPLANE_DATA_DIR: dataDir,
          ...env,
          MCPLANE_SECRET_KEY: NEW,
          ...previous,
        },
      },
    );
    return stdout;
  };
  assert.equal(
    await rotate({ MCPLANE_SECRET_KEY_PREVIOUS: OLD }),
    'Encrypted anew: vllm. Were so already: none.\nMCPLANE_SECRET_KEY_PREVIOUS is not needed any more.\n',
  );
  assert.deepEqual(JSON.parse(await rotate({}, '--json')), {
    masterKeyId: createMasterKeys(NEW).currentId,
    rewrapped: [],
    unchanged: ['vllm'],
    failed: [],
  });
  assert.equal(await answerOf(second, 'vllm/alpha'), 'echo: Hello');
  await second.update({ local: true });
  await second.app.close(0);

  const third = await start(t, { ...env, MCPLANE_SECRET_KEY: NEW }, open);
  assert.equal(await answerOf(third, 'vllm/alpha'), 'echo: Hello');
  assert.equal(first.upstream.modelCalls.at(-1)?.headers.authorization, `Bearer ${KEY}`);
  await third.app.close(0);
  await assert.rejects(startTestApp(t, env, open), /MCPLANE_SECRET_KEY is not the one that encrypted/);
});
