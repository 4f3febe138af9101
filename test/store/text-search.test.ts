// What a search for text looks at, and that searches do not take the database from everybody else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { createSearches, SEARCHED_CHARACTERS, SEARCHED_REQUESTS } from '../../src/store/text-search.ts';
import { onBothStores } from './both-stores.ts';
import { aRequest, aSpec, makeFinished } from './samples.ts';

onBothStores(open => {
  test('text is looked for in the beginning of each text', async t => {
    const { store } = await open(t);
    const filler = 'ä'.repeat(SEARCHED_CHARACTERS - 6);
    const found = async (text: string) => (await store.requests.page({ text }, { first: 10 })).rows.length;
    await makeFinished(store, {
      request: { spec: aSpec({ prompt: `${filler}needle too late` }) },
      end: { output: `${filler}answer too late` },
    });

    assert.deepEqual([await found('needle'), await found('answer'), await found('late')], [1, 1, 0]);
  });

  test('text is looked for in the newest requests that meet the other conditions', async t => {
    const { store } = await open(t);
    const [userId, another] = [newId(), newId()];
    const accept = (prompt: string, user: string) =>
      store.requests.accept(aRequest({ userId: user, spec: aSpec({ prompt }) }));
    await accept('the needle', userId);
    for (let count = 1; count < SEARCHED_REQUESTS; count += 100)
      await Promise.all(
        Array.from({ length: Math.min(100, SEARCHED_REQUESTS - count) }, () => accept('hay', userId)),
      );
    await accept('the needle', another);
    const found = async (user?: string) =>
      (await store.requests.page({ text: 'NEEDLE', userId: user }, { first: 10 })).rows.length;

    assert.deepEqual([await found(userId), await found(another), await found()], [1, 1, 1]);
    await accept('hay', userId);
    assert.deepEqual([await found(userId), await found(another)], [0, 1]);
    assert.equal(await store.requests.count({ text: 'hay', userId }, 10_000), SEARCHED_REQUESTS);
  });
});

test('one search runs at a time, a few wait, and the next is told to come again', async () => {
  const inTurn = createSearches();
  const running: PromiseWithResolvers<string>[] = [];
  const search = () => {
    const work = Promise.withResolvers<string>();
    running.push(work);
    return work.promise;
  };
  const searches = Promise.allSettled(Array.from({ length: 20 }, () => inTurn(search)));
  await assert.rejects(inTurn(search), { code: 'OVERLOADED', retryAfterMs: 1_000 });

  for (let index = 0; index < 20; index += 1) {
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(running.length, index + 1);
    if (index === 3) running[index]!.reject(new Error('the database said no'));
    else running[index]!.resolve('found');
  }
  assert.equal((await searches).filter(({ status }) => status === 'fulfilled').length, 19);
  assert.equal(await inTurn(async () => 'there is room again'), 'there is room again');
});
