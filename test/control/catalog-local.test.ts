// Local and simulated providers in the catalog, and the deadlines of deployments.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startUpstream } from '../support/upstream.ts';
import { models, never, only, openCatalog, settings, unusedPort } from './catalog-setup.ts';

describe('a local provider', () => {
  test('offers exactly what it lists, at no cost and with patience for a first token', async t => {
    const upstream = await startUpstream(t, {
      kind: 'ollama',
      models: [{ id: 'qwen3:8b', contextWindow: 40_960 }, { id: 'llama4:latest' }],
    });
    const catalog = openCatalog(t, [settings({ kind: 'ollama', baseUrl: upstream.url, apiKey: undefined })]);
    assert.deepEqual(models(catalog), []);
    await catalog.refresh(never);

    const [qwen, llama] = catalog.deployments();
    assert.deepEqual([qwen?.id, llama?.id], ['ollama/qwen3:8b', 'ollama/llama4:latest']);
    assert.deepEqual(llama?.aliases, ['llama4']);
    assert.equal(qwen?.local, true);
    assert.equal(qwen?.price?.source, 'local');
    assert.equal(qwen?.quality, 0.35);
    assert.equal(qwen?.deadlines.firstTokenMs, 60_000);
    assert.equal(only(catalog).local, true);
  });

  test('that is only looked for and not there offers nothing', async t => {
    const port = await unusedPort();
    const baseUrl = `http://127.0.0.1:${port}`;
    const catalog = openCatalog(t, [
      settings({ kind: 'lmstudio', baseUrl, apiKey: undefined, explicit: false }),
    ]);
    await catalog.refresh(never);

    assert.deepEqual(models(catalog), []);
    assert.equal(only(catalog).status, 'UNAVAILABLE');
    assert.equal(only(catalog).statusReason, `nothing answers at ${baseUrl}`);
  });

  test('that stops keeps what is configured and loses the rest', async t => {
    const upstream = await startUpstream(t, { kind: 'ollama', models: [{ id: 'qwen3:8b' }] });
    const catalog = openCatalog(t, [
      settings({
        kind: 'ollama',
        baseUrl: upstream.url,
        models: [{ model: 'mine:70b', contextWindow: 1_000 }],
      }),
    ]);
    await catalog.refresh(never);
    assert.deepEqual(models(catalog), ['mine:70b', 'qwen3:8b']);
    await upstream.close();
    await catalog.refresh(never);

    assert.deepEqual(models(catalog), ['mine:70b']);
    assert.equal(catalog.deployments()[0]?.capabilities.maxOutputTokens, 1_000);
  });

  test('without a model says how to get one', async t => {
    const upstream = await startUpstream(t, { kind: 'ollama', models: [] });
    const catalog = openCatalog(t, [settings({ kind: 'ollama', baseUrl: upstream.url })]);
    await catalog.refresh(never);

    assert.equal(only(catalog).status, 'DEGRADED');
    assert.match(only(catalog).statusReason ?? '', /ollama pull/);
  });
});

test('the simulated provider offers a choice of price, pace and place, all marked as simulated', async t => {
  const catalog = openCatalog(t, [settings({ kind: 'simulated', apiKey: undefined })]);
  await catalog.refresh(never);

  assert.equal(only(catalog).status, 'AVAILABLE');
  assert.equal(only(catalog).simulated, true);
  assert.deepEqual(
    catalog.deployments().map(({ id, local, simulated }) => ({ id, local, simulated })),
    [
      { id: 'simulated/fast', local: false, simulated: true },
      { id: 'simulated/smart', local: false, simulated: true },
      { id: 'simulated/local', local: true, simulated: true },
    ],
  );
});

describe('deadlines', () => {
  test('come from the model, then the provider, then the defaults', t => {
    const catalog = openCatalog(t, [
      settings({
        models: [{ model: 'mine', deadlines: { idleMs: 7 } }],
        deadlines: { idleMs: 6, connectMs: 5 },
        onlyModels: true,
      }),
    ]);
    const { connectMs, idleMs, totalMs } = catalog.deployments()[0]!.deadlines;
    assert.deepEqual({ connectMs, idleMs, totalMs }, { connectMs: 5, idleMs: 7, totalMs: 600_000 });
  });
});
