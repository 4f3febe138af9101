// Instances, breaker history, audit trail and transactions.

import assert from 'node:assert/strict';
import test from 'node:test';
import { sql } from 'kysely';
import { newId } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import { onBothStores } from './both-stores.ts';
import { anEndOf, aRequest, aUser } from './samples.ts';

onBothStores(open => {
  test('a silent instance is declared dead on the clock of the database, and stays dead', async t => {
    const { store, db } = await open(t);
    for (const id of ['me', 'silent', 'lively']) await store.instances.register(id, '1.0.0');
    await db
      .updateTable('instances')
      .set({ beat_at: sql`now() - interval '7 s'` })
      .where('id', '=', 'silent')
      .execute();

    assert.deepEqual(await store.instances.sweep('me', 6_000), ['silent']);
    assert.deepEqual(await store.instances.sweep('me', 6_000), [], 'declared once');

    assert.equal(await store.instances.beat('silent'), false);
    await store.instances.register('silent', '1.0.0');
    assert.equal(await store.instances.beat('silent'), false, 'registering again does not revive it');
    assert.equal(await store.instances.beat('lively'), true);
    assert.equal(await store.instances.beat('unknown'), false);
  });

  test('a dead instance comes up again as long as it holds unfinished requests', async t => {
    const { store } = await open(t);
    for (const id of ['me', 'dead']) await store.instances.register(id, '1.0.0');
    const request = aRequest({ owner: 'dead' });
    await store.requests.accept(request);
    await store.instances.retire('dead');

    assert.deepEqual(await store.instances.sweep('me', 6_000), ['dead']);
    assert.deepEqual(await store.instances.sweep('me', 6_000), ['dead'], 'nobody has dealt with it yet');
    await store.queue.recover(['dead'], 3, requestError('INTERNAL', 'The server stopped'));
    assert.deepEqual(await store.instances.sweep('me', 6_000), []);
  });

  test('long dead instances are forgotten, but not with unfinished requests', async t => {
    const { store, db } = await open(t);
    for (const id of ['idle', 'busy']) await store.instances.register(id, '1.0.0');
    await store.requests.accept(aRequest({ owner: 'busy' }));
    await db.updateTable('instances').set({ dead_at: sql`now() - interval '8 days'` }).execute();

    await store.instances.register('me', '1.0.0');

    const rows = await db.selectFrom('instances').select('id').orderBy('id').execute();
    assert.deepEqual(
      rows.map(row => row.id),
      ['busy', 'me'],
    );
  });

  test('a dead or unknown instance declares nobody dead', async t => {
    const { store, db } = await open(t);
    for (const id of ['retired', 'other']) await store.instances.register(id, '1.0.0');
    await store.instances.retire('retired');
    await db.updateTable('instances').set({ beat_at: sql`now() - interval '1 h'` }).execute();

    assert.deepEqual(await store.instances.sweep('retired', 6_000), []);
    assert.deepEqual(await store.instances.sweep('unknown', 6_000), []);
    assert.equal(await store.instances.beat('retired'), false);
  });

  test('one whose own last beat is old declares nobody dead: its sweep was held up on the way', async t => {
    const { store, db } = await open(t);
    for (const id of ['late', 'silent']) await store.instances.register(id, '1.0.0');
    await db.updateTable('instances').set({ beat_at: sql`now() - interval '7 s'` }).execute();

    assert.deepEqual(await store.instances.sweep('late', 6_000), []);
    assert.equal(await store.instances.beat('late'), true);
    assert.deepEqual(await store.instances.sweep('late', 6_000), ['silent']);
  });

  test('of two that sweep at once one gets the dead instance', async t => {
    const { store, db } = await open(t);
    for (const id of ['a', 'b', 'dead']) await store.instances.register(id, '1.0.0');
    await db
      .updateTable('instances')
      .set({ beat_at: sql`now() - interval '1 h'` })
      .where('id', '=', 'dead')
      .execute();

    const swept = await Promise.all(['a', 'b'].map(id => store.instances.sweep(id, 6_000)));

    assert.deepEqual(swept.flat(), ['dead']);
  });

  test('breaker history is newest first, per deployment, since a time', async t => {
    const { store } = await open(t);
    const transition = (deploymentId: string, at: string) => ({
      id: newId(),
      deploymentId,
      from: 'CLOSED' as const,
      to: 'OPEN' as const,
      at: new Date(at),
      cause: 'automatic' as const,
      retryAt: new Date(Date.parse(at) + 5_000),
      detail: undefined,
    });
    const [a1, a2, a3] = ['10:00', '11:00', '12:00'].map(time => transition('a', `2026-03-01T${time}:00Z`));
    const b1 = {
      ...transition('b', '2026-03-01T10:30:00Z'),
      cause: 'manual' as const,
      detail: 'repaired',
      retryAt: undefined,
    };
    for (const one of [a2!, a1!, b1, a3!]) await store.breakers.append(one);

    assert.deepEqual(await store.breakers.history('a', new Date(0), 2), [a3, a2]);
    assert.deepEqual(await store.breakers.history('a', new Date('2026-03-01T11:30:00Z'), 9), [a3]);
    assert.deepEqual(await store.breakers.historyOf(['b', 'none', 'a', 'b'], new Date(0), 9), [
      [b1],
      [],
      [a3, a2, a1],
      [b1],
    ]);
    assert.deepEqual(await store.breakers.latest(), [a3, b1]);
  });

  test('of the decisions about a deployment the latest is kept', async t => {
    const { store } = await open(t);
    const at = new Date('2026-03-01T12:00:00Z');
    const drain = { drained: true, reason: 'new disks', actorId: 'ada-id', at };
    const [a, b] = ['openai/a', 'openai/b'].map(deploymentId => ({ deploymentId, ...drain }));
    const enabled = { ...a!, drained: false, reason: 'done', actorId: 'bob-id', at: new Date('2026-03-02') };

    await store.deploymentControls.save([]);
    await store.deploymentControls.save([b!, a!]);
    await store.deploymentControls.save([enabled]);

    assert.deepEqual(await store.deploymentControls.all(), [enabled, b]);
  });

  test('the audit trail is read by action, actor, subject and time', async t => {
    const { store } = await open(t);
    const event = (action: string, actorId: string | undefined) => ({
      id: newId(),
      at: new Date('2026-03-01T12:00:00Z'),
      actorId,
      actorName: actorId && 'ada',
      action,
      subject: 'openai/gpt-6-sol',
      reason: 'repaired',
      data: { before: 'OPEN', spentNanoUsd: '9007199254740993' },
    });
    const reset = event('breaker.reset', 'ada-id');
    const login = {
      ...event('session.login', undefined),
      at: new Date('2026-03-02T12:00:00Z'),
      subject: 'ada-id',
      data: undefined,
      reason: undefined,
    };
    await store.audit.append(reset);
    await store.audit.append(login);

    const read = async (...page: Parameters<typeof store.audit.page>) =>
      // Their links are the business of audit.test.ts.
      (await store.audit.page(...page)).rows.map(({ sequence: _sequence, hash: _hash, ...event }) => event);
    assert.deepEqual(await read({}, { first: 5 }), [login, reset]);
    assert.deepEqual(await read({ action: 'breaker.reset' }, { first: 5 }), [reset]);
    assert.deepEqual(await read({ actorId: 'ada-id' }, { last: 5 }), [reset]);
    assert.deepEqual(await read({ actorId: 'ada-id', action: 'x' }, { last: 5 }), []);
    assert.deepEqual(await read({ subject: 'ada-id' }, { first: 5 }), [login]);
    assert.deepEqual(await read({ from: login.at }, { first: 5 }), [login]);
    assert.deepEqual(await read({ to: login.at }, { first: 5 }), [reset]);
    assert.deepEqual(await read({ from: reset.at, to: login.at, subject: 'ada-id' }, { first: 5 }), []);
  });

  test('a transaction that throws leaves nothing behind', async t => {
    const { store } = await open(t);

    const failing = store.transaction(async inner => {
      await inner.members.createUser(aUser({ username: 'ada' }), undefined);
      await inner.transaction(nested => nested.requests.accept(aRequest()));
      throw new Error('changed my mind');
    });

    await assert.rejects(failing, /changed my mind/);
    assert.equal(await store.members.userByName('ada'), undefined);
    assert.equal(await store.requests.count({}, 1), 0);
  });

  test('a transaction that ends commits all of it, and others wait or go on meanwhile', async t => {
    const { store } = await open(t);
    const request = aRequest();

    await Promise.all([
      store.transaction(async inner => {
        await inner.requests.accept(request);
        await inner.members.createUser(aUser({ username: 'ada' }), undefined);
      }),
      ...Array.from({ length: 5 }, () => store.ping()),
    ]);

    assert.equal((await store.requests.byIds([request.id]))[0]?.id, request.id);
    assert.ok(await store.members.userByName('ada'));
  });

  test('the outer store inside a transaction is an error, not a deadlock', async t => {
    const { store } = await open(t);

    const wrongs: (() => Promise<unknown>)[] = [
      () => store.requests.count({}, 1),
      () => store.requests.accept(aRequest()),
      () => store.requests.finish(anEndOf(aRequest())),
    ];
    for (const wrong of wrongs)
      await assert.rejects(store.transaction(wrong), /use the store that the transaction was given/);
    assert.equal(await store.requests.count({}, 1), 0, 'afterwards the store works');
  });
});
