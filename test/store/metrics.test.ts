import assert from 'node:assert/strict';
import test from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import type { Store } from '../../src/store/store.ts';
import { onBothStores } from './both-stores.ts';
import { aRequest, aSpec, makeFinished } from './samples.ts';

/** A success that took so long from acceptance to its first token and to its end. */
function makeTimed(store: Store, createdAt: Date, firstTokenMs: number, durationMs: number) {
  return makeFinished(store, {
    request: { createdAt },
    end: {
      firstTokenAt: new Date(createdAt.getTime() + firstTokenMs),
      finishedAt: new Date(createdAt.getTime() + durationMs),
    },
  });
}

onBothStores(open => {
  test('nothing sums up to zero and has no percentiles', async t => {
    const { store } = await open(t);

    const { total, groups } = await store.metrics.summarize({}, 'PROVIDER');

    assert.deepEqual(groups, []);
    assert.deepEqual(total, {
      key: undefined,
      requests: 0,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
      inProgress: 0,
      inputTokens: 0n,
      outputTokens: 0n,
      cachedInputTokens: 0n,
      costNanoUsd: 0n,
      failedAttemptsCostNanoUsd: 0n,
      unpriced: 0,
      timeToFirstTokenMs: undefined,
      durationMs: undefined,
    });
  });

  test('each status, token and cost is counted once', async t => {
    const { store } = await open(t);
    const noUsage = { usage: undefined, costNanoUsd: undefined, firstTokenAt: undefined };
    await makeFinished(store, { end: { failedAttemptsCostNanoUsd: 500_000n } });
    await makeFinished(store, { end: { costNanoUsd: undefined, failedAttemptsCostNanoUsd: 7n } });
    await makeFinished(store, {
      end: { status: 'FAILED', error: requestError('TIMEOUT', 'late'), ...noUsage },
    });
    await makeFinished(store, { end: { status: 'CANCELLED', ...noUsage } });
    await store.requests.accept(aRequest());
    await store.requests.accept(aRequest({ status: 'QUEUED' }));

    const { total } = await store.metrics.summarize({}, undefined);

    assert.equal(total.requests, 6);
    assert.equal(total.succeeded, 2);
    assert.equal(total.failed, 1);
    assert.equal(total.cancelled, 1);
    assert.equal(total.inProgress, 2);
    assert.equal(total.inputTokens, 20n);
    assert.equal(total.cachedInputTokens, 8n);
    assert.equal(total.outputTokens, 40n);
    assert.equal(total.costNanoUsd, 1_500_000n);
    assert.equal(total.failedAttemptsCostNanoUsd, 500_000n);
    assert.equal(total.unpriced, 1);
  });

  test('percentiles count from acceptance and interpolate', async t => {
    const { store } = await open(t);
    const at = new Date('2026-03-01T12:00:00Z');
    for (const ms of [100, 200, 300, 400, 500]) await makeTimed(store, at, ms, ms * 10);

    const { total } = await store.metrics.summarize({}, undefined);

    const rounded = (values: object | undefined) =>
      Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, Math.round(value)]));
    assert.deepEqual(rounded(total.timeToFirstTokenMs), { p50: 300, p95: 480, p99: 496 });
    assert.deepEqual(rounded(total.durationMs), { p50: 3000, p95: 4800, p99: 4960 });
  });

  test('groups add up to the total, the largest first', async t => {
    const { store } = await open(t);
    const userId = newId();
    await makeFinished(store, { request: { userId, spec: aSpec({ taskType: 'CODE' }) } });
    await makeFinished(store, { request: { userId } });
    await makeFinished(store, { end: { providerId: 'ollama', servedModel: 'llama' } });
    await store.requests.accept(aRequest({ userId, spec: aSpec({ model: 'asked-for' }) }));
    const keys = async (dimension: Parameters<Store['metrics']['summarize']>[1]) =>
      (await store.metrics.summarize({}, dimension)).groups.map(group => [group.key, group.requests]);

    assert.deepEqual(await keys('PROVIDER'), [
      ['openai', 2],
      ['ollama', 1],
      ['(none)', 1],
    ]);
    assert.deepEqual(await keys('MODEL'), [
      ['gpt-6-sol-2026', 2],
      ['asked-for', 1],
      ['llama', 1],
    ]);
    assert.deepEqual(await keys('TASK_TYPE'), [
      ['CHAT', 3],
      ['CODE', 1],
    ]);
    assert.deepEqual(await keys('STATUS'), [
      ['SUCCEEDED', 3],
      ['RUNNING', 1],
    ]);
    assert.deepEqual((await keys('USER'))[0], [userId, 3]);
    const { total, groups } = await store.metrics.summarize({ userId }, 'PROVIDER');
    assert.equal(total.requests, 3);
    assert.equal(
      groups.reduce((sum, group) => sum + group.costNanoUsd, 0n),
      total.costNanoUsd,
    );
  });

  test('hours and days are those of UTC, in the order of time', async t => {
    const { store } = await open(t);
    for (const at of ['2026-03-01T23:59:59.999Z', '2026-03-02T00:00:00Z', '2026-03-01T05:30:00Z'])
      await makeFinished(store, { request: { createdAt: new Date(at) } });

    const hours = await store.metrics.summarize({}, 'HOUR');
    const days = await store.metrics.summarize({}, 'DAY');

    assert.deepEqual(
      hours.groups.map(group => group.key),
      ['2026-03-01T05:00:00Z', '2026-03-01T23:00:00Z', '2026-03-02T00:00:00Z'],
    );
    assert.deepEqual(
      days.groups.map(group => [group.key, group.requests]),
      [
        ['2026-03-01', 2],
        ['2026-03-02', 1],
      ],
    );
  });

  test('at most 500 groups are shown, the total is over all', async t => {
    const { store, db } = await open(t);
    const request = await makeFinished(store);
    const { id: _id, ...row } = await db
      .selectFrom('requests')
      .selectAll()
      .where('id', '=', request.id)
      .executeTakeFirstOrThrow();
    await db
      .insertInto('requests')
      .values(Array.from({ length: 510 }, (_, index) => copyOf(row, `model-${index}`)))
      .execute();

    const { total, groups } = await store.metrics.summarize({}, 'MODEL');

    assert.equal(total.requests, 511);
    assert.equal(groups.length, 500);
  });

  test('failures are counted by code, the most frequent first', async t => {
    const { store } = await open(t);
    for (const code of ['TIMEOUT', 'PROVIDER_FAILED', 'TIMEOUT'] as const)
      await makeFinished(store, { end: { status: 'FAILED', error: requestError(code, 'it failed') } });
    await makeFinished(store);

    assert.deepEqual(await store.metrics.errorCodes({}), [
      { code: 'TIMEOUT', requests: 2 },
      { code: 'PROVIDER_FAILED', requests: 1 },
    ]);
  });
});

function copyOf<Row extends object>(row: Row, servedModel: string) {
  return {
    ...row,
    id: newId(),
    served_model: servedModel,
    input_tokens: 1,
    cached_input_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: 1,
    cost_nano_usd: 1n,
    failed_attempts_cost_nano_usd: 0n,
    last_sequence: 1,
    restart_sequence: null,
    reserved_nano_usd: null,
  };
}
