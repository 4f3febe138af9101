// What `mcplane doctor` says of the keys of stored providers: whether the next start can decrypt them, by ids alone.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkStoredKeys } from '../../src/cli/doctor-keys.ts';
import { loadConfig } from '../../src/config.ts';
import { createMasterKeys } from '../../src/control/master-keys.ts';
import { newId } from '../../src/domain/ids.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { openTestStore } from '../support/database.ts';
import { temporaryDirectory } from '../support/server-process.ts';

const SECRET = 'x3Vq8mZt1LrKc0PwYb7NfHs5DgJu9EaQ';
const OTHER = 'G7uTz2Wk9QxRb4MnVc1LpYh8Dj6SaFe0';
const KEY = 'sk-of-a-provider-0123456789';
const ID = createMasterKeys(SECRET).currentId;
const OTHER_ID = createMasterKeys(OTHER).currentId;

async function add({ storedProviders }: Store, id: string, secret: string, place = id): Promise<void> {
  const origin = 'https://models.example.com';
  await storedProviders.insert({
    id,
    kind: 'openai',
    baseUrl: `${origin}/v1`,
    settings: {},
    revision: newId(),
    keyVersion: 1,
    key: createMasterKeys(secret).encrypt(KEY, 1, { providerId: place, origin }),
  });
}

async function start(t: TestContext) {
  const store = await openTestStore(t);
  const dataDir = temporaryDirectory(t);
  const look = async (env: Record<string, string> = {}) => {
    const { config } = loadConfig({ MCPLANE_DATA_DIR: dataDir, ...env });
    const { state, detail } = await checkStoredKeys(config, store);
    for (const secret of [SECRET, OTHER, KEY]) assert.ok(!detail.includes(secret));
    return `${state}: ${detail}`;
  };
  return { store, dataDir, look };
}

test('nothing is said against a server that has stored no keys, and no secret is made for it', async t => {
  const { look, dataDir } = await start(t);

  assert.equal(await look(), 'ok: none are stored');
  assert.ok(!existsSync(join(dataDir, 'secret-key')));
});

test('a secret that is missing is missed, and which one', async t => {
  const { look, store, dataDir } = await start(t);
  await add(store, 'vllm', SECRET);
  await add(store, 'tgi', SECRET);

  assert.equal(
    await look(),
    `failed: MCPLANE_SECRET_KEY is not set, and the keys of tgi, vllm are encrypted under the master key ${ID}: set it to what it was when they were stored`,
  );
  assert.ok(!existsSync(join(dataDir, 'secret-key')), 'looking makes none');
  assert.equal(
    await look({ MCPLANE_SECRET_KEY: SECRET }),
    `ok: MCPLANE_SECRET_KEY (the master key ${ID}) decrypts all 2`,
  );
});

test('a secret that is another one is told from the right one', async t => {
  const { look, store } = await start(t);
  await add(store, 'vllm', SECRET);

  assert.equal(
    await look({ MCPLANE_SECRET_KEY: OTHER }),
    `failed: MCPLANE_SECRET_KEY is the master key ${OTHER_ID}, but the keys of vllm are encrypted under ${ID}: set MCPLANE_SECRET_KEY, or MCPLANE_SECRET_KEY_PREVIOUS, to what it was when they were stored`,
  );
  assert.equal(
    await look({ MCPLANE_SECRET_KEY: OTHER, MCPLANE_SECRET_KEY_PREVIOUS: SECRET }),
    'warning: the keys of vllm are still under MCPLANE_SECRET_KEY_PREVIOUS: run `mcplane secrets rotate`',
  );
});

test('a key that was moved to another provider is found', async t => {
  const { look, store } = await start(t);
  await add(store, 'vllm', SECRET, 'tgi');

  assert.equal(
    await look({ MCPLANE_SECRET_KEY: SECRET }),
    'failed: the stored keys of vllm were changed: give these providers new ones',
  );
});

test('the command says so, and fails', async t => {
  const dataDir = temporaryDirectory(t);
  const store = await openStore({ url: undefined, dataDir, log: () => {} });
  await add(store, 'vllm', SECRET);
  await store.close();

  const { promise, resolve } = Promise.withResolvers<{ failed: boolean; stdout: string }>();
  const env = { PATH: process.env.PATH, MCPLANE_DATA_DIR: dataDir, MCPLANE_SECRET_KEY: OTHER, PORT: '0' };
  const args = ['src/cli/mcplane.js', 'doctor', '--json'];
  execFile(process.execPath, args, { env }, (error, stdout) => resolve({ failed: error !== null, stdout }));
  const { failed, stdout } = await promise;

  assert.ok(failed);
  const finding = JSON.parse(stdout).find(({ check }: { check: string }) => check === 'provider keys');
  assert.equal(finding.state, 'failed');
  assert.match(finding.detail, new RegExp(`but the keys of vllm are encrypted under ${ID}`));
});
