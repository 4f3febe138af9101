// Whose reads share a statement. What is read is text, and each statement is kept as the ids it asked for.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import test from 'node:test';
import { sharingReads } from '../../src/store/shared-reads.ts';
import { openTestStore } from '../support/database.ts';
import { aRequest } from './samples.ts';

function createReads(rows: ReadonlyMap<string, string> = new Map()) {
  const statements: string[][] = [];
  const read = sharingReads(async ids => {
    statements.push([...ids]);
    return ids.map(id => rows.get(id));
  });
  return { read, statements };
}

test('reads of one row that are asked for in the same turn are one statement', async () => {
  const { read, statements } = createReads(
    new Map([
      ['a', 'A'],
      ['b', 'B'],
    ]),
  );

  const answers = await Promise.all([read(['a']), read(['none']), read(['b']), read(['a'])]);

  assert.deepEqual(answers, [['A'], [undefined], ['B'], ['A']]);
  assert.deepEqual(statements, [['a', 'none', 'b', 'a']]);
});

test('nothing is kept: who asks after the statement was sent gets another one', async () => {
  const rows = new Map([['a', 'before']]);
  const { read, statements } = createReads(rows);

  const first = read(['a']);
  await new Promise(resolve => setImmediate(resolve));
  rows.set('a', 'after');
  const second = read(['a']);

  assert.deepEqual([await first, await second], [['before'], ['after']]);
  assert.equal(statements.length, 2);
});

test('a list is read by itself, and at once', async () => {
  const { read, statements } = createReads();
  const one = read(['a']);
  await Promise.all([read(['b', 'c']), read([]), one]);
  assert.deepEqual(statements, [['b', 'c'], [], ['a']]);
});

test('very many are more than one statement', async () => {
  const { read, statements } = createReads();
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => read([String(index)])));
  assert.deepEqual(
    statements.map(ids => ids.length),
    [500, 500],
  );
});

test('a failure is told to everybody who shared it, and to nobody after', async () => {
  let isDown = true;
  const read = sharingReads(async ids => {
    if (isDown) throw new Error('down');
    return [...ids];
  });
  const answers = await Promise.allSettled([read(['a']), read(['b'])]);
  isDown = false;

  assert.deepEqual(
    answers.map(answer => answer.status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual(await read(['a']), ['a']);
});

test('it runs in the context of nobody who asked', async () => {
  const caller = new AsyncLocalStorage<string>();
  const contexts: unknown[] = [];
  const read = sharingReads(async ids => {
    contexts.push(caller.getStore());
    return [...ids];
  });

  await caller.run('anna', async () => {
    await read(['a']);
    contexts.push(caller.getStore());
  });

  assert.deepEqual(contexts, [undefined, 'anna']);
});

test('two who read the same request at once get objects of their own', async t => {
  const store = await openTestStore(t);
  const request = aRequest();
  await store.requests.accept(request);
  const [[one], [other]] = await Promise.all([
    store.requests.byIds([request.id]),
    store.requests.byIds([request.id]),
  ]);
  assert.deepEqual(one, other);
  assert.notEqual(one, other);
});

test('a transaction reads for itself what it has written, and never through the store outside', async t => {
  const store = await openTestStore(t);
  const request = aRequest();
  await store.transaction(async inside => {
    await inside.requests.accept(request);
    const [own] = await inside.requests.byIds([request.id]);
    assert.equal(own?.id, request.id);
    await assert.rejects(store.requests.byIds([request.id]), /use the store that the transaction was given/);
  });
});
