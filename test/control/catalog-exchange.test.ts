// Providers that come, change and go while the server runs, and calls that are under way meanwhile.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ProviderSettings } from '../../src/control/catalog.ts';
import type { Provider } from '../../src/domain/model.ts';
import type { ProviderEvent } from '../../src/providers/provider.ts';
import { createTestClock } from '../support/clock.ts';
import { NEVER, providerCall } from '../support/provider-calls.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';
import { createAdapter, models, openCatalog, settings } from './catalog-setup.ts';

async function start(t: TestContext) {
  const upstream = await startUpstream(t, { models: [{ id: 'alpha' }, { id: 'beta' }] });
  const clock = createTestClock();
  const fixed = settings({
    id: 'fixed',
    baseUrl: 'http://127.0.0.1:9',
    models: [{ model: 'm' }],
    onlyModels: true,
  });
  const catalog = openCatalog(t, [fixed], { clock });
  const told: Provider[] = [];
  catalog.onChange(provider => told.push(provider));
  const stored = (change: Partial<ProviderSettings> = {}) =>
    settings({ id: 'vllm', source: 'STORED', baseUrl: `${upstream.url}/v1`, ...change });
  const put = (change?: Partial<ProviderSettings>) => catalog.put(stored(change), createAdapter);
  /** Begins a call of a deployment, and resolves when its first token is there. */
  async function call(deploymentId: string) {
    const adapter = catalog.adapterOf(catalog.deployment(deploymentId)!);
    const first = Promise.withResolvers<void>();
    const events: ProviderEvent[] = [];
    const ended = adapter.stream(providerCall({ model: 'alpha' }), NEVER, event => {
      events.push(event);
      if (event.type === 'token') first.resolve();
    });
    await Promise.race([first.promise, ended]);
    const finish = async () => {
      await ended;
      return events.map(event => (event.type === 'token' ? event.text : '')).join('');
    };
    return { adapter, finish };
  }
  return { upstream, clock, catalog, told, put, call };
}

/** Lets promises settle that wait for nothing but each other. */
const settled = () => new Promise(resolve => setImmediate(resolve));

describe('a provider that is put into the catalog', () => {
  test('is there with its own list, and everybody is told', async t => {
    const { catalog, told, put } = await start(t);
    await put({ apiKey: 'sk-0123456789abcdefWXYZ' });

    assert.deepEqual(models(catalog), ['m', 'alpha', 'beta']);
    const vllm = catalog.providers()[1]!;
    const { id, source, keyHint, status, local } = vllm;
    assert.deepEqual(
      { id, source, keyHint, status, local },
      { id: 'vllm', source: 'STORED', keyHint: '…WXYZ', status: 'AVAILABLE', local: false },
    );
    assert.deepEqual(told, [vllm]);
  });

  test('is on own hardware when it says so', async t => {
    const { catalog, put } = await start(t);
    await put({ local: true });

    assert.equal(catalog.providers()[1]?.local, true);
    const alpha = catalog.deployment('vllm/alpha');
    assert.deepEqual([alpha?.local, alpha?.deadlines.firstTokenMs], [true, 60_000]);
  });

  test('offers nothing and is not asked while it has a defect', async t => {
    const { catalog, put, upstream } = await start(t);
    await put({ defect: 'its key is lost', models: [{ model: 'alpha' }] });

    const { status, statusReason, deployments } = catalog.providers()[1]!;
    assert.deepEqual(
      { status, statusReason, deployments },
      {
        status: 'MISCONFIGURED',
        statusReason: 'its key is lost',
        deployments: [],
      },
    );
    assert.equal(upstream.connections, 0);
  });

  test('says when its address is one that is not connected to', async t => {
    const { catalog, upstream, put } = await start(t);
    const guarded = (own: ProviderSettings) => createAdapter({ ...own, addresses: { allowPrivate: false } });
    await put({ models: [{ model: 'alpha' }] });
    await catalog.put({ ...settings({ id: 'vllm', source: 'STORED', baseUrl: upstream.url }) }, guarded);

    const { status, statusReason } = catalog.providers()[1]!;
    assert.equal(status, 'MISCONFIGURED');
    assert.equal(
      statusReason,
      `${upstream.url}: it leads to a loopback address, where no connection is made`,
    );
  });
});

describe('a provider that is replaced', () => {
  test('serves until the new one has been asked', async t => {
    const { catalog, put, upstream } = await start(t);
    await put();
    const go = Promise.withResolvers<void>();
    upstream.answerPath('/v1/models', {
      headers: { 'content-type': 'application/json' },
      steps: [gate(go.promise)],
    });
    const replacing = put({ models: [{ model: 'gamma' }], onlyModels: true });
    await upstream.nextRequest();
    await upstream.nextRequest();
    assert.deepEqual(models(catalog), ['m', 'alpha', 'beta']);

    upstream.answerPath('/v1/models', undefined);
    go.resolve();
    await replacing;
    assert.deepEqual(models(catalog), ['m', 'gamma']);
  });

  test('finishes its calls with what it was, and lets go of its connections then', async t => {
    const { catalog, clock, put, call, upstream } = await start(t);
    await put({ apiKey: 'sk-before' });
    const go = Promise.withResolvers<void>();
    upstream.enqueue([text('before '), gate(go.promise), text('and after')]);
    const running = await call('vllm/alpha');
    await put({ apiKey: 'sk-after' });
    clock.advance(60_000);
    await settled();

    const next = await call('vllm/alpha');
    await next.finish();
    go.resolve();
    assert.equal(await running.finish(), 'before and after');
    assert.deepEqual(
      upstream.modelCalls.map(({ headers }) => headers.authorization),
      ['Bearer sk-before', 'Bearer sk-after'],
    );
    assert.notEqual(running.adapter, next.adapter);
    assert.equal(catalog.adapterOf(catalog.deployment('vllm/alpha')!), next.adapter);
    await upstream.modelCalls[0]!.closed;
  });
});

describe('a provider that is removed', () => {
  test('is gone at once, and everybody is told', async t => {
    const { catalog, told, put } = await start(t);
    await put();
    catalog.remove('vllm');
    catalog.remove('nobody');

    assert.deepEqual(models(catalog), ['m']);
    assert.deepEqual(
      catalog.providers().map(({ id }) => id),
      ['fixed'],
    );
    const { id, status, statusReason, deployments } = told.at(-1)!;
    assert.deepEqual([id, status, statusReason, deployments], ['vllm', 'UNAVAILABLE', 'it was deleted', []]);
    assert.equal(told.length, 2);
  });

  test('is asked no more, even while a call is under way', async t => {
    const { catalog, clock, put, call, upstream } = await start(t);
    await put();
    const go = Promise.withResolvers<void>();
    upstream.enqueue([text('still here'), gate(go.promise)]);
    const running = await call('vllm/alpha');
    catalog.remove('vllm');
    clock.advance(60_000);
    // Whatever was asked at that moment arrives before this.
    await running.adapter.stream(providerCall(), NEVER, () => {});
    go.resolve();
    await running.finish();
    assert.deepEqual(
      upstream.requests.map(({ path }) => path),
      ['/v1/models', '/v1/chat/completions', '/v1/chat/completions'],
    );
  });

  test('finishes its calls, also one for which it was chosen a moment before', async t => {
    const { catalog, clock, put, call, upstream } = await start(t);
    await put();
    const go = Promise.withResolvers<void>();
    upstream.enqueue([text('still '), gate(go.promise), text('here')], [text('just in time')]);
    const running = await call('vllm/alpha');
    const chosen = catalog.deployment('vllm/alpha')!;
    catalog.remove('vllm');
    const late: string[] = [];
    await catalog.adapterOf(chosen).stream(providerCall(), NEVER, event => {
      if (event.type === 'token') late.push(event.text);
    });
    assert.equal(late.join(''), 'just in time');

    clock.advance(1_000);
    await settled();
    go.resolve();
    assert.equal(await running.finish(), 'still here');
    await upstream.modelCalls[0]!.closed;
    await settled();
    assert.throws(() => catalog.adapterOf(chosen), /There is no provider vllm/);
  });
});

test('closing the catalog ends what was replaced as well', async t => {
  const { catalog, put, call, upstream } = await start(t);
  await put();
  upstream.enqueue([text('never '), gate(new Promise<never>(() => {}))]);
  const running = await call('vllm/alpha');
  catalog.remove('vllm');
  await catalog.close();
  await assert.rejects(running.finish());
  await put();
  assert.deepEqual(models(catalog), ['m']);
});
