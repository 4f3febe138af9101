// How the catalog follows its providers over time: refreshes by itself, faults seen in traffic, and who is told.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ProviderSettings } from '../../src/control/catalog.ts';
import type { Provider } from '../../src/domain/model.ts';
import { createTestClock } from '../support/clock.ts';
import { startUpstream, status } from '../support/upstream.ts';
import { never, openCatalog, settings } from './catalog-setup.ts';

/** A catalog over one provider whose list the test changes, with everything that its listener was told. */
async function follow(t: TestContext, overrides: Partial<ProviderSettings> = {}, startMs?: number) {
  const upstream = await startUpstream(t);
  const clock = createTestClock(startMs);
  const baseUrl = overrides.kind === 'ollama' ? upstream.url : `${upstream.url}/v1`;
  const catalog = openCatalog(t, [settings({ id: 'proxy', baseUrl, ...overrides })], { clock });
  const told: Provider[] = [];
  let wake = Promise.withResolvers<void>();
  catalog.onChange(changed => {
    told.push(changed);
    wake.resolve();
    wake = Promise.withResolvers();
  });
  const list = (...ids: string[]) =>
    upstream.answerPath('/v1/models', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ data: ids.map(id => ({ id })) }),
    });
  return { upstream, clock, catalog, told, list, changed: () => wake.promise };
}

const models = (provider: Provider | undefined) => provider?.deployments.map(deployment => deployment.model);

describe('a listener', () => {
  test('is told of real changes only', async t => {
    const { catalog, told, list, clock } = await follow(t);
    list('alpha', 'beta');
    await catalog.refresh(never);
    clock.advance(1_000);
    await catalog.refresh(never);
    assert.equal(told.length, 1);
    assert.deepEqual(models(told[0]), ['alpha', 'beta']);

    list('alpha');
    await catalog.refresh(never);
    assert.equal(told.length, 2);
    assert.deepEqual(models(told[1]), ['alpha']);
    assert.equal(catalog.deployment('proxy/beta'), undefined);
  });

  test('sees the new state in the catalog, and hears nothing after it left', async t => {
    const { catalog, list } = await follow(t);
    const seen: number[] = [];
    const leave = catalog.onChange(() => seen.push(catalog.deployments().length));
    list('alpha');
    await catalog.refresh(never);
    leave();
    list('alpha', 'beta');
    await catalog.refresh(never);
    assert.deepEqual(seen, [1]);
  });

  test('that throws disturbs neither the refresh nor the others', async t => {
    const { catalog, list } = await follow(t);
    let later = 0;
    catalog.onChange(() => {
      throw new Error('broken listener');
    });
    catalog.onChange(() => {
      later += 1;
    });
    list('alpha');
    await catalog.refresh(never);
    assert.equal(later, 1);
  });
});

describe('the catalog by itself', () => {
  test('asks a remote provider again after a minute', async t => {
    const { catalog, list, clock, changed, upstream } = await follow(t);
    list('alpha');
    await catalog.refresh(never);
    list('beta');
    clock.advance(59_999);
    assert.equal(upstream.requests.length, 1);
    const change = changed();
    clock.advance(1);
    await change;
    assert.deepEqual(models(catalog.providers()[0]), ['beta']);
  });

  test('asks one that is not there again after a quarter of it', async t => {
    const { catalog, list, clock, changed, told, upstream } = await follow(t);
    upstream.answerPath('/v1/models', { before: 'reset' });
    await catalog.refresh(never);
    assert.equal(told.at(-1)?.status, 'UNAVAILABLE');
    list('alpha');
    const change = changed();
    clock.advance(15_000);
    await change;
    assert.equal(told.at(-1)?.status, 'AVAILABLE');
  });

  test('stops asking when it is closed', async t => {
    const { catalog, list, clock, upstream } = await follow(t);
    list('alpha');
    await catalog.refresh(never);
    await catalog.close();
    clock.advance(600_000);
    await catalog.refresh(never);
    assert.equal(upstream.requests.length, 1);
  });

  test('joins refreshes that are asked for at the same time', async t => {
    const { catalog, list, upstream } = await follow(t);
    list('alpha');
    await Promise.all([catalog.refresh(never), catalog.refresh(never)]);
    assert.equal(upstream.requests.length, 1);
  });

  test('leaves everything as it was when a refresh is aborted', async t => {
    const { catalog, told } = await follow(t);
    await catalog.refresh(AbortSignal.abort());
    assert.deepEqual(told, []);
    assert.equal(catalog.providers()[0]?.status, 'UNKNOWN');
  });

  test('takes over a price on the day it changes', async t => {
    const eve = Date.parse('2026-08-20T23:59:30Z');
    const { catalog, list, clock, changed } = await follow(t, {}, eve);
    list('gpt-5.6-sol');
    await catalog.refresh(never);
    const price = () => catalog.deployment('proxy/gpt-5.6-sol')?.price?.input[0]?.nanoUsdPerMillion;
    assert.equal(price(), 5_000_000_000n);
    const change = changed();
    clock.advance(60_000);
    await change;
    assert.equal(price(), 4_000_000_000n);
  });
});

describe('a fault in traffic', () => {
  test('of the key takes the provider out until an answer or a refresh shows otherwise', async t => {
    const { catalog, list, upstream } = await follow(t);
    list('alpha');
    await catalog.refresh(never);
    const standing = () => [catalog.providers()[0]?.status, catalog.providers()[0]?.statusReason];

    catalog.reportFault('proxy', 'credentials');
    assert.deepEqual(standing(), ['MISCONFIGURED', 'the key was refused']);
    catalog.reportSuccess('proxy');
    assert.deepEqual(standing(), ['AVAILABLE', undefined]);
    catalog.reportFault('proxy', 'credentials');
    upstream.answerPath('/v1/models', status(500));
    await catalog.refresh(never);
    catalog.reportSuccess('proxy');
    assert.deepEqual(standing(), ['DEGRADED', 'its model list failed: server (500)']);
  });

  test('of the key is looked into soon, since no traffic can prove it over', async t => {
    const { catalog, clock, list, told, changed } = await follow(t);
    list('alpha');
    await catalog.refresh(never);
    catalog.reportFault('proxy', 'credentials');

    const change = changed();
    clock.advance(5_000);
    await change;
    assert.equal(told.at(-1)?.status, 'AVAILABLE');
  });

  test('of any other kind is the business of the breakers', async t => {
    const { catalog, list, told } = await follow(t);
    list('alpha');
    await catalog.refresh(never);
    for (const fault of ['server', 'connection', 'rate-limit', 'truncated'] as const)
      catalog.reportFault('proxy', fault);
    catalog.reportSuccess('proxy');
    catalog.reportFault('nobody', 'credentials');
    assert.equal(told.length, 1);
  });
});

test('an unreadable list of a local server tells that something else answers there', async t => {
  const { catalog, upstream } = await follow(t, { kind: 'ollama' });
  for (const path of ['/api/tags', '/v1/models', '/api/version'])
    upstream.answerPath(path, { headers: { 'content-type': 'text/html' }, body: '<html>hello</html>' });
  await catalog.refresh(never);
  assert.equal(catalog.providers()[0]?.status, 'UNAVAILABLE');
  assert.equal(catalog.providers()[0]?.statusReason, `what answers at ${upstream.url} is not ollama`);
});
