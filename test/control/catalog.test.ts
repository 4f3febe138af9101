// What is offered, at which standing, learnt from real model lists over real sockets.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { ProviderSettings } from '../../src/control/catalog.ts';
import { createTestClock } from '../support/clock.ts';
import { startUpstream, status, type Upstream } from '../support/upstream.ts';
import { models, NOVEMBER, never, only, openCatalog, settings, unusedPort } from './catalog-setup.ts';

describe('the official OpenAI endpoint', () => {
  const listing = (t: TestContext, ...ids: string[]) => startUpstream(t, { models: ids.map(id => ({ id })) });
  const official = (t: TestContext, upstream: Upstream, overrides: Partial<ProviderSettings> = {}) =>
    openCatalog(t, [settings(overrides)], { officialUrl: `${upstream.url}/v1` });

  test('offers those of its models that are for chat and known', async t => {
    const upstream = await listing(
      t,
      'gpt-6-sol',
      'gpt-6-luna',
      'gpt-5.5-pro',
      'text-embedding-3-small',
      'gpt-realtime',
      'gpt-99-unheard-of',
    );
    const catalog = official(t, upstream);
    await catalog.refresh(never);

    assert.deepEqual(models(catalog), ['gpt-6-sol', 'gpt-6-luna']);
    assert.equal(only(catalog).status, 'AVAILABLE');
    assert.equal(only(catalog).statusReason, undefined);
    assert.deepEqual(only(catalog).checkedAt, new Date(NOVEMBER));
    assert.equal(upstream.modelCalls.length, 0);
  });

  test('offers a model once, under its plain name where it has one', async t => {
    const upstream = await listing(t, 'gpt-5.5-2026-04-23', 'gpt-5.5', 'gpt-5.4-2026-03-05');
    const catalog = official(t, upstream);
    await catalog.refresh(never);

    assert.deepEqual(models(catalog), ['gpt-5.5', 'gpt-5.4-2026-03-05']);
    const dated = catalog.deployment('openai/gpt-5.4-2026-03-05');
    assert.deepEqual(dated?.aliases, ['gpt-5.4']);
    assert.equal(dated?.capabilities.contextWindow, 1_050_000);
    assert.equal(dated?.price?.input[0]?.nanoUsdPerMillion, 2_500_000_000n);
  });

  test('offers what is configured though it is not listed, and with onlyModels nothing else', async t => {
    const upstream = await listing(t, 'gpt-6-sol');
    const own = [{ model: 'ft:mine', aliases: ['mine'], price: { input: 1.5, output: 3 } }];
    const both = official(t, upstream, { models: own });
    const strict = official(t, upstream, { models: own, onlyModels: true });
    await Promise.all([both.refresh(never), strict.refresh(never)]);

    assert.deepEqual(models(both), ['ft:mine', 'gpt-6-sol']);
    assert.deepEqual(models(strict), ['ft:mine']);
    const mine = strict.deployment('openai/ft:mine');
    assert.deepEqual(mine?.aliases, ['mine']);
    assert.equal(mine?.price?.source, 'config');
    assert.equal(mine?.price?.input[0]?.nanoUsdPerMillion, 1_500_000_000n);
  });

  test('offers a small current set as long as its list cannot be had', async t => {
    const upstream = await listing(t);
    upstream.answerPath('/v1/models', status(500));
    const catalog = official(t, upstream);
    const standard = ['gpt-6-sol', 'gpt-6-luna', 'gpt-5.6-terra'];

    assert.deepEqual(models(catalog), standard);
    assert.equal(only(catalog).status, 'UNKNOWN');
    await catalog.refresh(never);
    assert.deepEqual(models(catalog), standard);
    assert.equal(only(catalog).status, 'DEGRADED');
    assert.equal(only(catalog).statusReason, 'its model list failed: server (500)');
  });

  test('is misconfigured with a refused key, and without one is not even asked', async t => {
    const upstream = await listing(t, 'gpt-6-sol');
    upstream.answerPath('/v1/models', status(401));
    const refused = official(t, upstream);
    const keyless = official(t, upstream, { apiKey: undefined });
    await refused.refresh(never);
    await keyless.refresh(never);

    assert.equal(only(refused).status, 'MISCONFIGURED');
    assert.equal(only(refused).statusReason, 'the key was refused (401)');
    assert.equal(only(keyless).status, 'MISCONFIGURED');
    assert.equal(only(keyless).statusReason, 'no API key is set');
    assert.equal(upstream.requests.length, 1);
  });
});

test('the official Anthropic endpoint tells sizes, and they count more than our data', async t => {
  const upstream = await startUpstream(t, {
    kind: 'anthropic',
    models: [
      { id: 'claude-opus-5-5', contextWindow: 2_000_000, maxOutputTokens: 256_000 },
      { id: 'claude-haiku-4-5-20251001' },
    ],
  });
  const catalog = openCatalog(t, [settings({ kind: 'anthropic' })], { officialUrl: upstream.url });
  await catalog.refresh(never);

  assert.deepEqual(models(catalog), ['claude-opus-5-5', 'claude-haiku-4-5-20251001']);
  const [opus, haiku] = catalog.deployments();
  assert.deepEqual(opus?.capabilities, {
    contextWindow: 2_000_000,
    maxOutputTokens: 256_000,
    assistantPrefill: false,
    customTemperature: false,
    structuredOutput: true,
  });
  assert.deepEqual(haiku?.aliases, ['claude-haiku-4-5']);
  assert.deepEqual(haiku?.capabilities, {
    contextWindow: 200_000,
    maxOutputTokens: 64_000,
    assistantPrefill: true,
    customTemperature: true,
    structuredOutput: true,
  });
});

describe('another base URL', () => {
  test('offers what its list says, known or not, but for embeddings and the like', async t => {
    const ids = ['gpt-6-sol', 'meta/llama-4-70b', 'nomic-embed-text', 'bge-m3'];
    const upstream = await startUpstream(t, { models: ids.map(id => ({ id })) });
    const catalog = openCatalog(t, [settings({ id: 'proxy', baseUrl: `${upstream.url}/v1` })]);
    await catalog.refresh(never);

    assert.deepEqual(
      catalog.deployments().map(deployment => deployment.id),
      ['proxy/gpt-6-sol', 'proxy/meta/llama-4-70b'],
    );
    const unknown = catalog.deployment('proxy/meta/llama-4-70b');
    assert.equal(unknown?.price, undefined);
    assert.equal(unknown?.capabilities.contextWindow, 32_768);
    assert.equal(unknown?.quality, 0.62);
  });

  test('offers the configured names when it has no list, and is available', async t => {
    const upstream = await startUpstream(t);
    const baseUrl = `${upstream.url}/v1`;
    for (const code of [404, 400]) {
      upstream.answerPath('/v1/models', status(code));
      const configured = openCatalog(t, [settings({ baseUrl, models: [{ model: 'mine' }] })]);
      const bare = openCatalog(t, [settings({ baseUrl })]);
      await Promise.all([configured.refresh(never), bare.refresh(never)]);

      assert.deepEqual(models(configured), ['mine']);
      assert.equal(only(configured).status, 'AVAILABLE');
      assert.deepEqual(models(bare), ['gpt-6-sol', 'gpt-6-luna', 'gpt-5.6-terra']);
    }
  });

  test('keeps what it listed when it fails to list again', async t => {
    const upstream = await startUpstream(t, { models: [{ id: 'alpha' }, { id: 'beta' }] });
    const catalog = openCatalog(t, [settings({ baseUrl: `${upstream.url}/v1` })]);
    await catalog.refresh(never);
    upstream.answerPath('/v1/models', status(503));
    await catalog.refresh(never);

    assert.deepEqual(models(catalog), ['alpha', 'beta']);
    assert.equal(only(catalog).status, 'DEGRADED');
  });

  test('is unavailable where nothing listens, and its reason tells no secret', async t => {
    const port = await unusedPort();
    const catalog = openCatalog(t, [settings({ baseUrl: `http://name:secret@127.0.0.1:${port}/v1` })]);
    await catalog.refresh(never);

    assert.equal(only(catalog).status, 'UNAVAILABLE');
    assert.equal(only(catalog).statusReason, `nothing answers at http://127.0.0.1:${port}`);
  });

  test('that never answers is given up after three seconds and left to its breakers', async t => {
    const silent = createServer().listen(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const clock = createTestClock(NOVEMBER);
    const catalog = openCatalog(t, [settings({ baseUrl: `http://127.0.0.1:${port}/v1` })], { clock });
    const connected = once(silent, 'connection');
    const refreshing = catalog.refresh(never);
    const [socket] = await connected;
    t.after(() => socket.destroy());
    clock.advance(3_000);
    await refreshing;

    assert.equal(only(catalog).status, 'DEGRADED');
    assert.equal(only(catalog).statusReason, 'its model list did not come within 3 s');
  });
});
