import assert from 'node:assert/strict';
import test from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import { onBothStores } from './both-stores.ts';
import { aDecision, anAttempt, anEndOf, aRequest } from './samples.ts';

onBothStores(open => {
  test('status, answer, routing, attempts and usage are written together', async t => {
    const { store } = await open(t);
    const request = aRequest();
    await store.requests.accept(request);
    const error = requestError('PROVIDER_FAILED', 'The provider answered 503', {
      retryable: false,
      retryAfterMs: 1_500,
    });
    const attempts = [
      anAttempt({
        outcome: 'FAILED',
        error,
        fault: 'server',
        usage: undefined,
        costNanoUsd: undefined,
        servedModel: undefined,
      }),
      anAttempt({ number: 2 }),
    ];
    const end = anEndOf(request, { attempts, routing: aDecision() });

    assert.equal(await store.requests.finish(end), true);

    const [stored] = await store.requests.byIds([request.id]);
    assert.equal(stored?.status, 'SUCCEEDED');
    assert.equal(stored.attemptCount, 2);
    assert.equal(stored.lastSequence, 12);
    assert.equal(stored.restartSequence, 7);
    assert.equal(stored.overheadMs, 1.25);
    assert.deepEqual(stored.usage, end.usage);
    assert.deepEqual(stored.finishedAt, end.finishedAt);
    const [body] = await store.requests.bodiesByIds([request.id]);
    assert.equal(body?.output, 'Rayleigh scattering.');
    assert.deepEqual(body?.routing, aDecision());
    assert.deepEqual(await store.requests.attemptsByIds([newId(), request.id]), [[], attempts]);
  });

  test('the ledger names who pays', async t => {
    const { store, db } = await open(t);
    const request = aRequest({ apiKeyId: newId() });
    await store.requests.accept(request);
    await store.requests.finish(anEndOf(request));

    const rows = await db.selectFrom('attempts').select(['user_id', 'api_key_id', 'created_at']).execute();

    assert.equal(rows[0]?.user_id, request.userId);
    assert.equal(rows[0]?.api_key_id, request.apiKeyId);
    assert.ok(rows[0]?.created_at instanceof Date);
  });

  test('a request ends exactly once, however many try', async t => {
    const { store, db } = await open(t);
    const request = aRequest();
    await store.requests.accept(request);
    const ends = Array.from({ length: 8 }, (_, index) => anEndOf(request, { output: `answer ${index}` }));

    const written = await Promise.all(ends.map(end => store.requests.finish(end)));

    assert.equal(written.filter(Boolean).length, 1);
    const [body] = await store.requests.bodiesByIds([request.id]);
    assert.equal(body?.output, `answer ${written.indexOf(true)}`);
    assert.equal((await db.selectFrom('attempts').select('id').execute()).length, 1);
  });

  test('results that come at once are written each to its own request, and late ones refused', async t => {
    const { store } = await open(t);
    const requests = Array.from({ length: 40 }, () => aRequest());
    await Promise.all(requests.map(request => store.requests.accept(request)));
    const ends = requests.map((request, index) =>
      anEndOf(request, {
        output: `answer ${index}`,
        epoch: index % 5 === 0 ? 7 : 1,
        attempts: Array.from({ length: index % 3 }, (_, number) => anAttempt({ number: number + 1 })),
      }),
    );

    const written = await Promise.all(ends.map(end => store.requests.finish(end)));

    assert.deepEqual(
      written,
      requests.map((_, index) => index % 5 !== 0),
    );
    const ids = requests.map(({ id }) => id);
    const outputs = (await store.requests.bodiesByIds(ids)).map(body => body?.output);
    assert.deepEqual(
      outputs,
      ends.map(({ output }, index) => (written[index] ? output : undefined)),
    );
    assert.deepEqual(
      await store.requests.attemptsByIds(ids),
      ends.map(({ attempts }, index) => (written[index] ? attempts : [])),
    );
  });

  test('a result that the database refuses fails alone', async t => {
    const { store } = await open(t);
    const requests = Array.from({ length: 20 }, () => aRequest());
    await Promise.all(requests.map(request => store.requests.accept(request)));
    const nonsense = [anAttempt({ outcome: 'NONSENSE' as never })];
    const ends = requests.map((request, index) =>
      anEndOf(request, index === 4 ? { attempts: nonsense } : {}),
    );

    const results = await Promise.allSettled(ends.map(end => store.requests.finish(end)));

    assert.deepEqual(
      results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : [])),
      [4],
    );
    const stored = await store.requests.byIds(requests.map(({ id }) => id));
    assert.deepEqual(
      stored.flatMap((request, index) => (request?.status === 'RUNNING' ? [index] : [])),
      [4],
    );
  });

  test('an answer of 8 MB and the small ones beside it are stored whole', async t => {
    const { store } = await open(t);
    const requests = Array.from({ length: 5 }, () => aRequest());
    await Promise.all(requests.map(request => store.requests.accept(request)));
    const outputs = requests.map((_, index) =>
      index === 0 ? 'A "long" answer. \u{1F600}\n'.repeat(420_000) : 'short',
    );

    await Promise.all(
      requests.map((request, index) => store.requests.finish(anEndOf(request, { output: outputs[index] }))),
    );

    const bodies = await store.requests.bodiesByIds(requests.map(({ id }) => id));
    assert.ok(bodies.every((body, index) => body?.output === outputs[index]));
  });

  test('an owner of an older epoch cannot finish', async t => {
    const { store, db } = await open(t);
    const request = aRequest();
    await store.requests.accept(request);
    await db.updateTable('requests').set({ epoch: 2 }).execute();

    assert.equal(await store.requests.finish(anEndOf(request)), false);
    assert.equal(await store.requests.finish(anEndOf(request, { epoch: 2 })), true);
  });

  test('a queued request can end without having started', async t => {
    const { store } = await open(t);
    const request = aRequest({ status: 'QUEUED' });
    await store.requests.accept(request);
    const error = requestError('CANCELLED', 'Cancelled by its owner');

    await store.requests.finish(
      anEndOf(request, {
        status: 'CANCELLED',
        error,
        output: undefined,
        attempts: [],
        usage: undefined,
        costNanoUsd: undefined,
        startedAt: undefined,
        firstTokenAt: undefined,
      }),
    );

    const [stored] = await store.requests.byIds([request.id]);
    assert.equal(stored?.status, 'CANCELLED');
    assert.deepEqual(stored.error, error);
    assert.equal(stored.startedAt, undefined);
    assert.equal(stored.usage, undefined);
  });

  test('money beyond 2^53 keeps every digit', async t => {
    const { store } = await open(t);
    const costNanoUsd = 2n ** 62n + 1n;
    const request = aRequest();
    await store.requests.accept(request);
    await store.requests.finish(anEndOf(request, { costNanoUsd, attempts: [anAttempt({ costNanoUsd })] }));

    const [stored] = await store.requests.byIds([request.id]);
    const [attempts] = await store.requests.attemptsByIds([request.id]);

    assert.equal(stored?.costNanoUsd, costNanoUsd);
    assert.equal(attempts?.[0]?.costNanoUsd, costNanoUsd);
    assert.equal((await store.metrics.summarize({}, undefined)).total.costNanoUsd, costNanoUsd);
  });

  test('nonsensical token counts do not keep a request from ending', async t => {
    const { store } = await open(t);
    const request = aRequest();
    await store.requests.accept(request);
    const usage = {
      inputTokens: Number.NaN,
      cachedInputTokens: -5,
      cacheWriteTokens: 1e300,
      outputTokens: 2.7,
      estimated: true,
    };

    assert.equal(await store.requests.finish(anEndOf(request, { usage })), true);

    const [stored] = await store.requests.byIds([request.id]);
    assert.deepEqual(stored?.usage, {
      inputTokens: 0,
      cachedInputTokens: 0,
      cacheWriteTokens: Number.MAX_SAFE_INTEGER,
      outputTokens: 2,
      estimated: true,
    });
  });

  test('a wish to cancel is noted while the request is unfinished', async t => {
    const { store } = await open(t);
    const wished = aRequest();
    await store.requests.accept(wished);

    assert.equal(await store.requests.wishCancel(wished.id), true);
    assert.equal(await store.requests.wishCancel(newId()), false);
    await store.requests.finish(anEndOf(wished));
    assert.equal(await store.requests.wishCancel(wished.id), false);
  });
});
