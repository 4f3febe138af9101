import assert from 'node:assert/strict';
import test from 'node:test';
import { sql } from 'kysely';
import { newId } from '../../src/domain/ids.ts';
import { onBothStores } from './both-stores.ts';
import { anEndOf, aRequest, aSpec } from './samples.ts';

/** What is accepted to wait: nobody owns it yet. */
const WAITING = { status: 'QUEUED', owner: undefined, epoch: 0 } as const;

onBothStores(open => {
  test('an accepted request reads back as it was given', async t => {
    const { store } = await open(t);
    const spec = aSpec({
      prompt: 'Say "hi"; drop table requests; -- %_\\ 😀',
      system: 'Be brief.',
      model: 'gpt-6-sol',
      temperature: 0.25,
      stop: ['\n\n'],
      deadlines: { totalMs: 5_000 },
      metadata: { ticket: 7, tags: ['a', null] },
    });
    const request = aRequest({ spec, apiKeyId: newId(), ...WAITING });

    assert.deepEqual(await store.requests.accept(request), { outcome: 'accepted' });

    const [stored] = await store.requests.byIds([request.id]);
    assert.equal(stored?.status, 'QUEUED');
    assert.equal(stored.userId, request.userId);
    assert.equal(stored.requestedModel, 'gpt-6-sol');
    assert.deepEqual(stored.createdAt, request.createdAt);
    assert.equal(stored.startedAt, undefined);
    assert.equal(stored.epoch, 0);
    assert.equal(stored.error, undefined);
    const [body] = await store.requests.bodiesByIds([request.id]);
    assert.deepEqual(body, { spec, routing: undefined, output: undefined });
    assert.deepEqual(await store.requests.promptsByIds([request.id]), [spec.messages[0]?.content]);
  });

  test('a schema keeps the order of its members, in which models answer', async t => {
    const { store } = await open(t);
    const outputSchema = { type: 'object', properties: { reasons: { type: 'string' }, verdict: {}, a: {} } };
    const request = aRequest({ spec: aSpec({ outputSchema }) });

    await store.requests.accept(request);

    const [body] = await store.requests.bodiesByIds([request.id]);
    assert.equal(JSON.stringify(body?.spec.outputSchema), JSON.stringify(outputSchema));
  });

  test('accepting again after an unclear end changes nothing', async t => {
    const { store, db } = await open(t);
    const request = aRequest({ idempotencyKey: 'key' });

    assert.deepEqual(await store.requests.accept(request), { outcome: 'accepted' });
    assert.deepEqual(await store.requests.accept(request), { outcome: 'accepted' });

    assert.equal(await store.requests.count({}, 10), 1);
    assert.equal((await db.selectFrom('request_bodies').selectAll().execute()).length, 1);
  });

  test('a request that was accepted and has ended is not accepted again', async t => {
    const { store } = await open(t);
    const request = aRequest();
    await store.requests.accept(request);
    await store.requests.finish(anEndOf(request));

    assert.deepEqual(await store.requests.accept(request), { outcome: 'duplicate', requestId: request.id });
  });

  test('a waiting request is recognised until somebody takes it or it ends', async t => {
    const { store, db } = await open(t);
    const [waiting, taken, cancelled] = [aRequest(WAITING), aRequest(WAITING), aRequest(WAITING)];
    for (const request of [waiting, taken, cancelled]) await store.requests.accept(request);
    await db
      .updateTable('requests')
      .set({ owner: 'instance-2', epoch: 1 })
      .where('id', '=', taken.id)
      .execute();
    await store.requests.finish(anEndOf(cancelled, { status: 'CANCELLED' }));

    const results = await Promise.all([waiting, taken, cancelled].map(each => store.requests.accept(each)));

    assert.deepEqual(results, [
      { outcome: 'accepted' },
      { outcome: 'duplicate', requestId: taken.id },
      { outcome: 'duplicate', requestId: cancelled.id },
    ]);
  });

  test('an id that belongs to another user is refused', async t => {
    const { store } = await open(t);
    const request = aRequest();
    await store.requests.accept(request);

    await assert.rejects(
      store.requests.accept({ ...request, userId: newId() }),
      /belongs to another request/,
    );
  });

  test('an idempotency key leads to its first request, and another input is a conflict', async t => {
    const { store } = await open(t);
    const first = aRequest({ idempotencyKey: 'key' });
    await store.requests.accept(first);

    const same = await store.requests.accept({ ...first, id: newId() });
    const other = await store.requests.accept({ ...first, id: newId(), inputHash: 'another' });
    const ofAnother = await store.requests.accept(aRequest({ idempotencyKey: 'key' }));

    assert.deepEqual(same, { outcome: 'duplicate', requestId: first.id });
    assert.deepEqual(other, { outcome: 'conflict', requestId: first.id });
    assert.deepEqual(ofAnother, { outcome: 'accepted' }, 'keys belong to their user');
    assert.equal(await store.requests.count({ userId: first.userId }, 10), 1);
  });

  test('of many equal keys at once exactly one makes a request', async t => {
    const { store } = await open(t);
    const userId = newId();
    const rivals = Array.from({ length: 12 }, () => aRequest({ userId, idempotencyKey: 'key' }));

    const results = await Promise.all(rivals.map(request => store.requests.accept(request)));

    const winner = rivals[results.findIndex(result => result.outcome === 'accepted')]!;
    assert.equal(results.filter(result => result.outcome === 'accepted').length, 1);
    for (const result of results)
      if (result.outcome !== 'accepted')
        assert.deepEqual(result, { outcome: 'duplicate', requestId: winner.id });
    assert.equal(await store.requests.count({}, 100), 1);
  });

  test('requests that come at once get each their own answer', async t => {
    const { store } = await open(t);
    const userId = newId();
    const known = aRequest({ userId, idempotencyKey: 'known' });
    const foreign = aRequest();
    for (const request of [known, foreign]) await store.requests.accept(request);
    const plain = Array.from({ length: 40 }, () => aRequest());
    const rivals = [aRequest({ userId, idempotencyKey: 'new' }), aRequest({ userId, idempotencyKey: 'new' })];

    const first = store.requests.accept(aRequest());
    const results = await Promise.allSettled(
      [
        ...plain,
        ...rivals,
        known,
        { ...known, id: newId() },
        { ...known, id: newId(), inputHash: 'another' },
        { ...foreign, userId },
      ].map(request => store.requests.accept(request)),
    );

    assert.deepEqual(await first, { outcome: 'accepted' });
    const answers = results.map(result => (result.status === 'fulfilled' ? result.value : 'refused'));
    assert.deepEqual(answers, [
      ...plain.map(() => ({ outcome: 'accepted' })),
      { outcome: 'accepted' },
      { outcome: 'duplicate', requestId: rivals[0]?.id },
      { outcome: 'accepted' },
      { outcome: 'duplicate', requestId: known.id },
      { outcome: 'conflict', requestId: known.id },
      'refused',
    ]);
    assert.equal(await store.requests.count({}, 100), 44);
    const bodies = await store.requests.promptsByIds(plain.map(({ id }) => id));
    assert.ok(bodies.every(prompt => prompt !== undefined));
  });

  test('a request that the database refuses fails alone', async t => {
    const { store } = await open(t);
    const requests = Array.from({ length: 30 }, (_, index) =>
      aRequest({ spec: aSpec({ priority: index === 17 ? 101 : 50 }) }),
    );

    const results = await Promise.allSettled(requests.map(request => store.requests.accept(request)));

    assert.deepEqual(
      results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : [])),
      [17],
    );
    assert.equal(await store.requests.count({}, 100), 29);
  });

  test('a key is free again after 24 hours, and those of others are removed now and then', async t => {
    const { store, db } = await open(t);
    const old = aRequest({ idempotencyKey: 'key' });
    await store.requests.accept(old);
    await store.requests.accept(aRequest({ idempotencyKey: 'forgotten' }));
    const [kept] = await db.selectFrom('idempotency_keys').select('expires_at').execute();
    assert.ok(Math.abs(kept!.expires_at.getTime() - Date.now() - 24 * 3600e3) < 60e3, 'kept for 24 hours');
    await db.updateTable('idempotency_keys').set({ expires_at: sql`now() - interval '1 second'` }).execute();

    const renewed = { ...old, id: newId(), inputHash: 'another' };
    assert.deepEqual(await store.requests.accept(renewed), { outcome: 'accepted' });
    const many = Array.from({ length: 100 }, () => aRequest({ idempotencyKey: 'new' }));
    await Promise.all(many.map(request => store.requests.accept(request)));

    const keys = await db
      .selectFrom('idempotency_keys')
      .select(['key', 'request_id'])
      .where('key', '<>', 'new')
      .execute();
    assert.deepEqual(keys, [{ key: 'key', request_id: renewed.id }]);
  });

  test('what Postgres cannot hold in a text becomes the replacement character', async t => {
    const { store } = await open(t);
    const request = aRequest({ spec: aSpec({ prompt: 'a\0b', metadata: { note: 'c\0d\ud800' } }) });
    await store.requests.accept(request);
    await store.requests.finish(anEndOf(request, { output: 'e\0f\udc00' }));

    const [body] = await store.requests.bodiesByIds([request.id]);

    assert.equal(body?.spec.messages[0]?.content, 'a\uFFFDb');
    assert.deepEqual(body?.spec.metadata, { note: 'c\uFFFDd\uFFFD' });
    assert.equal(body?.output, 'e\uFFFDf\uFFFD');
  });
});
