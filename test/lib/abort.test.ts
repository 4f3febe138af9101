import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cancellable, createBell } from '../../src/lib/abort.ts';
import { createTopic } from '../../src/lib/topic.ts';

const never = () => new Promise<never>(() => {});

test('leaving a cancellable iteration aborts its source at once, though a pull is pending', async () => {
  let aborted = false;
  const iterator = cancellable(async function* (signal) {
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    yield 1;
    await never();
  });
  assert.deepEqual(await iterator.next(), { done: false, value: 1 });
  const pending = iterator.next();

  assert.deepEqual(await iterator.return!(), { done: true, value: undefined });
  assert.equal(aborted, true);
  assert.deepEqual(await pending, { done: true, value: undefined });
});

test('a cancellable source that fails passes its error on, once', async () => {
  // biome-ignore lint/correctness/useYield: the source fails before its first value
  const iterator = cancellable(async function* (): AsyncGenerator<number> {
    throw new Error('broken');
  });
  await assert.rejects(iterator.next(), /broken/);
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
});

test('a bell remembers that it rang while nobody waited', async () => {
  const bell = createBell(new AbortController().signal);
  bell.ring();
  await bell.wait();
});

test('a slow subscriber of a topic sees the newest value of each key, in the order of change', async () => {
  const topic = createTopic<string>();
  const values = topic.subscribe();
  topic.publish('a', 'a1');
  topic.publish('b', 'b1');
  topic.publish('a', 'a2');

  assert.equal((await values.next()).value, 'b1');
  assert.equal((await values.next()).value, 'a2');
  const pending = values.next();
  await values.return!();
  assert.equal((await pending).done, true);
  assert.equal(topic.subscriberCount, 0);
});

test('what a topic holds for a subscriber is bounded', async () => {
  const topic = createTopic<number>(3);
  const values = topic.subscribe();
  for (let key = 0; key < 10; key += 1) topic.publish(String(key), key);
  assert.equal((await values.next()).value, 7);
});

test('a subscriber of a topic sees nothing of a value that is not wanted any more', async () => {
  const topic = createTopic<number>();
  const values = topic.subscribe(value => value > 0);
  topic.publish('a', 1);
  topic.publish('b', 2);
  topic.publish('a', -1);

  assert.equal((await values.next()).value, 2);
  const pending = values.next();
  topic.publish('b', -2);
  topic.publish('b', 3);
  assert.equal((await pending).value, 3);
});
