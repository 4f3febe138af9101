// Wide rows in the order of the ids, until the reader has enough of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import type { Store } from '../../src/store/store.ts';
import { onBothStores } from './both-stores.ts';
import { aSpec, makeFinished } from './samples.ts';

/** Four requests, each with a prompt of 100 kB that compresses well and an answer of 50 kB. */
async function fourLong(store: Store): Promise<string[]> {
  const ids: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    const prompt = `${count}`.padEnd(100_000, 'x');
    const { id } = await makeFinished(store, {
      request: { spec: aSpec({ prompt }) },
      end: { output: 'y'.repeat(50_000) },
    });
    ids.push(id);
  }
  return ids;
}

onBothStores(open => {
  test('prompts come until their bytes are over the limit, the first always', async t => {
    const { store } = await open(t);
    const ids = await fourLong(store);
    const lengths = async (atMost?: number, asked = ids) =>
      (await store.requests.promptsByIds(asked, atMost)).map(prompt => prompt?.length);

    assert.deepEqual(await lengths(), [100_000, 100_000, 100_000, 100_000]);
    assert.deepEqual(await lengths(1), [100_000]);
    assert.deepEqual(await lengths(150_000), [100_000, 100_000]);
    assert.deepEqual(await lengths(1_000_000), [100_000, 100_000, 100_000, 100_000]);
    const odd = ['no id', newId(), ...ids];
    assert.deepEqual(await lengths(1, odd), [undefined, undefined, 100_000]);
    assert.deepEqual(await lengths(1, ['no id']), [undefined]);
  });

  test('bodies come until what they hold is over the limit, whole and in order', async t => {
    const { store } = await open(t);
    const ids = await fourLong(store);
    const all = await store.requests.bodiesByIds(ids);
    const within = (atMost: number, asked = ids) => store.requests.bodiesByIds(asked, atMost);

    assert.deepEqual(await within(1), all.slice(0, 1));
    assert.deepEqual(await within(200_000), all.slice(0, 2));
    assert.deepEqual(await within(10_000_000), all);
    assert.deepEqual(await within(10_000_000, ids.toReversed()), all.toReversed());
    const odd = [newId(), 'no id', ...ids, newId()];
    assert.deepEqual(await within(1, odd), [undefined, undefined, all[0]]);
    assert.deepEqual(await within(10_000_000, odd), [undefined, undefined, ...all, undefined]);
  });
});
